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
        "location": "westeurope",
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


OPERATION = "https://management.azure.com/operationStatuses/registries-1?api-version=2025-04-01"


class ScriptedArm(RegistryArm):
    """Answers from scripts: a list of replies for each kind of request, the last one repeated."""

    def __init__(
        self, gets: list[Any], patch: Any = None, polls: list[Any] | None = None, found: list[Any] | None = None
    ):
        super().__init__()
        self.gets, self.patch_reply, self.polls, self.found = gets, patch, polls or [], found or []
        self.patches: list[Any] = []
        self.requests: list[str] = []

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        path, _, version = url.removeprefix(self.endpoint).partition("?api-version=")
        if url == OPERATION:
            self.requests.append(f"POLL {url}")
            return self._next_of(self.polls)
        if path.endswith("/resources"):
            self.requests.append(f"GET {path} {query.get('$filter')}")
            return Reply(200, {}, {"value": self.found})
        self.requests.append(f"{method} {path} {version}")
        if method == "PATCH":
            self.patches.append(body)
            return self._answer(self.patch_reply)
        return self._next_of(self.gets)

    def _next_of(self, scripted: list[Any]) -> Reply:
        return self._answer(scripted.pop(0) if len(scripted) > 1 else scripted[0])

    @staticmethod
    def _answer(scripted: Any) -> Reply:
        if isinstance(scripted, Exception):
            raise scripted
        return scripted if isinstance(scripted, Reply) else Reply(200, {}, scripted)
