"""The state of a fleet as one document, for the people who sign it off."""
