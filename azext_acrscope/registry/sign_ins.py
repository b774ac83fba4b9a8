"""Read the other ways into a registry that no list shows: its tokens, connected registries, and what bypasses rules.

Three requests for each registry, or more where a list has pages: the registry in a preview version, which alone has
some of the properties, its tokens and its connected registries. What cannot be read is `unknown`, never none.

ARM shows when passwords and certificates of a token expire, and not what they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.base import clock, threads
from azext_acrscope.base.errors import first_and_number
from azext_acrscope.base.foreign_json import (
    JsonObject,
    UnexpectedShape,
    as_bool,
    as_name,
    as_object,
    as_rows,
    as_text,
    as_texts,
    member_at,
)
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, name_in_id
from azext_acrscope.base.tokens import safe_word
from azext_acrscope.registry import errors, sdk_client
from azext_acrscope.registry.resource import PREVIEW_API_VERSION, UNKNOWN, RegistryResource

_MAX_NAMED = 3  # tokens or connected registries in a sentence
OPEN, CLOSED, NONE = "open", "closed", "none"
ALLOWED, DENIED = "allowed", "denied"
Described = dict[str, Any]

_AUDIT_OR_DENY, _MODIFY = "Audit, Deny", "Modify"
# Azure's built-in definitions, as in Azure/azure-policy at f4a50bac (2026-04-29): name, display name, effects. There is
# none for the other ways in.
_BUILT_IN_POLICIES = {
    "adminUser": (
        (
            "dc921057-6b28-4fbe-9b83-f7bec05db6c2",
            "Container registries should have local admin account disabled.",
            _AUDIT_OR_DENY,
        ),
        (
            "79fdfe03-ffcb-4e55-b4d0-b925b8241759",
            "Configure container registries to disable local admin account.",
            _MODIFY,
        ),
    ),
    "anonymousPull": (
        (
            "9f2dea28-e834-476c-99c5-3507b4728395",
            "Container registries should have anonymous authentication disabled.",
            _AUDIT_OR_DENY,
        ),
        (
            "cced2946-b08a-44fe-9fd9-e4ed8a779897",
            "Configure container registries to disable anonymous authentication.",
            _MODIFY,
        ),
    ),
    "repositoryTokens": (
        (
            "ff05e24e-195c-447e-b322-5e90c9f9f366",
            "Container registries should have repository scoped access token disabled.",
            _AUDIT_OR_DENY,
        ),
        (
            "a9b426fe-8856-4945-8600-18c5dd1cca2a",
            "Configure container registries to disable repository scoped access token.",
            _MODIFY,
        ),
    ),
    "connectedRegistries": (),
    "tasksNetworkBypass": (),
    "writableCacheRepos": (),
}


def built_in_policies() -> dict[str, list[dict[str, str]]]:
    """Return the built-in definitions of Azure Policy that close each way in: ``{name, displayName, effects}``.

    The name is a GUID.
    """
    members = ("name", "displayName", "effects")
    return {way: [dict(zip(members, each, strict=True)) for each in found] for way, found in _BUILT_IN_POLICIES.items()}


def read_sign_ins(arm: ArmClient, resource: RegistryResource) -> tuple[Described, list[str]]:
    """Return what `--sign-ins` adds to `otherSignIns`, and a sentence for each part that could not be read.

    ``{repositoryTokens{state, items}, connectedRegistries{state, items}, tasksNetworkBypass, networkRuleBypassOptions,
    writableCacheRepos, roleAssignmentMode, closedBy}``. `state` is `open` if something there can sign in, `closed` if
    nothing of it can, `none` or `unknown`; `items` is None if they could not be read. The others are `unknown` or words
    of Azure, and for tasksNetworkBypass `allowed` or `denied`.
    """
    described: Described = {}
    unread: list[str] = []
    found = threads.map_bounded(lambda part: _read_part(part, arm, resource), _PARTS)
    for part, (members, why) in zip(_PARTS, found, strict=True):
        described |= members
        unread += [errors.sign_ins_unread(resource["name"], part.what, why, part.right)] if why else []
    return {**described, "closedBy": built_in_policies()}, unread


@dataclass(frozen=True)
class _Part:
    """A part that is read on its own, what stands for it otherwise, and the right that it needs."""

    what: str
    read: Callable[[ArmClient, RegistryResource], Described]
    otherwise: Described
    right: str


def _read_part(part: _Part, arm: ArmClient, resource: RegistryResource) -> tuple[Described, str]:
    """Return what is read, or what stands for it; and why something could not be read."""
    try:
        found = part.read(arm, resource)
    except ArmError as error:
        return part.otherwise, str(error)
    except AzCLIError as error:
        return part.otherwise, str(error.error_msg)
    except UnexpectedShape as error:
        return part.otherwise, f"the answer has another {error} than documented"
    return found, _find_gaps(found)


def _find_gaps(found: Described) -> str:
    """Return what an answer does not say although it was read; empty if nothing."""
    if missing := [name for name, value in found.items() if value == UNKNOWN]:
        return f"the answer has no {', '.join(missing)}"
    items = [item for value in found.values() if isinstance(value, dict) for item in value["items"]]
    silent = [item["name"] for item in items if item.get("canSignIn", True) is None or item.get("authType") == UNKNOWN]
    return f"the answer does not say how {first_and_number(silent, _MAX_NAMED)} can sign in" if silent else ""


# --- properties of the registry --------------------------------------------------------------------------------------

_WORDS = ("networkRuleBypassOptions", "writableCacheRepos", "roleAssignmentMode")
PROPERTIES = ("tasksNetworkBypass", *_WORDS)


def _read_properties(arm: ArmClient, resource: RegistryResource) -> Described:
    body = sdk_client.read_registry(arm, resource["id"], PREVIEW_API_VERSION).body
    properties = as_object(member_at(body, "properties"))
    allowed = as_bool(properties.get("networkRuleBypassAllowedForTasks"))
    bypass = UNKNOWN if allowed is None else ALLOWED if allowed else DENIED
    return {
        "tasksNetworkBypass": bypass,
        **{name: safe_word(as_text(properties.get(name))) or UNKNOWN for name in _WORDS},
    }


# --- tokens ----------------------------------------------------------------------------------------------------------


def _read_tokens(arm: ArmClient, resource: RegistryResource) -> Described:
    found = sdk_client.list_children(arm, resource["id"], "tokens")
    items = sorted(map(describe_token, found), key=lambda item: item["name"])
    states = {True: OPEN, False: CLOSED, None: UNKNOWN}
    state = states[_any_of([item["canSignIn"] for item in items])] if items else NONE
    return {"repositoryTokens": {"state": state, "items": items}}


def describe_token(token: JsonObject) -> Described:
    """Return ``{name, status, canSignIn, scopeMap, passwords[{name, expiry}], certificates[{name, expiry}]}``.

    It can sign in if it is not disabled and has a password or a certificate that is still valid; None if that is not
    known. An expiry of None means never.

    :raises UnexpectedShape: something in it is not as documented.
    """
    properties = as_object(member_at(token, "properties"))
    status = as_text(properties.get("status")).lower()
    credentials = member_at(properties, "credentials")
    kinds = {
        kind: [_describe_credential(each) for each in as_rows(member_at(credentials, kind))]
        for kind in ("passwords", "certificates")
    }
    valid = None if credentials is None else _any_of([_is_valid(one["expiry"]) for one in chain(*kinds.values())])
    return {
        "name": _name_of(token),
        "status": safe_word(status) or UNKNOWN,
        "canSignIn": False if status == "disabled" else valid,
        "scopeMap": name_in_id(as_text(properties.get("scopeMapId"))),
        **kinds,
    }


def _name_of(child: JsonObject) -> str:
    name = as_name(child.get("name"))
    if name_in_id(as_name(child.get("id"))).lower() != name.lower():
        raise UnexpectedShape("name")
    return name


def _describe_credential(credential: JsonObject) -> Described:
    return {"name": as_text(credential.get("name")), "expiry": as_text(credential.get("expiry")) or None}


def _is_valid(expiry: str | None) -> bool | None:
    if expiry is None:
        return True
    moment = clock.parse_moment(expiry)
    return None if moment is None else moment > datetime.now(timezone.utc)


def _any_of(values: list[bool | None]) -> bool | None:
    """Return whether one of them is true; None if one may be."""
    return True if True in values else None if None in values else False


# --- connected registries --------------------------------------------------------------------------------------------


def _read_connected_registries(arm: ArmClient, resource: RegistryResource) -> Described:
    found = sdk_client.list_children(arm, resource["id"], "connected_registries", PREVIEW_API_VERSION)
    items = sorted(map(describe_connected_registry, found), key=lambda item: item["name"])
    return {"connectedRegistries": {"state": OPEN if items else NONE, "items": items}}


def describe_connected_registry(connected: JsonObject) -> Described:
    """Return ``{name, mode, connectionState, authType, token, identities[], clientTokens[]}``.

    `authType` is `SyncToken`, `ManagedIdentity` or `unknown`; `token` the name of the token that it syncs with, and
    `identities` the resource IDs of its identities.

    :raises UnexpectedShape: something in it is not as documented.
    """
    properties = as_object(member_at(connected, "properties"))
    sync = member_at(properties, "parent", "syncProperties")
    token = as_text(member_at(sync, "tokenId"))
    how = as_text(member_at(sync, "authType")) or ("SyncToken" if token else "")
    return {
        "name": _name_of(connected),
        "mode": safe_word(as_name(properties.get("mode"))),
        "connectionState": safe_word(as_text(properties.get("connectionState"))) or UNKNOWN,
        "authType": safe_word(how) or UNKNOWN,
        "token": name_in_id(token),
        "identities": sorted(as_object(member_at(connected, "identity", "userAssignedIdentities"))),
        "clientTokens": [name_in_id(each) for each in as_texts(properties.get("clientTokenIds"))],
    }


_UNREAD_LIST = {"state": UNKNOWN, "items": None}
_PARTS = (
    _Part(
        "network rules, writable cache and role assignment mode",
        _read_properties,
        dict.fromkeys(PROPERTIES, UNKNOWN),
        f"{REGISTRY_TYPE}/read",
    ),
    _Part("repository tokens", _read_tokens, {"repositoryTokens": _UNREAD_LIST}, f"{REGISTRY_TYPE}/tokens/read"),
    _Part(
        "connected registries",
        _read_connected_registries,
        {"connectedRegistries": _UNREAD_LIST},
        f"{REGISTRY_TYPE}/connectedRegistries/read",
    ),
)
