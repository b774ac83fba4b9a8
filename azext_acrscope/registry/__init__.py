"""The one resource: finding it, reading it, and changing its one property."""
