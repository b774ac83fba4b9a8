"""Read JSON that somebody else wrote, whatever its shape.

The `find_` functions take what has another shape for absent. The others raise `UnexpectedShape`: they are for rows
where what cannot be read must not look like what is not there. None raises anything else.
"""

import json
import re
from typing import Any

JsonObject = dict[str, Any]


# Halves of a UTF-16 pair that stand alone. JSON can hold them, but no output and no file can.
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 200  # of objects and lists in each other; no service nests its answers nearly as deep


class UnexpectedShape(Exception):
    """A value in a shape that is not known."""


def parse_json(content: str | bytes) -> Any:
    """Return what JSON says, None for what is no JSON; its texts can be printed and written anywhere.

    Lone surrogates become U+FFFD. NaN, Infinity and what is nested without an end are no JSON.
    """
    try:
        return _clean_json(json.loads(content, parse_constant=_refuse_constant), _MAX_DEPTH)
    except (ValueError, RecursionError, UnexpectedShape):
        return None


def _refuse_constant(name: str) -> Any:
    raise UnexpectedShape(name)


def _clean_json(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, (dict, list)) and depth == 0:
        raise UnexpectedShape("depth")
    if isinstance(value, list):
        return [_clean_json(each, depth - 1) for each in value]
    if isinstance(value, dict):
        return {_clean_json(key, 0): _clean_json(each, depth - 1) for key, each in value.items()}
    return value


def is_whole_number(value: Any) -> bool:
    """Return whether a value is a whole number; to Python, true and false are some as well."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_filled_text(value: Any) -> bool:
    """Return whether a value is a text with more in it than white space."""
    return isinstance(value, str) and bool(value.strip())


# --- another shape is absent -----------------------------------------------------------------------------------------


def find_value(value: Any, *path: str) -> Any:
    """Return the member at a path; None where there is none, or what it should be in is no object."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def find_object(value: Any, *path: str) -> JsonObject:
    """Return the object at a path, an empty one where there is none."""
    found = find_value(value, *path)
    return found if isinstance(found, dict) else {}


def find_list(value: Any, *path: str) -> list[Any]:
    """Return the list at a path, an empty one where there is none."""
    found = find_value(value, *path)
    return found if isinstance(found, list) else []


def find_objects(value: Any, *path: str) -> list[JsonObject]:
    """Return the objects in the list at a path; none where there is no list."""
    return [each for each in find_list(value, *path) if isinstance(each, dict)]


def find_text(value: Any, *path: str) -> str:
    """Return the text at a path, empty where there is none."""
    found = find_value(value, *path)
    return found if isinstance(found, str) else ""


def find_number(value: Any, *path: str) -> int | None:
    """Return the whole number at a path; None where there is none. True and false are none."""
    found = find_value(value, *path)
    return int(found) if is_whole_number(found) else None


# --- another shape is an error ---------------------------------------------------------------------------------------


def member_at(value: Any, *path: str) -> Any:
    """Return the member at a path, in any case of letters for each step; None where there is none.

    :raises UnexpectedShape: what it should be in is no object.
    """
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise UnexpectedShape(name)
        if value.get(name) is not None:
            value = value[name]
            continue
        value = member_ignoring_case(value, name)
    return value


def member_ignoring_case(value: JsonObject, name: str) -> Any:
    """Return a member in any case of letters, of several the first that is not null."""
    found = (each for key, each in value.items() if isinstance(key, str) and key.lower() == name.lower())
    return next((each for each in found if each is not None), None)


def as_rows(value: Any) -> list[JsonObject]:
    """Return a list of objects; empty for null.

    :raises UnexpectedShape: it is none.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UnexpectedShape("list")
    return value


def as_object(value: Any) -> JsonObject:
    """Return an object; empty for null.

    :raises UnexpectedShape: it is none.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnexpectedShape("object")
    return value


def as_text(value: Any) -> str:
    """Return text without spaces around it; empty for null.

    :raises UnexpectedShape: it is no text.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnexpectedShape("text")
    return value.strip()


def as_name(value: Any) -> str:
    """Return text without spaces around it.

    :raises UnexpectedShape: it is no text, or empty.
    """
    text = as_text(value)
    if not text:
        raise UnexpectedShape("name")
    return text


def as_texts(value: Any) -> list[str]:
    """Return a list of texts; empty for null.

    :raises UnexpectedShape: it is none, or something in it is no text.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnexpectedShape("list")
    return [as_name(each) for each in value]


def as_bool(value: Any) -> bool | None:
    """Return a boolean, also one in text, in which some columns of Resource Graph hold it; None where it is not said.

    :raises UnexpectedShape: it is neither.
    """
    if value is None or isinstance(value, bool):
        return value
    text = as_text(value).lower()
    if text not in ("", "true", "false"):
        raise UnexpectedShape("boolean")
    return {"true": True, "false": False}.get(text)
