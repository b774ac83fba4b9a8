"""Bound what one file may cost, and know which files were read only in part.

Files of a few MiB can be made so that each letter is work. And some files cannot be read to their end, as YAML with an
error. Whatever is not read of a file that a reader looks at is told with `note_cut`, so that it cannot pass for clean.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

MAX_TOKENS = 500_000  # of a text, whichever pieces it is cut into: a second or two; real files have a tenth
MAX_NODES = 300_000  # of a file of YAML, which several readers look at
MAX_IN_RUNS = 1_000_000  # texts of a search in runs, turns and branches: ten seconds or two; real trees have a tenth


# Why a file was read only in part, where several readers say the same.
TOO_MUCH = "it holds too much, or too much within each other"
NO_END = "a quote, a comment or a bracket without its end"
NO_BEGIN = "a bracket that closes another one, or none"


class Cut(NamedTuple):
    """Why a file was read only in part, and the line from which on, if one is known."""

    why: str
    line: int | None = None


class BeyondLimitsError(Exception):
    """A text has more of something than a reader takes, which ends the reader."""


_left_for_runs: ContextVar[list[int] | None] = ContextVar("left_for_runs", default=None)
_cuts: ContextVar[list[Cut] | None] = ContextVar("cuts", default=None)


@contextmanager
def bounded_runs() -> Iterator[None]:
    """Keep within bounds what all files that are read meanwhile take because what is in them is there in many runs."""
    token = _left_for_runs.set([MAX_IN_RUNS])
    try:
        yield
    finally:
        _left_for_runs.reset(token)


def spend_on_runs(number: int) -> None:
    """Count texts that are filled in for a run.

    :raises BeyondLimitsError: it is too much for one search.
    """
    left = _left_for_runs.get()
    if left is not None:
        left[0] -= number
        if left[0] < 0:
            raise BeyondLimitsError


@contextmanager
def watch_cuts() -> Iterator[list[Cut]]:
    """Return the list to which the first cut is added of what is read meanwhile."""
    cuts: list[Cut] = []
    token = _cuts.set(cuts)
    try:
        yield cuts
    finally:
        _cuts.reset(token)


def note_cut(why: str, line: int | None = None) -> None:
    """Tell that something of the file that is being read stays unread.

    :param why: for people, behind the name of the file; nothing of the file's text.
    """
    cuts = _cuts.get()
    if cuts is not None and not cuts:  # the first says enough, and there may be one for each line
        cuts.append(Cut(why, line))
