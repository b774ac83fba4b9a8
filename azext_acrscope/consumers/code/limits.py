"""Bound what one file may cost: files of a few MiB can be made so that each letter is work."""

MAX_TOKENS = 500_000  # of a text, whichever pieces it is cut into: a second or two; real files have a tenth
MAX_NODES = 300_000  # of a file of YAML, which several readers look at


class BeyondLimitsError(Exception):
    """A text has more of something than a reader takes. The search then says that this file is not understood."""
