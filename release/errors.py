"""Why there is no release."""


class RefusedError(Exception):
    """A release cannot be made from what is there; the text says why, and what to do."""
