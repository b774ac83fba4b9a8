"""The registry resource: reading its status, and writing it when ARM behaves as it was seen or documented to."""

from typing import Any

from azext_acrscope.registry import resource as registry_resource

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
