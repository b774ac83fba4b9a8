"""Read, list and write registries through the management SDK.

The SDK makes each request, and `ArmClient` sends it like every other: signed in, with limits on waiting and safe logs,
and to ARM's own host only. The answer is taken as it came, before the SDK makes a model of it: the models differ
between the SDKs of the supported CLIs and cannot be made of an odd answer. The SDK also raises on a 202, although the
write was accepted, and on a page whose `value` is null. So the SDK is loaded without its models.

Every function raises `ArmError` if ARM refuses, and AzCLIError if there is no answer or no sign-in.
"""

import json
from typing import Any

from azext_acrscope._client_factory import REGISTRY_API_VERSION, cf_container_registry
from azext_acrscope.arm import errors
from azext_acrscope.arm.client import ArmClient, Reply
from azext_acrscope.arm.paths import check_arm_name, check_resource_id
from azext_acrscope.base.late_modules import late_modules
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, parse_resource_id


def read_registry(arm: ArmClient, registry_id: str, api_version: str = REGISTRY_API_VERSION) -> Reply:
    """Return ARM's answer for the registry with this ID; its body is the JSON as it came.

    :raises InvalidArgumentValueError: it is not the ID of a registry.
    """
    subscription, group, name = _check_names(registry_id)
    return _run(operations(arm, subscription, "registries").get, group, name, api_version=api_version)


def list_registries(arm: ArmClient, subscription_id: str, group: str | None = None) -> list[dict[str, Any]]:
    """Return the registries of a subscription or of one resource group: JSON objects, from all pages.

    :raises AzureResponseError: an answer is not a page, or links to another host; the list would have a gap.
    :raises InvalidArgumentValueError: a name cannot be one of its kind.
    """
    made = operations(arm, check_arm_name("subscription", subscription_id), "registries")
    pages = made.list() if group is None else made.list_by_resource_group(check_arm_name("group", group))

    def request_page(link: str | None = None) -> Reply:
        return _run(next, pages.by_page(link))

    return arm.items(request_page(), request_page)


def list_children(
    arm: ArmClient, registry_id: str, kind: str, api_version: str = REGISTRY_API_VERSION
) -> list[dict[str, Any]]:
    """Return the resources of a kind below a registry: JSON objects, from all pages.

    :param kind: as the SDK calls it: `tokens` or `connected_registries`.
    :raises AzureResponseError: an answer is not a page, or links to another host; the list would have a gap.
    :raises InvalidArgumentValueError: it is not the ID of a registry.
    """
    subscription, group, name = _check_names(registry_id)
    pages = operations(arm, subscription, kind).list(group, name, api_version=api_version)
    # ARM's own link to the next page has the version; the SDK of Azure CLI 2.75 would put its default there.
    return arm.items(_run(next, pages.by_page()), arm.follow)


def write_status(arm: ArmClient, registry_id: str, status: str) -> Reply:
    """Write the status of a registry and nothing else, and return ARM's answer without waiting.

    ARM merges the one member that is sent: every other policy keeps its value and its dates (recorded). It answers 200
    when it is done, else 201 or 202 with the header Azure-AsyncOperation.

    :raises InvalidArgumentValueError: it is not the ID of a registry.
    """
    subscription, group, name = _check_names(registry_id)
    body = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": status}}}}
    # As bytes, because an SDK sends only the members of an object that its model knows. Without the SDK's polling,
    # which looks every 30 seconds, fails if the account may not look, and asks any host that it is told to ask.
    update = operations(arm, subscription, "registries").begin_update
    return _run(update, group, name, json.dumps(body).encode(), polling=False)


def operations(arm: ArmClient, subscription_id: str, kind: str) -> Any:
    """Return the SDK's operations on the resources of a kind in a subscription; the first call loads the SDK.

    Threads may share the result.
    """
    made = arm.sdk_clients.get((subscription_id, kind))
    if made is None:
        with late_modules("azure.mgmt.containerregistry", "models", "types"):  # half of what it takes to load
            client = cf_container_registry(arm.cli_ctx, subscription_id, arm.credential, [_Sender(arm)])
        made = arm.sdk_clients[subscription_id, kind] = getattr(client, kind)
    return made


class _Sender:  # pylint: disable=too-few-public-methods  # azure-core's interface
    """Send a request of the SDK through an `ArmClient`, and end the SDK's operation with the answer.

    It is the whole pipeline of the SDK's client: a policy of azure-core, whose base class would cost its import
    wherever this room is used for a constant.
    """

    next: Any = None  # azure-core puts the transport here, which is never used

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    def send(self, request: Any) -> Any:
        made = request.http_request
        # The SDKs 15.x leave this keyword to the pipeline; 14.x has put it into the URL.
        version = request.context.options.get("api_version", REGISTRY_API_VERSION)
        url = made.url.replace(f"api-version={REGISTRY_API_VERSION}", f"api-version={version}")
        body = json.loads(made.content) if made.content else None
        raise _Answered(self._arm.follow(url, made.method, body))


class _Answered(Exception):  # noqa: N818  (not an error)
    """Ends an operation of the SDK as soon as ARM has answered."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _run(operation: Any, *arguments: Any, **options: Any) -> Reply:
    """Run an operation of the SDK that sends one request, and return the answer."""
    try:
        operation(*arguments, **options)
    except _Answered as answered:
        return answered.reply
    raise AssertionError("the SDK sent no request")


def _check_names(registry_id: str) -> tuple[str, str, str]:
    """Return the subscription, the resource group and the name in an ID: the SDK would send `..` as it is."""
    parts = parse_resource_id(check_resource_id(registry_id, REGISTRY_TYPE))
    if not parts.is_in_group(REGISTRY_TYPE):
        raise errors.bad_resource_id(registry_id, REGISTRY_TYPE)
    return (
        check_arm_name("subscription", parts.subscription),
        check_arm_name("group", parts.resource_group),
        check_arm_name("registry", parts.name),
    )
