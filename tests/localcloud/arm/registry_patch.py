"""What a PATCH of a registry changes: the members it carries, and nothing else.

Recorded: a PATCH with one policy leaves every other policy as it was; one that carries retentionPolicy or
softDeletePolicy rewrites their lastUpdatedTime even when nothing changed. Not recorded: what a null member does (here,
as in the update models of the SDKs, it counts as absent).
"""

from __future__ import annotations

import copy
from typing import Any

from tests.localcloud.arm import api_versions, errors
from tests.localcloud.world.registries import ARM_POLICY, Body, timestamp

_READ_ONLY = {"loginServer", "creationDate", "provisioningState", "status", "privateEndpointConnections"}
_TIMED = ("retentionPolicy", "softDeletePolicy")


def read(content: Any, version: str) -> Body:
    """A checked copy of a request body, without the members the api-version does not know."""
    if not isinstance(content, dict):
        raise errors.bad_content("expected an object")
    patch: Body = copy.deepcopy(content)
    for name in ("properties", "tags", "sku", "identity"):
        _object(patch, name)
    policies = _object(_object(patch, "properties"), "policies")
    if api_versions.hides_arm_policy(version):
        policies.pop(ARM_POLICY, None)
    _check_status(policies)
    return patch


def _object(parent: Body, name: str) -> Body:
    """A member that must be an object if it is there."""
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.bad_content(f"expected an object in {name}")
    return value


def _check_status(policies: Body) -> None:
    """Only the two documented values, in the lower case in which they are always seen on the wire."""
    status = _object(policies, ARM_POLICY).get("status")
    if status not in (None, "enabled", "disabled"):
        raise errors.bad_policy_status(status)


def merged(body: Body, patch: Body, actor: str) -> Body:
    """The registry with the patch applied; neither argument is changed."""
    result: Body = copy.deepcopy(body)
    properties = patch.get("properties") or {}
    _merge(result["properties"], {name: value for name, value in properties.items() if name not in _READ_ONLY})
    for name in _TIMED:
        if name in (properties.get("policies") or {}):
            result["properties"]["policies"].setdefault(name, {})["lastUpdatedTime"] = timestamp()
    if patch.get("tags") is not None:
        result["tags"] = patch["tags"]
    if patch.get("identity") is not None:
        result["identity"] = patch["identity"]
    if (patch.get("sku") or {}).get("name"):
        result["sku"] = {"name": patch["sku"]["name"], "tier": patch["sku"]["name"]}
    result["systemData"]["lastModifiedBy"] = actor
    result["systemData"]["lastModifiedByType"] = "User" if "@" in actor else "Application"
    result["systemData"]["lastModifiedAt"] = timestamp()
    return result


def _merge(target: Body, patch: Body) -> None:
    for name, value in patch.items():
        if value is None:
            continue
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value
