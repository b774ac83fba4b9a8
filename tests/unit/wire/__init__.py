"""The code reads recorded traffic of the real services; the recordings lie beside the checkout."""
