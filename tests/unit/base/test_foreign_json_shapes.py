"""JSON of any shape: the readers never raise anything but their one error, and what was read can be written."""

import contextlib
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrscope.base import foreign_json
from azext_acrscope.base.foreign_json import UnexpectedShape
from azext_acrscope.fleet.summary import Fleet, fleet_row, requirement_error
from azext_acrscope.policy import effective_rules, shapes
from azext_acrscope.registry.resource import UNKNOWN
from tests.factories.shapes import json_objects, json_values

# Lone surrogates and control characters among the letters, and the names that this project looks for among the keys.
_LETTERS = "aB9 ._-/:\x00\x1b\x7f\x9b\u202e\u2028\ud800\udfff\ufeff\uff0eéİß中\U0001f600\\'\"<&%"
_TEXTS = st.text(st.sampled_from(_LETTERS), max_size=12)
_KEYS = [
    *("id", "name", "properties", "value", "data", "status", "identity", "policies", "effect"),
    *("", "/", "\ud800", "\x1b[31m", "\u202eİß", "中\U0001f600", "\\'\"<&%"),
]


def _leaf(random: Random) -> Any:
    """Nothing, true or false, a number, or a text of up to 12 letters."""
    number = random.choice([0, 1, -1, 0.5, -0.0, 1e308, 2**63, -(2**70), random.randrange(1000)])
    text = "".join(random.choices(_LETTERS, k=random.randrange(13)))
    return random.choice([None, True, False, number, number, text, text, text])


SHAPES = json_values(_leaf, _KEYS)
OBJECTS = json_objects(_leaf, _KEYS)
_READERS = [
    *(foreign_json.as_rows, foreign_json.as_object, foreign_json.as_text, foreign_json.as_name, foreign_json.as_texts),
    *(foreign_json.as_bool, shapes.check_assignment, shapes.check_exemption, shapes.check_initiative),
]
_REGISTRY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso"


@given(SHAPES)
def test_what_is_parsed_can_be_written_in_utf_8(value: Any) -> None:
    parsed = foreign_json.parse_json(json.dumps(value))
    json.dumps(parsed, ensure_ascii=False).encode()


@given(st.binary(max_size=40) | _TEXTS)
def test_what_is_no_json_is_nothing(content: bytes | str) -> None:
    foreign_json.parse_json(content)


@pytest.mark.parametrize("content", ["NaN", "[Infinity]", "[" * 3000 + "]" * 3000, "{", b"\xff", ""])
def test_these_are_no_json(content: bytes | str) -> None:
    assert foreign_json.parse_json(content) is None


@given(SHAPES, st.sampled_from(_READERS))
@settings(max_examples=300)
def test_a_reader_returns_or_says_that_the_shape_is_not_known(value: Any, reader: Any) -> None:
    with contextlib.suppress(UnexpectedShape):
        reader(value)


@given(OBJECTS, OBJECTS)
@settings(max_examples=300)
def test_a_registry_of_any_shape_is_whole_or_its_status_is_unknown_and_the_gate_stays_shut(
    members: dict[str, Any], properties: dict[str, Any]
) -> None:
    fleet = Fleet()
    odd = fleet.add([{**members, "id": _REGISTRY, "properties": properties}, members])
    assert odd == 2
    rows = [fleet_row(each, fleet, "audience") for each in fleet.registries]
    assert [row["status"] for row in rows] == [UNKNOWN]
    assert requirement_error(rows, fleet, "disabled")


@given(st.lists(OBJECTS, max_size=4))
@settings(max_examples=200)
def test_assignments_of_any_shape_are_counted_and_make_no_rule(items: list[dict[str, Any]]) -> None:
    readable, odd = shapes.readable_assignments(items)
    assert len(readable) + odd <= len(items)
    assert [rule for each in readable for rule in effective_rules.rules_of_assignment(each, None)] == []
