"""Foreign JSON of any shape: absent for the functions that find, one kind of error for the others."""

from typing import Any

import pytest

from azext_acrscope.base import foreign_json
from azext_acrscope.base.foreign_json import UnexpectedShape

ODD = [None, 0, 1.5, True, "", "text", [], ["text"], [None], {}, {"a": None}, {"a": "text"}, {"a": ["text", 1, {}]}]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("path", [(), ("a",), ("a", "b")])
def test_what_is_found_has_its_type_whatever_is_there(value: Any, path: tuple[str, ...]) -> None:
    foreign_json.find_value(value, *path)
    assert isinstance(foreign_json.find_object(value, *path), dict)
    assert isinstance(foreign_json.find_list(value, *path), list)
    assert all(isinstance(each, dict) for each in foreign_json.find_objects(value, *path))


def test_what_is_there_is_found() -> None:
    value = {"a": {"b": [{"c": 1}, "text", {"d": 2}]}}
    assert foreign_json.find_value(value, "a", "b") == value["a"]["b"]
    assert foreign_json.find_object(value, "a") == value["a"]
    assert foreign_json.find_list(value, "a", "b") == value["a"]["b"]
    assert foreign_json.find_objects(value, "a", "b") == [{"c": 1}, {"d": 2}]
    assert foreign_json.find_value(value, "A") is None


def test_a_member_is_found_in_any_case_of_letters_and_the_exact_one_first() -> None:
    assert foreign_json.member_at({"Name": {"VALUE": 1}}, "name", "value") == 1
    assert foreign_json.member_at({"NAME": 1, "name": 2}, "name") == 2
    assert foreign_json.member_at({"NAME": 1, "name": None}, "name") == 1
    assert foreign_json.member_at({"name": None}, "name", "value") is None
    with pytest.raises(UnexpectedShape):
        foreign_json.member_at({"name": "text"}, "name", "value")


@pytest.mark.parametrize(
    ("read", "empty", "good", "odd"),
    [
        (foreign_json.as_rows, [], [{"a": 1}], [[1], "text", {}, 0]),
        (foreign_json.as_object, {}, {"a": 1}, [[], "text", 0, False]),
        (foreign_json.as_text, "", "text", [[], {}, 0, False]),
    ],
)
def test_null_is_empty_and_another_type_an_error(read: Any, empty: Any, good: Any, odd: list[Any]) -> None:
    assert read(None) == empty
    assert read(good) == good
    for each in odd:
        with pytest.raises(UnexpectedShape):
            read(each)


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), ("True", True), (" false", False), ("", None), (None, None)]
)
def test_a_boolean_may_be_text(value: Any, expected: bool | None) -> None:
    assert foreign_json.as_bool(value) is expected
    with pytest.raises(UnexpectedShape):
        foreign_json.as_bool(1)


@pytest.mark.parametrize(
    ("value", "number"), [(7, 7), (0, 0), (-1, -1), (True, None), (7.0, None), ("7", None), (None, None)]
)
def test_a_number_is_a_whole_one_and_no_truth_value(value: Any, number: int | None) -> None:
    assert foreign_json.find_number({"a": {"b": value}}, "a", "b") == number
