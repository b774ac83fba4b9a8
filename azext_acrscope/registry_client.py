"""The registry resource through the management SDK: read one, list many, write the one status.

The SDK makes each request and `Arm` sends it, as all others: with its sign-in, limits on waiting, and safe logs, and to
ARM's own host only. The answer is taken as it came, before the SDK makes a model of it. Its models are others in each
version of the CLI; they cannot be made of an odd answer; and the operations behind them raise on a 202, although the
write was taken, and on a page whose `value` is null.
"""

import json
from typing import Any

from azure.core.pipeline.policies import HTTPPolicy

from azext_acrscope._client_factory import API_VERSION, cf_registries
from azext_acrscope.arm import Arm, Reply
from azext_acrscope.arm_paths import checked_id, checked_name

TYPE = "Microsoft.ContainerRegistry/registries"


class Registries:
    """The SDK's operations on registries, over one connection to ARM. Threads may share it.

    Every method raises `ArmError` where ARM refuses, and what `Arm` raises where there is no answer.
    """

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._policies = [_Sender(arm)]
        self._operations: dict[str, Any] = {}

    def get(self, registry_id: str, api_version: str = API_VERSION) -> Reply:
        """Return ARM's answer for the registry with this ID; the body is the JSON as it came.

        :raises InvalidArgumentValueError: it is no ID of a registry.
        """
        subscription, group, name = _names(registry_id)
        return _answer(self.operations(subscription).get, group, name, api_version=api_version)

    def list(self, subscription_id: str, group: str | None = None) -> "list[dict[str, Any]]":
        """Return the registries of a subscription or of one resource group, of all pages, as JSON objects.

        :raises AzureResponseError: an answer is no page, or links to another host; the list would not be whole.
        """
        checked_name("subscription", subscription_id)
        operations = self.operations(subscription_id)
        pages = operations.list() if group is None else operations.list_by_resource_group(checked_name("group", group))

        def page(link: str | None = None) -> Reply:
            return _answer(next, pages.by_page(link))

        return self._arm.items(page(), page)

    def set_status(self, registry_id: str, status: str) -> Reply:
        """Write the status of a registry and nothing else: ARM merges it. Return the answer without waiting.

        ARM answers 200 when it is done, else 201 or 202 with the header Azure-AsyncOperation.
        """
        subscription, group, name = _names(registry_id)
        body = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": status}}}}
        # As bytes, for the SDK sends only those members of an object that its model knows; without its polling, which
        # looks every 30 seconds, fails where the account may not look, and asks whatever host it is told to.
        return _answer(
            self.operations(subscription).begin_update, group, name, json.dumps(body).encode(), polling=False
        )

    def operations(self, subscription_id: str) -> Any:
        """Return the SDK's operations for a subscription: made at the first call, which loads the SDK."""
        made = self._operations.get(subscription_id)
        if made is None:
            arm = self._arm
            made = cf_registries(arm.cli_ctx, subscription_id, arm.credential, self._policies)
            self._operations[subscription_id] = made
        return made


class _Sender(HTTPPolicy):
    """The whole pipeline of the SDK's client: it sends through `Arm`, and ends the operation with the answer."""

    def __init__(self, arm: Arm) -> None:
        super().__init__()
        self._arm = arm

    def send(self, request: Any) -> Any:
        made = request.http_request
        # The SDKs of 15.x send this keyword here instead of into the request, as that of 14.x does.
        version = request.context.options.get("api_version", API_VERSION)
        url = made.url.replace(f"api-version={API_VERSION}", f"api-version={version}")
        raise _Answered(self._arm.follow(url, made.method, json.loads(made.content) if made.content else None))


class _Answered(Exception):  # noqa: N818  (no error)
    """Ends an operation of the SDK as soon as ARM has answered."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _answer(operation: Any, *arguments: Any, **options: Any) -> Reply:
    try:
        operation(*arguments, **options)
    except _Answered as answered:
        return answered.reply
    raise AssertionError("the SDK sent no request")


def _names(registry_id: str) -> tuple[str, str, str]:
    """Return subscription, resource group and name, each checked."""
    from azure.mgmt.core.tools import parse_resource_id

    parts = parse_resource_id(checked_id(registry_id, TYPE))
    return (
        checked_name("subscription", parts.get("subscription", "")),
        checked_name("group", parts.get("resource_group", "")),
        checked_name("registry", parts["name"]),
    )
