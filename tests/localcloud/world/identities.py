"""Who may ask Entra for a token: service principals, users and managed identities."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from tests.localcloud.base.json_web_tokens import SigningKey


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(eq=False)
class Principal:
    """What every identity has. `app_id` is what tokens carry as appid (users: the client program's)."""

    name: str
    tenant_id: str
    object_id: str = field(default_factory=new_id)
    app_id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class FederatedCredential:
    """A trust in tokens of another issuer (GitHub, a Kubernetes cluster, Azure DevOps)."""

    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"


@dataclass(eq=False)
class ServicePrincipal(Principal):
    secret: str = ""
    certificate: SigningKey | None = None
    federated: list[FederatedCredential] = field(default_factory=list)

    def add_federated_credential(
        self, issuer: str, subject: str, audience: str = "api://AzureADTokenExchange"
    ) -> FederatedCredential:
        credential = FederatedCredential(issuer, subject, audience)
        self.federated.append(credential)
        return credential


@dataclass(eq=False)
class User(Principal):
    """A person. `name` is the user principal name; the same object id serves in every tenant (real guests differ)."""

    password: str = ""
    tenant_ids: list[str] = field(default_factory=list)

    @property
    def upn(self) -> str:
        return self.name


@dataclass(eq=False)
class ManagedIdentity(Principal):
    system_assigned: bool = False
    resource_id: str = ""

    @property
    def client_id(self) -> str:
        return self.app_id


@dataclass(eq=False)
class AssignmentIdentity(Principal):
    """The system-assigned identity of a policy assignment. The directory answers about it only after a while."""

    unknown_for: int = 0
    """So many role assignments that do not say its type are refused still (recorded: two)."""
