"""Make the management SDK's client for container registries, as the Azure CLI makes clients.

Nothing is imported before a client is made, because every `az acr` command loads the face of this extension.
"""

from typing import Any

# The first stable version that defines the property; older ones answer without it, which would read as the default.
# The SDKs of all supported CLIs accept it; without it, those of CLI 2.85 and newer ask for a preview version.
REGISTRY_API_VERSION = "2025-04-01"


def cf_container_registry(cli_ctx: Any, subscription_id: str, credential: Any, policies: list[Any]) -> Any:
    """Return the SDK's client for a subscription, with its operations on `registries`, `tokens` and others.

    Keep those: with the SDK of Azure CLI 2.75 the client builds new ones whenever it is asked for them.

    :param credential: of the account that asks. Without it the CLI looks for the subscription among its own, and fails
        for one that it has not listed.
    :param policies: the whole pipeline of the client. The SDK's own follows redirects, registers resource providers in
        the subscription, and waits as long as Retry-After says.
    """
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

    return get_mgmt_service_client(
        cli_ctx,
        ContainerRegistryManagementClient,
        subscription_id=subscription_id,
        api_version=REGISTRY_API_VERSION,
        credential=credential,
        policies=policies,
    )
