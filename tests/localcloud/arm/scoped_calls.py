"""What the extension resource providers (Microsoft.Authorization, Microsoft.PolicyInsights, Microsoft.Insights) have in
common: they answer below any scope, which must be there, and look at rights over what they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.localcloud.arm import errors
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.base.messages import Request
from tests.localcloud.world import scopes
from tests.localcloud.world.identities import Principal, User
from tests.localcloud.world.world import World

NAMESPACES = ("microsoft.authorization", "microsoft.policyinsights", "microsoft.insights")


@dataclass
class Call:
    """One request to an extension resource provider. `rest`: what follows the namespace in the path."""

    world: World
    request: Request
    principal: Principal
    tenant_id: str
    scope: str
    rest: list[str]
    version: str

    @property
    def names(self) -> list[str]:
        return [name.lower() for name in self.rest]

    @property
    def method(self) -> str:
        return self.request.method

    def demand(self, action: str, below: str = "") -> None:
        """Refuses whoever lacks a right; the refusal names the whole id, as Azure's does."""
        scope = self.scope + below
        if not self.world.allowed(self.principal, action, scope or "/"):
            raise errors.not_authorized(self.principal, action, scope or "/")

    def verb(self) -> str:
        """What a method does to one object, as actions name it."""
        found = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}.get(self.method)
        if found is None:
            raise errors.method_not_allowed(self.method)
        return found

    def check_scope(self) -> None:
        """The management group, resource group or registry that the scope names must exist (subscriptions were looked
        at already).
        """
        name = scopes.management_group(self.scope)
        if name is not None:
            group = self.world.management_group(name)
            if group is None or group.tenant_id != self.tenant_id:
                raise ArmError(404, "NotFound", f"'{self.scope}' not found")
        owner, group_name = scopes.subscription(self.scope), scopes.resource_group(self.scope)
        if owner and group_name and (owner, group_name.lower()) not in self.world.resource_groups:
            raise errors.group_not_found(group_name)
        parts = self.scope.split("/")
        is_registry = len(parts) == 9 and parts[6].lower() == "microsoft.containerregistry"
        if is_registry and self.world.registry(self.scope) is None:
            raise errors.resource_not_found("/".join(parts[6:]), parts[4])

    def content(self) -> dict[str, Any]:
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind.lower() != "application/json":
            raise errors.not_json(kind)
        try:
            content = self.request.json()
        except ValueError as error:
            raise errors.bad_content(str(error)) from error
        if not isinstance(content, dict):
            raise errors.bad_content("expected an object")
        return content

    def not_here(self) -> ArmError:
        return errors.not_here(self.request.path)

    def system_data(self, before: dict[str, Any] | None = None) -> dict[str, Any]:
        """Who made something, and who changed it last."""
        now = scopes.stamp(self.world.now())
        who = self.principal.upn if isinstance(self.principal, User) else self.principal.app_id
        kind = "User" if isinstance(self.principal, User) else "Application"
        made = {"createdBy": who, "createdByType": kind, "createdAt": now}
        made = {name: value for name, value in (before or made).items() if name.startswith("created")}
        return {**made, "lastModifiedBy": who, "lastModifiedByType": kind, "lastModifiedAt": now}


def query(request: Request, name: str) -> str | None:
    """A query option, whatever the case of its name."""
    return next((value for key, value in request.query.items() if key.lower() == name.lower()), None)
