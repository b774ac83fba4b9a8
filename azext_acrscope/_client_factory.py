"""The client of the management SDK for container registries, as the Azure CLI makes clients.

Nothing is imported before a client is asked for: every `az acr` command loads the face of this extension.
"""

from typing import Any

# The first stable version that defines the property; older ones answer without it, which would read as the default.
# Every SDK from Azure CLI 2.75 (14.1.0b1) to the newest (15.1.0b3) takes it; left to themselves, the newer ones ask for
# a preview.
API_VERSION = "2025-04-01"


def cf_registries(cli_ctx: Any, subscription_id: str, credential: Any, policies: list[Any]) -> Any:
    """Return the SDK's operations on the registries of a subscription (`get`, `list`, `begin_update` …).

    Keep the result: the SDK of Azure CLI 2.75 builds a new one for each use of `client.registries`.

    :param credential: who asks; the CLI would look for the subscription among its accounts, which need not have it.
    :param policies: the whole pipeline of the client, instead of the SDK's own. That one follows redirects, registers
        resource providers in the subscription, and repeats requests without a limit on what Retry-After asks for.
    """
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

    client = get_mgmt_service_client(
        cli_ctx,
        ContainerRegistryManagementClient,
        subscription_id=subscription_id,
        api_version=API_VERSION,
        credential=credential,
        policies=policies,
    )
    return client.registries
