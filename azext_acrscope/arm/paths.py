"""Make paths of Azure Resource Manager: the one place where text becomes part of one.

The HTTP library folds `..` and cuts a path at `?` and `#`, so that a name from outside could turn a request for one
group into one for the whole subscription. Therefore nothing is a segment of a path unless it is a valid name of its
kind, and every segment is percent-encoded when it is sent (`encoded`).
"""

import re
from typing import Any
from urllib.parse import quote

from azure.cli.core.azclierror import InvalidArgumentValueError

from azext_acrscope.arm import errors
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.resource_ids import is_arm_name, parse_resource_id, split_segments

# What a segment before a name says of the name, in IDs that others wrote.
_KIND_AFTER = {
    "subscriptions": "subscription",
    "resourcegroups": "group",
    "managementgroups": "management_group",
    "registries": "registry",
}
_REFUSALS = {
    "subscription": errors.bad_subscription,
    "group": errors.bad_group,
    "management_group": errors.bad_management_group,
    "registry": base_errors.bad_registry_name,
}
_SEGMENT = re.compile(r"[\w !$&'()*+,;=:@~.-]+")  # of any other kind; policies are named more freely
_POLICY_SEGMENT = re.compile(r"[\w !#$&'()*+,;=:@~.-]+")


class ArmPath(str):
    """A resource ID or the path of a request whose segments were checked. Only this file makes one."""

    __slots__ = ()


def check_arm_name(kind: str, text: str) -> str:
    """Return a name of a kind as it is.

    :raises InvalidArgumentValueError: it cannot be one.
    """
    if not is_arm_name(kind, text):
        raise _REFUSALS.get(kind, errors.bad_name)(text)
    return text


def arm_path(template: str, **names: str) -> ArmPath:
    """Return the path that a template and names make, such as ``arm_path("/subscriptions/{subscription}", …)``.

    :param template: text of this project with a placeholder for each name, called by the name's kind; ``{scope}`` and
        ``{resource}`` stand for an `ArmPath`.
    :raises InvalidArgumentValueError: a name is no valid name of its kind.
    :raises TypeError: a scope was not checked.
    """
    for kind, name in names.items():
        if kind in ("scope", "resource"):
            if not isinstance(name, ArmPath):
                raise TypeError(f"{kind} is no ArmPath")
        else:
            check_arm_name(kind, name)
    return ArmPath(template.format(**names))


def check_resource_id(text: Any, resource_type: str = "") -> ArmPath:
    """Return a resource ID that somebody else wrote (an answer, a file, a user) as a path.

    :param resource_type: the type that it must have, such as ``Microsoft.Web/sites``; empty for any.
    :raises InvalidArgumentValueError: it is no ID, or holds what would make another path of it.
    """
    if not isinstance(text, str) or not text.startswith("/"):
        raise errors.bad_resource_id(text, resource_type)
    segments = split_segments(text)
    before = ["", *(each.lower() for each in segments)]
    for previous, segment in zip(before, segments, strict=False):
        form = _POLICY_SEGMENT if previous.startswith("policy") else _SEGMENT
        if segment in (".", "..") or segment != segment.strip() or not form.fullmatch(segment):
            raise errors.bad_resource_id(text, resource_type)
        if previous in _KIND_AFTER and not is_arm_name(_KIND_AFTER[previous], segment):
            raise errors.bad_resource_id(text, resource_type)
    if resource_type and not parse_resource_id(text).has_type(resource_type):
        raise errors.bad_resource_id(text, resource_type)
    return ArmPath("/" + "/".join(segments))


def is_resource_id(text: Any, resource_type: str = "") -> bool:
    """Return whether `check_resource_id` takes it."""
    try:
        check_resource_id(text, resource_type)
    except InvalidArgumentValueError:
        return False
    return True


def encode_path(path: ArmPath) -> str:
    """Return a path as it is sent: every segment percent-encoded.

    :raises TypeError: it was not made here.
    """
    if not isinstance(path, ArmPath):
        raise TypeError("a path must be made by arm_path or check_resource_id")
    return quote(path, safe="/()!$',;=:@~*", errors="replace")
