"""A local Azure for tests: Entra ID, Azure Resource Manager and Azure Container Registry on loopback, by their real
names. `python -m tests.localcloud` starts it for a shell.
"""

from .cloud import LocalCloud
from .hostile import Hostile
from .identities import ManagedIdentity, Principal, ServicePrincipal, User
from .management_groups import ManagementGroup
from .messages import Answer, Request, json_answer
from .policies import Assignment
from .policy_definitions import AUDIT_DENY, MODIFY
from .resources import Registry
from .world import ACR_AUDIENCE, ARM_AUDIENCES, World

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
