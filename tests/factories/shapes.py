"""JSON of any shape, for tests of what reads JSON of others.

A value is made of one random seed that Hypothesis draws. It could draw each leaf of a value itself, and make the value
that fails smaller, but that takes fifty times longer, and a value that fails is small enough to read.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

Leaf = Callable[[Random], Any]
_DEPTH = 4  # of lists and objects in each other
_MOST = 5  # members of an object; a list has at most as many items


def json_values(leaf: Leaf, keys: Sequence[str]) -> st.SearchStrategy[Any]:
    """Draw values of which about a half are lists or objects.

    :param leaf: makes what is neither a list nor an object.
    :param keys: the names that members of objects have.
    """
    return _seeds().map(lambda seed: _value(Random(seed), leaf, keys, _DEPTH))


def json_objects(leaf: Leaf, keys: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw objects whose members are values as `json_values` has them."""
    return _seeds().map(lambda seed: _object(Random(seed), leaf, keys, _DEPTH))


def _seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 2**64 - 1)


def _value(random: Random, leaf: Leaf, keys: Sequence[str], depth: int) -> Any:
    kind = random.randrange(6) if depth else 0
    if kind < 3:
        return leaf(random)
    if kind == 3:
        return [_value(random, leaf, keys, depth - 1) for _ in range(random.randrange(_MOST))]
    return _object(random, leaf, keys, depth - 1)


def _object(random: Random, leaf: Leaf, keys: Sequence[str], depth: int) -> dict[str, Any]:
    return {random.choice(keys): _value(random, leaf, keys, depth) for _ in range(random.randrange(_MOST + 1))}
