"""First hop: Entra ID gives the account of the CLI, or another identity, a token for the registry audience.

The audience is ``https://containerregistry.azure.net`` in every cloud (azure-cli, the SDKs and the AKS kubelet agree);
``az config set acr.audience_resource=…`` overrides it, as it does for ``az acr login``.
"""

from dataclasses import dataclass, field

CREDENTIALS = ("cli", "environment", "managed-identity", "workload-identity", "azure-pipelines", "github-actions")


@dataclass(frozen=True)
class RequestedIdentity:
    """Who signs in: one of `CREDENTIALS`, and what it needs beyond the environment.

    `subscription` matters to `cli` only: the account of this subscription, if the CLI knows it.
    """

    credential: str = "cli"
    client_id: str | None = None
    tenant: str | None = None
    subscription: str | None = None


@dataclass(frozen=True)
class Principal:
    """Who signs in where, as errors name it. `presented` holds the claims of an assertion, as Entra compares them."""

    credential: str
    tenant: str
    client_id: str
    presented: dict[str, str] = field(default_factory=dict)
