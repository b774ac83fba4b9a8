"""Microsoft.ContainerRegistry in Azure Resource Manager: read, list, change, create and delete registries."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.localcloud.arm import api_versions, errors, registry_patch
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.operations import Operations
from tests.localcloud.arm.paging import page
from tests.localcloud.base.messages import Answer, Request, encode, json_answer
from tests.localcloud.world import registry_children, roles
from tests.localcloud.world.identities import Principal, User
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import Subscription, World


class Registries:
    def __init__(self, world: World, operations: Operations) -> None:
        self._world = world
        self._operations = operations

    def answer(
        self, request: Request, principal: Principal, subscription: Subscription, segments: list[str], version: str
    ) -> Answer:
        """Answers a path that has /providers/Microsoft.ContainerRegistry in it."""
        if version not in api_versions.REGISTRIES:
            raise errors.unknown_api_version(version, "registries", api_versions.REGISTRIES)
        answer = self._route(request, principal, subscription, segments, version)
        answer.headers.setdefault("api-supported-versions", version)
        return answer

    def _route(
        self, request: Request, principal: Principal, subscription: Subscription, segments: list[str], version: str
    ) -> Answer:
        names = [segment.lower() for segment in segments]
        start = names.index("providers") + 2
        group = segments[3] if start == 6 and names[2] == "resourcegroups" else None
        rest = names[start:]
        if group is None:
            if rest == ["registries"]:
                return self._list(request, principal, subscription, None, version)
            if rest == ["checknameavailability"]:
                return self._check_name(request)
            if rest[:1] == ["locations"] and "operationresults" in rest:
                # A deleted registry: the recorded poll answers 200 without a body at once.
                return Answer(200)
        elif rest == ["registries"]:
            return self._list(request, principal, subscription, group, version)
        elif rest[:1] == ["registries"] and len(rest) == 2:
            return self._one(request, principal, group, segments, version)
        elif rest[:1] == ["registries"] and len(rest) > 2:
            return self._below(request, principal, group, segments, start, version)
        raise errors.not_here(request.path)

    # Lists

    def readable(self, principal: Principal, subscription: Subscription) -> list[Registry]:
        """The registries of a subscription that the principal may read; others are left out without a word."""
        scopes = self._world.scopes(principal, roles.READ)
        own = f"subscriptions/{subscription.id}/"
        found = self._world.registries_of(subscription)
        if own.startswith(scopes):
            return found
        return [registry for registry in found if (registry.id.lower()[1:] + "/").startswith(scopes)]

    def _list(
        self,
        request: Request,
        principal: Principal,
        subscription: Subscription,
        group: str | None,
        version: str,
    ) -> Answer:
        if request.method != "GET":
            raise errors.method_not_allowed(request.method)
        found = self.readable(principal, subscription)
        if group is not None:
            if (subscription.id, group.lower()) not in self._world.resource_groups:
                raise errors.group_not_found(group)
            found = [registry for registry in found if registry.resource_group.lower() == group.lower()]
        on_page, link = page(found, request, self._world.page_size, self._world.empty_pages)
        for registry in on_page:
            self._operations.settle(registry)
        value = [api_versions.shown(registry.body, version) for registry in on_page]
        return json_answer(200, {"value": value, **({"nextLink": link} if link else {})})

    def _check_name(self, request: Request) -> Answer:
        """Recorded answer for a name that is taken."""
        name = str(_content(request).get("name", ""))
        if any(registry.name.lower() == name.lower() for registry in self._world.registries):
            message = f"The registry {name} is already in use."
            return json_answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return json_answer(200, {"nameAvailable": True})

    # One registry

    def _demand(self, principal: Principal, action: str, scope: str) -> None:
        if not self._world.allowed(principal, action, scope):
            raise errors.not_authorized(principal, action, scope)

    def _find(self, segments: list[str], group: str) -> Registry:
        registry = self._world.registry("/" + "/".join(segments[:8]))
        if registry is not None:
            self._operations.settle(registry)
            return registry
        if (segments[1].lower(), group.lower()) not in self._world.resource_groups:
            raise errors.group_not_found(group)
        raise errors.resource_not_found(f"Microsoft.ContainerRegistry/registries/{segments[7]}", group)

    def _one(self, request: Request, principal: Principal, group: str, segments: list[str], version: str) -> Answer:
        scope = "/" + "/".join(segments)
        if request.method in ("GET", "HEAD"):
            self._demand(principal, roles.READ, scope)
            return json_answer(200, api_versions.shown(self._find(segments, group).body, version))
        if request.method == "PATCH":
            self._demand(principal, roles.WRITE, scope)
            return self._patch(request, principal, self._find(segments, group), version)
        if request.method == "PUT":
            self._demand(principal, roles.WRITE, scope)
            return self._put(request, principal, segments, version)
        if request.method == "DELETE":
            self._demand(principal, roles.DELETE, scope)
            return self._delete(self._find(segments, group), version)
        raise errors.method_not_allowed(request.method)

    def _check_locks(self, scope: str) -> None:
        lock = self._world.lock_on(scope)
        if lock is not None:
            raise errors.locked(scope, lock)

    def _enforced(self, after: dict[str, Any], version: str) -> dict[str, Any]:
        """The registry as Azure Policy lets a write leave it. It looks at the result, whatever the write touched."""
        known = not api_versions.hides_arm_policy(version)
        body, violations = self._world.policies.enforce(str(after["id"]), after, known)
        if violations:
            raise errors.denied_by_policy(str(after["name"]), violations)
        return body

    def _patch(self, request: Request, principal: Principal, registry: Registry, version: str) -> Answer:
        patch = registry_patch.read(_content(request), version)
        self._check_locks(registry.id)
        asynchronous = not self._world.sync_patch
        failing = asynchronous and registry.operation_outcome in ("Failed", "Canceled")
        after = self._enforced(registry_patch.merged(registry.body, patch, _actor(principal)), version)
        if not registry.ignore_writes and (not failing or registry.apply_anyway):
            registry.body = after
            self._world.policy_states.written(registry)
        if not asynchronous:
            return json_answer(200, api_versions.shown(after, version))
        return self._accepted(registry, after, version)

    def _accepted(self, registry: Registry, after: dict[str, Any], version: str) -> Answer:
        """201, with the new values already in the body (recorded)."""
        operation = self._operations.begin(registry)
        after["properties"]["provisioningState"] = "Updating"
        link = _status_link(registry, operation.name, version)
        return json_answer(201, api_versions.shown(after, version), {"Azure-AsyncOperation": link})

    def _put(self, request: Request, principal: Principal, segments: list[str], version: str) -> Answer:
        """Creates a registry, or updates one. The newest api-version answers 200 at once (recorded)."""
        content = _content(request)
        scope = "/" + "/".join(segments)
        self._check_locks(scope)
        found = self._world.registry(scope)
        registry = found or self._create(content, segments)
        try:
            patch = registry_patch.read(content, version)
            registry.body = self._enforced(registry_patch.merged(registry.body, patch, _actor(principal)), version)
        except ArmError:
            if found is None:
                self._world.remove_registry(registry)
            raise
        self._world.policy_states.written(registry)
        return json_answer(200, api_versions.shown(registry.body, version))

    def _create(self, content: dict[str, Any], segments: list[str]) -> Registry:
        subscription = self._world.subscription(segments[1])
        if (segments[1].lower(), segments[3].lower()) not in self._world.resource_groups:
            raise errors.group_not_found(segments[3])
        sku = str((content.get("sku") or {}).get("name", "Basic"))
        try:
            return self._world.add_registry(
                segments[7],
                resource_group=segments[3],
                subscription=subscription,
                location=str(content.get("location", "westeurope")),
                sku=sku,
            )
        except ValueError:
            # Recorded: beside the error object stands "status": "Failed".
            raise _NameInUse(segments[7]) from None

    def _delete(self, registry: Registry, version: str) -> Answer:
        """202 with Location, as recorded."""
        self._check_locks(registry.id)
        self._world.remove_registry(registry)
        link = (
            f"https://management.azure.com/subscriptions/{registry.subscription_id}/providers/"
            f"Microsoft.ContainerRegistry/locations/{registry.body['location']}/operationResults/"
            f"registries-{secrets.token_hex(16)}?api-version={version}"
        )
        return json_answer(202, api_versions.shown(registry.body, version), {"Location": link})

    # Below one registry

    def _below(
        self,
        request: Request,
        principal: Principal,
        group: str,
        segments: list[str],
        start: int,
        version: str,
    ) -> Answer:
        names = [segment.lower() for segment in segments[start + 2 :]]
        scope = "/" + "/".join(segments[: start + 2])
        if names[0] == "operationstatuses" and len(names) == 2 and request.method == "GET":
            self._demand(principal, roles.OPERATION_READ, "/" + "/".join(segments))
            return self._status(self._find(segments, group), names[1], segments, version)
        if names == ["listcredentials"] and request.method == "POST":
            self._demand(principal, roles.LIST_CREDENTIALS, scope)
            return self._credentials(self._find(segments, group))
        if names == ["listusages"] and request.method == "GET":
            self._demand(principal, roles.LIST_USAGES, scope)
            self._find(segments, group)
            return json_answer(200, {"value": [_SIZE_USAGE, _WEBHOOK_USAGE]})
        if names in (["tokens"], ["connectedregistries"]) and request.method == "GET":
            self._demand(principal, f"{roles.REGISTRY}/{segments[-1]}/read", scope)
            return self._children(request, self._find(segments, group), names[0], version)
        raise errors.not_here(request.path)

    def _children(self, request: Request, registry: Registry, kind: str, version: str) -> Answer:
        if api_versions.hides_arm_policy(version):
            raise errors.unknown_api_version(version, f"registries/{kind}", api_versions.REGISTRIES)
        found = registry.children.get(kind, [])
        on_page, link = page(found, request, self._world.page_size, self._world.empty_pages)
        value = [registry_children.shown(child, version) for child in on_page]
        return json_answer(200, {"value": value, **({"nextLink": link} if link else {})})

    def _status(self, registry: Registry, name: str, segments: list[str], version: str) -> Answer:
        status = self._operations.poll(name, registry)
        if status is None:
            resource = f"Microsoft.ContainerRegistry/registries/{registry.name}/operationStatuses/{segments[-1]}"
            raise errors.resource_not_found(resource, registry.resource_group)
        return json_answer(200, status, {"Azure-AsyncOperation": _status_link(registry, name, version)})

    def _credentials(self, registry: Registry) -> Answer:
        if not registry.admin_enabled:
            raise ArmError(
                400,
                "UnAuthorizedForCredentialOperations",
                f"Cannot perform credential operations for {registry.id} as admin user is disabled. Kindly enable "
                "admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
                "container-registry-authentication#admin-account",
            )
        first, second = registry.admin_passwords
        passwords = [{"name": "password", "value": first}, {"name": "password2", "value": second}]
        return json_answer(200, {"username": registry.name, "passwords": passwords})


class _NameInUse(ArmError):
    def __init__(self, name: str) -> None:
        super().__init__(
            409,
            "RegistryNameAlreadyInUse",
            f"The registry name {name} is already in use. You can check if the name is already claimed using "
            "following API: https://aka.ms/acr/check-name-availability",
        )

    def answer(self) -> Answer:
        answer = super().answer()
        answer.body = encode({**json.loads(answer.body), "status": "Failed"})
        return answer


_SIZE_USAGE = {"name": "Size", "limit": 536870912000, "currentValue": 0, "unit": "Bytes"}
_WEBHOOK_USAGE = {"name": "Webhooks", "limit": 500, "currentValue": 0, "unit": "Count"}


def _status_link(registry: Registry, operation: str, version: str) -> str:
    return f"https://management.azure.com{registry.id}/operationStatuses/{operation}?api-version={version}"


def _actor(principal: Principal) -> str:
    return principal.upn if isinstance(principal, User) else principal.app_id


def _content(request: Request) -> dict[str, Any]:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise errors.not_json(kind)
    try:
        content = request.json()
    except ValueError as error:
        raise errors.bad_content(str(error)) from error
    if not isinstance(content, dict):
        raise errors.bad_content("expected an object")
    return content
