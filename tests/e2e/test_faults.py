"""Some of the wrong answers of `tests/faults`; `make faults` gives all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cases import Bench, all_cases, bench

_CASES, _PARTS = 300, 2  # in all, in so many tests: each has its own limit of time
_MUST = ("list", "enforce quick")  # the gate and the write: of these at least one case in four


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, extensions: Path) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("faults"), extensions) as made:
        yield made


@pytest.mark.parametrize("part", range(_PARTS))
def test_wrong_answers_end_in_no_traceback_no_open_gate_and_no_untrue_status(faults: Bench, part: int) -> None:
    assert [name for name, right in faults.right.items() if right.code > 1] == []
    cases = all_cases(faults.places)
    first = [each for each in cases if each[0].command in _MUST][: _CASES // 4]
    chosen = [*first, *cases[: _CASES - len(first)]][part::_PARTS]
    problems = []
    for place, wrong in chosen:
        found = faults.run(place, wrong)
        said = ["the request was not made"] if found is None else found
        problems += [f"{place} answered with {wrong.name!r}: {problem}" for problem in said]
    assert problems == []
