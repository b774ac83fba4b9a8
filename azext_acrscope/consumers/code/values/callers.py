"""Know what a caller gives the workflow, action or template that is being read."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Names as they are in texts (`inputs.acr`), and what the caller says, which may be nothing: it is not the default then.
Given = tuple[tuple[str, str], ...]

_given: ContextVar[Given] = ContextVar("given", default=())


@contextmanager
def called_with(given: Given) -> Iterator[None]:
    """Let what is read meanwhile be called with these values."""
    token = _given.set(given)
    try:
        yield
    finally:
        _given.reset(token)


def given_by_caller() -> Given:
    """Return what the caller gives; nothing for a file that is read by itself."""
    return _given.get()
