"""How much work a reader of code has with a file, counted and not timed."""

import contextlib
import sys
from collections.abc import Callable
from itertools import islice
from typing import Any

from azext_acrscope.consumers.code.limits import BeyondLimitsError


def assert_work_grows_as_size(reader: Any, name: str, make: Callable[[int], str], size: int) -> None:
    """Check that a reader has at most twice the work with `make(2 * size)` that it has with `make(size)`."""
    once, twice = (_count_steps(reader, make(each), name) for each in (size, 2 * size))
    assert twice <= 2.2 * once + 500, (reader.__name__, make(1)[:200], once, twice)


def _count_steps(reader: Any, text: str, name: str) -> int:
    """How many functions are called when a file is read, those of C among them."""
    steps = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with contextlib.suppress(BeyondLimitsError):
            list(islice(reader.read_places(text, name), 1000))
    finally:
        sys.setprofile(before)
    return steps
