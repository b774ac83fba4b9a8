"""How Azure Policy judges a registry: a rule's conditions, and the operations of its modify effect.

learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule: texts are compared without
regard to case; an alias that the resource does not have is missing, and `equals` is then false.
"""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

Body = dict[str, Any]
ALIAS = "Microsoft.ContainerRegistry/registries/"
_PARAMETER = re.compile(r"^\[parameters\('([^']+)'\)\]$", re.IGNORECASE)
_MISSING = object()


class BadRule(ValueError):
    """A rule in a language that is not spoken here."""


def resolve(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A value in which `[parameters('x')]` stands for a parameter's value."""
    if not isinstance(value, str) or not value.startswith("[") or value.startswith("[["):
        return value
    match = _PARAMETER.match(value)
    if match is None:
        raise BadRule(f"the local Azure cannot compute {value!r}")
    return parameters.get(match[1])


def path_of(field: str) -> list[str]:
    """Where in a registry's body a field or an alias is."""
    if field.lower().startswith(ALIAS.lower()):
        parts = field[len(ALIAS) :].split(".")
        return parts if parts[0].lower() in ("sku", "identity") else ["properties", *parts]
    if field.lower().startswith("tags"):
        name = field[4:].strip(".[]'")
        return ["tags", name] if name else ["tags"]
    if field.lower() in ("type", "name", "location", "id", "kind"):
        return [field.lower()]
    raise BadRule(f"the local Azure does not know the field {field!r}")


def _find(body: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(body, dict):
            return _MISSING
        key = next((one for one in body if one.lower() == name.lower()), None)
        if key is None or body[key] is None:
            return _MISSING
        body = body[key]
    return body


def _text(value: Any) -> str:
    return str(value).lower()


def _glob(value: Any, pattern: Any) -> bool:
    return fnmatch.fnmatchcase(_text(value), _text(pattern))


def _is_true(value: Any) -> bool:
    return _text(value) == "true"


_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "equals": ("Equals", lambda value, wanted: value is not _MISSING and _text(value) == _text(wanted)),
    "notequals": ("NotEquals", lambda value, wanted: value is _MISSING or _text(value) != _text(wanted)),
    "exists": ("Exists", lambda value, wanted: (value is not _MISSING) == _is_true(wanted)),
    "in": ("In", lambda value, wanted: value is not _MISSING and _text(value) in map(_text, wanted)),
    "notin": ("NotIn", lambda value, wanted: value is _MISSING or _text(value) not in map(_text, wanted)),
    "like": ("Like", lambda value, wanted: value is not _MISSING and _glob(value, wanted)),
    "notlike": ("NotLike", lambda value, wanted: value is _MISSING or not _glob(value, wanted)),
}


def met(condition: Body, body: Body, parameters: Mapping[str, Any], trail: list[Body] | None = None) -> bool:
    """Whether a registry meets the `if` of a rule.

    trail: gets what was looked at, in the form of evaluationDetails (found in public logs of refusals).
    """
    names = {name.lower(): name for name in condition}
    if "allof" in names:
        return all(met(one, body, parameters, trail) for one in condition[names["allof"]])
    if "anyof" in names:
        return any(met(one, body, parameters, trail) for one in condition[names["anyof"]])
    if "not" in names:
        return not met(condition[names["not"]], body, parameters, trail)
    operator = next((name for name in names if name in _OPERATORS), None)
    if "field" not in names or operator is None:
        raise BadRule(f"the local Azure does not know the condition {condition!r}")
    field = str(resolve(condition[names["field"]], parameters))
    path = path_of(field)
    value = _find(body, path)
    wanted = resolve(condition[names[operator]], parameters)
    word, holds = _OPERATORS[operator]
    result = holds(value, wanted)
    if trail is not None:
        seen = {} if value is _MISSING else {"expressionValue": value}
        target = _text(wanted) if isinstance(wanted, bool) else wanted
        trail.append(
            {
                "result": str(result),
                "expressionKind": "Field",
                "expression": field,
                "path": ".".join(path),
                **seen,
                "targetValue": target,
                "operator": word,
            }
        )
    return result


def modified(body: Body, operations: list[Body], parameters: Mapping[str, Any]) -> Body:
    """A copy of a body after the operations of a modify effect."""
    result = copy.deepcopy(body)
    for operation in operations:
        *path, last = path_of(str(resolve(operation["field"], parameters)))
        parent = result
        for name in path:
            parent = parent.setdefault(name, {})
        kind = operation["operation"].lower()
        if kind == "remove":
            parent.pop(last, None)
        elif kind == "addorreplace" or last not in parent:
            parent[last] = resolve(operation["value"], parameters)
    return result
