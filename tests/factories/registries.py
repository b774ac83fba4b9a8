"""The registry resource: reading its status, and writing it when ARM behaves as it was seen or documented to."""

from typing import Any

from azext_acrscope.arm.client import ArmClient, Reply
from azext_acrscope.registry import resource as registry_resource
from tests.factories.cli import command_context

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def resource(
    status: str | None = "enabled", name: str = "contoso", group: str = "rg", **properties: Any
) -> dict[str, Any]:
    policies = {"retentionPolicy": {"days": 7}, "azureADAuthenticationAsArmPolicy": {"status": status}}
    if status is None:
        policies.pop("azureADAuthenticationAsArmPolicy")
    return {
        "id": registry_resource.build_registry_id(SUBSCRIPTION, group, name),
        "name": name,
        "type": "Microsoft.ContainerRegistry/registries",
        "properties": {"loginServer": f"{name}.azurecr.io", "policies": policies, "provisioningState": "Succeeded"}
        | properties,
    }


class RegistryArm(ArmClient):
    """ARM for the registries of a test, which says what `read` and `write` answer; the SDK makes the requests."""

    endpoint = "https://management.azure.com"
    subscription_id = SUBSCRIPTION
    audience = "https://management.core.windows.net/"
    has_subscription, tenant = True, "tenant-1"

    def __init__(self) -> None:
        self.cli_ctx, self.credential, self.sdk_clients = command_context(), object(), {}

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        path, _, version = url.removeprefix(self.endpoint).partition("?api-version=")
        assert version == "2025-04-01", url
        return self.read(path) if method == "GET" else self.write(path, body)

    def read(self, path: str) -> Reply:
        """Answer a GET."""
        raise AssertionError(f"GET {path}")

    def write(self, path: str, body: Any) -> Reply:
        """Answer a PATCH."""
        raise AssertionError(f"PATCH {path}")
