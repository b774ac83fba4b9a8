"""Find the registry resource and read it.

Wire format, of the resource type Microsoft.ContainerRegistry/registries::

    {"properties": {"loginServer": "…", "policies": {"azureADAuthenticationAsArmPolicy": {"status": "enabled"}}}}

A missing policy counts as `enabled`: the API's documented default, and how the built-in Azure Policy reads it.
"""

from collections.abc import Callable
from typing import Any

from azext_acrscope.arm import errors as arm_errors
from azext_acrscope.arm import paths
from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.paths import ArmPath, arm_path, check_resource_id
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.foreign_json import (
    UnexpectedShape,
    as_bool,
    as_name,
    as_object,
    as_rows,
    as_text,
    as_texts,
    find_text,
    find_value,
    member_at,
)
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, name_in_id, parse_resource_id
from azext_acrscope.base.tokens import ACR_AUDIENCE, safe_word
from azext_acrscope.registry import errors, sdk_client

UNKNOWN = "unknown"  # what could not be read; never counted as compliant


# What is in preview versions only: regionalEndpointHostNames (Azure CLI 2.86 and newer show it), and much of what
# `sign_ins` reads.
PREVIEW_API_VERSION = "2026-09-01-preview"
RESOURCES_API_VERSION = "2021-04-01"
REGISTRY_READ = f"{REGISTRY_TYPE}/read"

ENABLED, DISABLED = "enabled", "disabled"
RegistryResource = dict[str, Any]


# --- reading -------------------------------------------------------------------------------------------------------


def find_registry(arm: ArmClient, ref: RegistryRef, resource_group: str | None, suffix: str) -> RegistryResource:
    """Return the registry that `ref` names, as ARM returns it.

    One request if the resource group is known. Otherwise two: a search by name over the subscription, which does not
    list the other registries, and the registry itself.

    :raises ResourceNotFoundError: naming the subscription searched.
    :raises InvalidArgumentValueError: several registries have that name (domain name labels allow it).
    """
    if ref.resource_group and resource_group and ref.resource_group.lower() != resource_group.lower():
        raise errors.group_contradicts_id(resource_group, ref.resource_group)
    resource_group = ref.resource_group or resource_group
    if not arm.has_subscription:
        raise errors.no_subscription(arm.tenant)
    ids = (
        [build_registry_id(arm.subscription_id, resource_group, ref.name)]
        if resource_group
        else _search_registry_ids(arm, ref.name)
    )
    if not ids:
        raise errors.registry_not_found(ref.name, arm.subscription_id)
    if not ref.login_server:
        if len(ids) > 1:
            raise errors.ambiguous_name(ref.name, ids)
        return get_registry(arm, ids[0])
    found = [get_registry(arm, registry_id) for registry_id in ids]
    wanted = hosts.global_login_server(ref.login_server, suffix)
    for resource in found:
        if login_server_of(resource) == wanted:
            return resource
    raise errors.login_server_not_found(
        ref.login_server, [login_server_of(resource) for resource in found], arm.subscription_id
    )


def get_registry(arm: ArmClient, registry_id: str) -> RegistryResource:
    """Return the registry with this ID, in one request.

    :raises ResourceNotFoundError, ForbiddenError, UnauthorizedError, AzureResponseError: by ARM's answer.
    """
    where = registry_label(registry_id)
    try:
        return request_registry(arm, registry_id)
    except ArmError as error:
        if error.status == 404:
            raise errors.registry_gone(where, parse_resource_id(registry_id).subscription, error.code) from error
        raise error.as_cli_error(where, REGISTRY_READ) from error


def request_registry(arm: ArmClient, registry_id: str) -> RegistryResource:
    """Return the registry with this ID, with ARM's refusal as an `ArmError` for callers that act on its status."""
    return check_registry(sdk_client.read_registry(arm, registry_id), registry_id)


def list_regional_login_servers(arm: ArmClient, resource: RegistryResource, suffix: str) -> list[str]:
    """Return the regional login servers of a registry, in one more request; empty where they are not switched on.

    :raises AzureResponseError: what ARM names is no regional login server of this registry.
    """
    where = registry_label(resource["id"])
    try:
        body = sdk_client.read_registry(arm, resource["id"], PREVIEW_API_VERSION).body
    except ArmError as error:
        raise error.as_cli_error(where, REGISTRY_READ) from error
    try:
        named = as_texts(find_value(body, "properties", "regionalEndpointHostNames"))
    except UnexpectedShape:
        raise errors.not_a_registry(where, "its regional login servers cannot be read") from None
    found = [hosts.check_login_server(host, suffix) for host in named]
    if any(hosts.global_login_server(host, suffix) != login_server_of(resource) for host in found):
        raise errors.not_a_registry(where, "its regional login servers belong to another registry")
    return found


def _search_registry_ids(arm: ArmClient, name: str) -> list[ArmPath]:
    # The SDK takes as long to load as ARM to answer, so both at the same time; an error shows when the client is used.
    threads.run_in_background(lambda: sdk_client.operations(arm, arm.subscription_id, "registries"))
    try:
        items = arm.pages(
            arm_path("/subscriptions/{subscription}/resources", subscription=arm.subscription_id),
            RESOURCES_API_VERSION,
            **{"$filter": f"resourceType eq '{REGISTRY_TYPE}' and name eq '{name}'"},
        )
    except ArmError as error:
        if error.status == 404:  # a subscription that is not there, or not for this account
            raise errors.registry_not_found(name, arm.subscription_id) from error
        raise error.as_cli_error(f"subscription {arm.subscription_id}", REGISTRY_READ) from error
    if not all(paths.is_resource_id(item.get("id")) for item in items):  # one of them may be the registry
        raise arm_errors.not_a_list(arm.endpoint)
    found = [check_resource_id(item["id"]) for item in items if is_registry_id(item["id"])]
    return [each for each in found if parse_resource_id(each).name.lower() == name.lower()]


def check_registry(reply: Reply, registry_id: str) -> RegistryResource:
    """Return the registry in an answer.

    :raises AzureResponseError: it is another resource, or something of it cannot be read.
    """
    body, where = reply.body, registry_label(registry_id)
    if not isinstance(body, dict):
        raise errors.not_a_registry(where, "it is not a JSON object")
    if find_text(body, "type").lower() != REGISTRY_TYPE.lower() or not isinstance(body.get("properties"), dict):
        raise errors.not_a_registry(where, "it has another type or no properties")
    if find_text(body, "id").lower() != registry_id.lower():
        raise errors.not_a_registry(where, "it is another resource")
    if find_value(body, "properties", "loginServer") in (None, ""):
        raise errors.not_a_registry(where, "it has no login server")
    check_members(body)
    status_of(body)
    return body


_TEXT_PROPERTIES = ("provisioningState", "publicNetworkAccess", "roleAssignmentMode")
# Every member that this project reads, with what reads it; one that is missing has no other type.
_MEMBERS: tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...] = (
    *((("id",), as_name), (("name",), as_name), (("location",), as_name), (("tags",), as_object)),
    (("properties", "policies", "azureADAuthenticationAsArmPolicy", "status"), as_text),
    (("properties", "loginServer"), as_name),
    *((("properties", name), as_text) for name in _TEXT_PROPERTIES),
    *((("properties", name), as_bool) for name in ("adminUserEnabled", "anonymousPullEnabled")),
    (("properties", "privateEndpointConnections"), as_rows),
    (("properties", "encryption", "status"), as_text),
)


def check_members(resource: RegistryResource) -> None:
    """Check that each member of a registry that this project reads has its type, and that its name is that in its ID.

    :raises AzureResponseError: naming the member.
    """
    for path, read in _MEMBERS:
        try:
            read(member_at(resource, *path))
        except UnexpectedShape:
            raise errors.not_a_registry(_label_of(resource), f"its {path[-1]} cannot be read") from None
    if name_in_id(resource["id"]).lower() != resource["name"].lower():
        raise errors.not_a_registry(_label_of(resource), "its name is another one than in its ID")


def unreadable_registry(registry_id: str) -> RegistryResource:
    """Return what stands for a registry of which only the ID can be read: `status_of` refuses it."""
    return {"id": registry_id, "name": name_in_id(registry_id), "properties": {"policies": UNKNOWN}}


def _label_of(resource: RegistryResource) -> str:
    return registry_label(find_text(resource, "id")) if resource.get("id") else "the registry"


def status_of(resource: RegistryResource) -> tuple[str, bool]:
    """Return the status of a registry, and whether that is the default because Azure returned no value.

    :raises AzureResponseError: for a value that is neither `enabled` nor `disabled`.
    """
    value: Any = resource["properties"]
    for member in ("policies", "azureADAuthenticationAsArmPolicy", "status"):
        if value is None:
            break
        if not isinstance(value, dict):
            raise errors.not_a_registry(_label_of(resource), f"its {member} cannot be read")
        value = value.get(member)
    if value is None:
        return ENABLED, True
    if str(value).lower() not in (ENABLED, DISABLED):
        raise errors.not_a_registry(_label_of(resource), f"its status is '{safe_word(value)}'")
    return str(value).lower(), False


def login_server_of(resource: RegistryResource) -> str:
    """Return the login server of a registry in lower case; empty if it has none."""
    return find_text(resource, "properties", "loginServer").lower()


def uses_customer_key(resource: RegistryResource) -> bool:
    """Return whether it is encrypted with a customer-managed key: Azure Policy's remediation cannot change it."""
    return str(find_value(resource, "properties", "encryption", "status")).lower() == ENABLED


def build_registry_id(subscription_id: str, resource_group: str, name: str) -> ArmPath:
    """Return the resource ID of a registry."""
    template = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{REGISTRY_TYPE}/{{registry}}"
    return arm_path(template, subscription=subscription_id, group=resource_group, registry=name)


def is_registry_id(text: Any) -> bool:
    """Return whether this is a registry's resource ID, whose parts may be relied on."""
    return paths.is_resource_id(text) and parse_resource_id(text).is_in_group(REGISTRY_TYPE)


def registry_label(registry_id: str) -> str:
    """Return how an error names a registry: its name and group, found in its ID."""
    parts = parse_resource_id(registry_id)
    return f"Registry '{parts.name}' (resource group '{parts.resource_group}')"


def describe_registry(resource: RegistryResource, arm_audience: str) -> dict[str, Any]:
    """Return what `az acr scope show` prints.

    :param arm_audience: the audience of ARM in the cloud in use, such as ``https://management.core.windows.net/``.
    :return: ``{id, name, resourceGroup, subscriptionId, loginServer, status, statusIsDefault, acceptedAudiences[],
        otherSignIns{adminUser, anonymousPull}}``; the last are ways in that this setting does not touch.
    """
    value, is_default = status_of(resource)
    parts = parse_resource_id(resource["id"])
    properties = resource["properties"]
    return {
        "id": resource["id"],
        "name": resource["name"],
        "resourceGroup": parts.resource_group,
        "subscriptionId": parts.subscription,
        "loginServer": login_server_of(resource),
        "status": value,
        "statusIsDefault": is_default,
        "acceptedAudiences": [ACR_AUDIENCE, arm_audience] if value == ENABLED else [ACR_AUDIENCE],
        "otherSignIns": {
            "adminUser": as_bool(properties.get("adminUserEnabled")) or False,
            "anonymousPull": as_bool(properties.get("anonymousPullEnabled")) or False,
        },
    }
