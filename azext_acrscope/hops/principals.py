"""Describe who signs in: the identity that was asked for, and the one that signs in for the errors to name."""

from dataclasses import dataclass, field
from typing import NamedTuple

CREDENTIALS = ("cli", "environment", "managed-identity", "workload-identity", "azure-pipelines", "github-actions")


class RequestedIdentity(NamedTuple):
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
