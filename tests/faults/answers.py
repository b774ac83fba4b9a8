"""Wrong answers: what a proxy, a service on a bad day or an enemy sends in place of the right one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.localcloud import Answer

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class WrongAnswer:
    """One way to answer wrongly.

    :ivar options: for `Faults.add`.
    :ivar lasting: whether each repeat is answered so, too; else the first alone is.
    :ivar harmless: nothing is missing in it, so that a command may go on as if nothing were.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    lasting: bool = False
    harmless: bool = False

    def alters(self, body: bytes) -> bool:
        """Whether it is another answer than the right one with this body."""
        change = self.options.get("change")
        if change is None:
            return True
        try:
            return bool(json.loads(change(Answer(200, body)).body) != json.loads(body))
        except ValueError:  # the right answer is no JSON, and stays as it is
            return False


def _whole(
    name: str,
    body: bytes | str,
    status: int = 200,
    lasting: bool = False,
    headers: dict[str, str] | None = None,
) -> WrongAnswer:
    return WrongAnswer(name, {"status": status, "body": body, "headers": headers or {}}, lasting)


_HTML = "<html><body>Sign in to the network \x1b[31mhere</body></html>"
_CONTROL_ERROR = json.dumps({"error": {"code": "Odd\x1b[2J", "message": "Go\u202eaway\r\n\x1b[0m\x07 \ud800"}})
_WHOLE = [
    _whole("html", _HTML, headers={"Content-Type": "text/html"}),
    _whole("empty", ""),
    _whole("object", "{}"),
    _whole("list", "[]"),
    _whole("null", "null"),
    _whole("number", "5"),
    _whole("text", '"text"'),
    _whole("NaN", "NaN"),
    _whole("no utf-8", b'{"value": ["\xff\xfe"]}'),
    _whole("lone surrogate", '{"value": "\\ud800", "\\udfff": 1}'),
    _whole("deep", "[" * 3000 + "]" * 3000),
    _whole("value null", '{"value": null}'),
    _whole("value of numbers", '{"value": [5, null]}'),
    _whole("value of nothing", '{"value": [{}]}'),
    _whole("link is a number", '{"value": [], "nextLink": 5}'),
    _whole("link elsewhere", '{"value": [], "nextLink": "https://example.com/"}'),
    _whole("rows counted, none there", '{"data": [], "count": 3, "totalRecords": 3, "resultTruncated": "false"}'),
    _whole("rows of nothing", '{"data": [{}, null], "count": 2, "totalRecords": 2, "resultTruncated": "false"}'),
    _whole("token is a number", '{"data": [], "count": 0, "totalRecords": 0, "$skipToken": 5}'),
    _whole("tables empty", '{"tables": []}'),
    _whole("accepted", "", 202),
    _whole("no content", "", 204),
    _whole("400 of nothing", "", 400),
    _whole("400 html", _HTML, 400),
    _whole("400 error is text", '{"error": "text"}', 400),
    _whole("400 error of numbers", '{"error": {"code": 5, "message": [], "details": 5}}', 400),
    _whole("400 with control characters", _CONTROL_ERROR, 400),
    _whole("401 html", _HTML, 401),
    _whole("401 challenge", "", 401, headers={"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="ab%c"'}),
    _whole("403 with control characters", _CONTROL_ERROR, 403),
    _whole("404 of nothing", "{}", 404),
    _whole("409 of nothing", "{}", 409),
    _whole("413 html", _HTML, 413),
    _whole("redirect", "", 302, headers={"Location": "https://example.com/"}),
    _whole("429 soon", "{}", 429, True, headers={"Retry-After": "soon"}),
    _whole("429 of a date", "{}", 429, True, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
    _whole("429 of a late date", "{}", 429, True, headers={"Retry-After": "Fri, 31 Dec 99999 23:59:59 GMT"}),
    _whole("429 of many digits", "{}", 429, True, headers={"Retry-After": "9" * 5000}),
    _whole("429 below zero", "{}", 429, True, headers={"Retry-After": "-5"}),
    _whole("429 for ever", "{}", 429, True, headers={"Retry-After": "99999999999"}),
    _whole("500 html", _HTML, 500, True),
    _whole("503 with control characters", _CONTROL_ERROR, 503, True),
    WrongAnswer("cut short", {"truncate": True}, lasting=True),
    WrongAnswer("cut short once", {"truncate": True}),
    WrongAnswer("bad chunk", {"bad_chunk": True}, lasting=True),
    WrongAnswer("bad chunk once", {"bad_chunk": True}),
    WrongAnswer("reset", {"reset": True}, lasting=True),
    WrongAnswer("reset after it", {"reset": "after"}, lasting=True),
]


# --- another answer made of the right one ----------------------------------------------------------------------------


def _json_change(change: Change) -> dict[str, Any]:
    def apply(answer: Answer) -> Answer:
        try:
            value = json.loads(answer.body)
        except ValueError:
            return answer
        return Answer(answer.status, json.dumps(change(value)).encode(), answer.headers)

    return {"change": apply}


def _items(value: Any) -> list[Any]:
    """The rows or items of an answer; of any other it is the only one."""
    found = next((value[name] for name in ("value", "data") if isinstance(value.get(name), list)), [value])
    return [each for each in found if isinstance(each, dict)]


def _set(name: str, to: Any) -> Change:
    def change(value: Any) -> Any:
        for item in _items(value) if isinstance(value, dict) else []:
            if name in item:
                item[name] = to
        return value

    return change


def _drop(name: str) -> Change:
    def change(value: Any) -> Any:
        for item in _items(value) if isinstance(value, dict) else []:
            item.pop(name, None)
        return value

    return change


def _leaves(kind: type, to: Any) -> Change:
    """Replace every value of a type below the items."""

    def replace(value: Any) -> Any:
        if isinstance(value, kind) and not isinstance(value, bool):
            return to
        if isinstance(value, dict):
            return {key: replace(each) for key, each in value.items()}
        return [replace(each) for each in value] if isinstance(value, list) else value

    def change(value: Any) -> Any:
        for item in _items(value) if isinstance(value, dict) else []:
            for key in item:
                item[key] = replace(item[key])
        return value

    return change


def _append(name: str, text: str) -> Change:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v + text if k == name and isinstance(v, str) else walk(v) for k, v in value.items()}
        return [walk(each) for each in value] if isinstance(value, list) else value

    return walk


def _lose(rows: int) -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("data"), list):
            value["data"] = value["data"][:-rows] if rows else []
        return value

    return change


_ODD_TEXT = "\x1b[31m\u202e\ud800"
_ODD: list[Any] = [None, 5, [], {}, [5], "text"]
_ODD_LISTS: list[Any] = [5, "text", {}]  # null is how ARM says that a list is empty
_ODD_OBJECTS: list[Any] = [None, 5, "text", []]
_CHANGES: list[tuple[str, Change]] = [
    *((f"{name} is {odd}", _set(name, odd)) for name in ("id", "type") for odd in _ODD),
    *((f"name is {odd}", _set("name", odd)) for odd in _ODD[:5]),
    *((f"no {name}", _drop(name)) for name in ("id", "name", "type", "properties", "subscriptionId", "status")),
    *((f"{name} is {odd}", _set(name, odd)) for name in ("properties", "status", "location") for odd in _ODD[:5]),
    *(
        (f"{name} is {odd}", _set(name, odd))
        for name in ("tags", "identity", "loginServer", "chain")
        for odd in (5, [5])
    ),
    *((f"texts are {odd}", _leaves(str, odd)) for odd in _ODD[:4]),
    *((f"lists are {odd}", _leaves(list, odd)) for odd in _ODD_LISTS),
    *((f"objects are {odd}", _leaves(dict, odd)) for odd in _ODD_OBJECTS),
    ("a row less than counted", _lose(1)),
    ("no row of those counted", _lose(0)),
]
_HARMLESS: list[tuple[str, Change]] = [
    ("name is text", _set("name", "text")),  # a subscription may have any name
    *(
        (f"odd letters in {name}", _append(name, _ODD_TEXT))
        for name in ("displayName", "message", "description", "name")
    ),
]
WRONG_ANSWERS = [
    *_WHOLE,
    *(WrongAnswer(name, _json_change(change)) for name, change in _CHANGES),
    *(WrongAnswer(name, _json_change(change), harmless=True) for name, change in _HARMLESS),
]
