"""A local Azure for tests: Entra ID, Azure Resource Manager and Azure Container Registry on loopback, by their real
names. `python -m tests.localcloud` starts it for a shell.
"""

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.cloud import LocalCloud
from tests.localcloud.network.hostile_hosts import Hostile
from tests.localcloud.world.identities import ManagedIdentity, Principal, ServicePrincipal, User
from tests.localcloud.world.management_groups import ManagementGroup
from tests.localcloud.world.policy.assignments import Assignment
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import ACR_AUDIENCE, ARM_AUDIENCES, World

__all__ = [
    "ACR_AUDIENCE",
    "ARM_AUDIENCES",
    "AUDIT_DENY",
    "MODIFY",
    "Answer",
    "Assignment",
    "Hostile",
    "LocalCloud",
    "ManagedIdentity",
    "ManagementGroup",
    "Principal",
    "Registry",
    "Request",
    "ServicePrincipal",
    "User",
    "World",
    "json_answer",
]
