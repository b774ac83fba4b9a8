"""The commands of `az acr scope policy`: each reads its input, calls the rooms of `policy`, and returns plain data.

This file is imported for help texts, so the rooms that load SDKs are imported inside the functions.
"""

from typing import Any


def assign(cmd: Any) -> Any:
    """Assign one of the two built-in definitions."""


def unassign(cmd: Any) -> Any:
    """Remove an assignment that `assign` made."""
