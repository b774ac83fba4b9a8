"""Azure Resource Manager on management.azure.com: who is asking, how often, and which part answers."""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.localcloud.arm import errors, monitor, role_assignments
from tests.localcloud.arm.errors import ArmError
from tests.localcloud.arm.list_filter import meets, parse
from tests.localcloud.arm.management_groups import ManagementGroups
from tests.localcloud.arm.operations import Operations
from tests.localcloud.arm.paging import page
from tests.localcloud.arm.policy import definitions_and_assignments, insights
from tests.localcloud.arm.registries import Registries
from tests.localcloud.arm.resource_graph.api import Graph
from tests.localcloud.arm.scoped_calls import NAMESPACES, Call
from tests.localcloud.base.json_web_tokens import BadToken, Claims
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world import scopes
from tests.localcloud.world.arm_throttling import kind_of
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import ARM_AUDIENCES, Subscription, World

HOST = "management.azure.com"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")
_PROVIDER = "microsoft.containerregistry"
_GRAPH = "microsoft.resourcegraph"
_MANAGEMENT = "microsoft.management"


class Arm:
    def __init__(self, world: World) -> None:
        self._world = world
        self._registries = Registries(world, Operations(world))
        self._graph = Graph(world)
        self._management_groups = ManagementGroups(world)

    def answer(self, request: Request) -> Answer:
        headers = self._headers(request)
        try:
            principal, claims = self._authenticate(request)
            answer = self._route(request, principal, claims, headers)
        except ArmError as error:
            answer = error.answer()
        answer.headers = {**headers, **answer.headers}
        if request.method == "HEAD":
            answer.body = b""
        return answer

    def _headers(self, request: Request) -> dict[str, str]:
        """What recorded answers carry; a correlation id that a client sends is given back."""
        identifier = str(uuid.uuid4())
        return {
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Expires": "-1",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "x-ms-request-id": identifier,
            "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", identifier),
            "x-ms-routing-request-id": f"WESTEUROPE:{identifier}",
        }

    # Who is asking

    def _authenticate(self, request: Request) -> tuple[Principal, Claims]:
        tenant_id = self._world.tenant_id
        token = request.bearer()
        if token is None:
            raise errors.no_token(tenant_id)
        try:
            claims = self._world.entra_key.verify(token)
        except BadToken:
            raise errors.bad_token(tenant_id) from None
        now = self._world.now()
        if now >= claims.get("exp", 0):
            raise errors.expired_token(tenant_id, claims.get("exp", 0), now)
        if claims.get("aud") not in ARM_AUDIENCES:
            raise errors.wrong_audience(tenant_id, claims.get("aud"))
        principal = self._world.principals.get(str(claims.get("oid")))
        if principal is None or now < claims.get("nbf", 0):
            raise errors.bad_token(tenant_id)
        return principal, claims

    def _throttle(self, method: str, principal: Principal, place: str, headers: dict[str, str]) -> None:
        """Takes from the bucket of a subscription (or of the tenant); without throttling the counts stay full."""
        kind = kind_of(method)
        size = int(self._world.throttle.limits[kind][0])
        wait, left = 0, size - 1
        if self._world.throttling:
            wait, left = self._world.throttle.take(place, principal.object_id, kind)
        scope = "tenant" if place == "tenant" else "subscription"
        if self._world.throttle.tells:
            headers[f"x-ms-ratelimit-remaining-{scope}-{kind}"] = str(left)
        if self._world.throttle.tells and scope == "subscription":
            headers[f"x-ms-ratelimit-remaining-subscription-global-{kind}"] = str(15 * size - 1)
        if wait:
            raise errors.throttled(place, principal, kind, wait)

    # Which part answers

    def _route(self, request: Request, principal: Principal, claims: Claims, headers: dict[str, str]) -> Answer:
        version = request.query.get("api-version")
        if not version:
            raise errors.no_api_version()
        segments = [segment for segment in request.path.split("/") if segment]
        names = [segment.lower() for segment in segments]
        if names[:1] == ["subscriptions"] and len(names) > 1:
            subscription = self._subscription(names[1], claims)
            self._throttle(request.method, principal, subscription.id, headers)
            return self._below_subscription(request, principal, claims, subscription, segments, version)
        if names[:2] == ["providers", _GRAPH]:
            # Its queries draw on the tenant's reads (recorded), and on a quota of its own.
            self._throttle("GET", principal, "tenant", headers)
            return self._graph.answer(request, principal, str(claims.get("tid")), segments, version, headers)
        self._throttle(request.method, principal, "tenant", headers)
        return self._in_tenant(request, principal, claims, segments, version)

    def _below_subscription(
        self,
        request: Request,
        principal: Principal,
        claims: Claims,
        subscription: Subscription,
        segments: list[str],
        version: str,
    ) -> Answer:
        extension = scopes.split(request.path, NAMESPACES)
        if extension is not None:
            return self._extension(request, principal, claims, *extension, version)
        names = [segment.lower() for segment in segments]
        if "providers" in names and names[names.index("providers") + 1 :][:1] == [_PROVIDER]:
            return self._registries.answer(request, principal, subscription, segments, version)
        self._check_version(version)
        if "providers" in names and names[names.index("providers") + 1 :][:1] == ["microsoft.web"]:
            return self._site(request, principal)
        if "providers" in names and names[names.index("providers") + 1 :][:1] == [monitor.WORKSPACES]:
            return monitor.workspace(self._world, request, principal)
        return self._in_subscription(request, principal, subscription, segments)

    def _site(self, request: Request, principal: Principal) -> Answer:
        """`config/web` and `sitecontainers` of a site."""
        if request.method != "GET":
            raise errors.method_not_allowed(request.method)
        action = "Microsoft.Web/sites/config/read"
        if "/sitecontainers" in request.path.lower():
            action = "Microsoft.Web/sites/sitecontainers/read"
        if not self._world.allowed(principal, action, request.path):
            raise errors.not_authorized(principal, action, request.path)
        body = self._world.consumers.sites.get(request.path.lower())
        if body is None:
            raise errors.not_here(request.path)
        return json_answer(200, body)

    def _in_tenant(
        self, request: Request, principal: Principal, claims: Claims, segments: list[str], version: str
    ) -> Answer:
        extension = scopes.split(request.path, NAMESPACES)
        if extension is not None:
            return self._extension(request, principal, claims, *extension, version)
        names = [segment.lower() for segment in segments]
        if names[:2] == ["providers", _MANAGEMENT]:
            return self._management_groups.answer(request, principal, str(claims.get("tid")), segments, version)
        self._check_version(version)
        if request.method != "GET":
            raise errors.method_not_allowed(request.method)
        if names == ["subscriptions"]:
            seen = self._world.subscriptions_seen(principal, str(claims.get("tid")))
            return self._list(request, [self._seen(one) for one in seen])
        if names == ["tenants"]:
            return self._list(request, self._tenants(principal))
        raise errors.not_here(request.path)

    def _extension(
        self,
        request: Request,
        principal: Principal,
        claims: Claims,
        scope: str,
        namespace: str,
        rest: list[str],
        version: str,
    ) -> Answer:
        """The providers that answer below any scope."""
        call = Call(self._world, request, principal, str(claims.get("tid")), scope, rest, version)
        if namespace == "microsoft.policyinsights" and rest:
            return insights.answer(call)
        if namespace == monitor.INSIGHTS:
            return monitor.setting(call)
        if rest and call.names[0] in definitions_and_assignments.KINDS:
            return definitions_and_assignments.answer(call)
        if rest and call.names[0] in role_assignments.KINDS:
            return role_assignments.answer(call)
        raise call.not_here()

    def _check_version(self, version: str) -> None:
        """The general part of ARM here takes every date; only the registries know their versions."""
        if not _VERSION.fullmatch(version):
            raise errors.bad_api_version(version)

    def _subscription(self, subscription_id: str, claims: Claims) -> Subscription:
        subscription = self._world.subscription(subscription_id)
        if subscription is None:
            raise errors.subscription_not_found(subscription_id)
        if claims.get("tid") != subscription.tenant_id:
            raise errors.wrong_tenant(claims.get("tid"), subscription.tenant_id)
        return subscription

    def _in_subscription(
        self, request: Request, principal: Principal, subscription: Subscription, segments: list[str]
    ) -> Answer:
        names = [segment.lower() for segment in segments[2:]]
        if request.method not in ("GET", "HEAD"):
            raise errors.method_not_allowed(request.method)
        if not names:
            if not self._world.sees(principal, subscription):
                action = "Microsoft.Resources/subscriptions/read"
                raise errors.not_authorized(principal, action, subscription.scope)
            return json_answer(200, self._seen(subscription))
        if names == ["resources"]:
            return self._resources(request, principal, subscription, None)
        if names == ["resourcegroups"]:
            return self._list(request, self._groups(principal, subscription))
        if names[0] == "resourcegroups" and len(names) in (2, 3):
            return self._in_group(request, principal, subscription, segments[3], names[2:])
        raise errors.not_here(request.path)

    def _in_group(
        self, request: Request, principal: Principal, subscription: Subscription, group: str, rest: list[str]
    ) -> Answer:
        scope = f"{subscription.scope}/resourceGroups/{group}"
        if rest == ["resources"]:
            return self._resources(request, principal, subscription, group)
        if rest:
            raise errors.not_here(request.path)
        action = "Microsoft.Resources/subscriptions/resourceGroups/read"
        if not self._world.allowed(principal, action, scope):
            raise errors.not_authorized(principal, action, scope)
        name = self._world.resource_groups.get((subscription.id, group.lower()))
        if name is None:
            raise errors.group_not_found(group)
        return json_answer(200, self._group(subscription, name))

    # Lists

    def _list(self, request: Request, items: list[Any]) -> Answer:
        found, link = page(items, request, self._world.page_size, self._world.empty_pages)
        return json_answer(200, {"value": found, **({"nextLink": link} if link else {})})

    def _seen(self, subscription: Subscription) -> dict[str, Any]:
        return {
            "id": subscription.scope,
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": subscription.id,
            "tenantId": subscription.tenant_id,
            "displayName": subscription.name,
            "state": subscription.state,
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def _tenants(self, principal: Principal) -> list[dict[str, Any]]:
        own = getattr(principal, "tenant_ids", [principal.tenant_id])
        return [
            {
                "id": f"/tenants/{tenant.id}",
                "tenantId": tenant.id,
                "countryCode": "NL",
                "displayName": tenant.name,
                "domains": [tenant.domain],
                "tenantCategory": "Home",
                "defaultDomain": tenant.domain,
                "tenantType": "AAD",
            }
            for tenant in self._world.tenants
            if tenant.id in own
        ]

    def _group(self, subscription: Subscription, name: str) -> dict[str, Any]:
        return {
            "id": f"{subscription.scope}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": "westeurope",
            "tags": {},
            "properties": {"provisioningState": "Succeeded"},
        }

    def _groups(self, principal: Principal, subscription: Subscription) -> list[dict[str, Any]]:
        action = "Microsoft.Resources/subscriptions/resourceGroups/read"
        groups = [
            self._group(subscription, name)
            for (owner, _), name in list(self._world.resource_groups.items())
            if owner == subscription.id
        ]
        return [group for group in groups if self._world.allowed(principal, action, group["id"])]

    def _resources(
        self, request: Request, principal: Principal, subscription: Subscription, group: str | None
    ) -> Answer:
        """The generic list of resources: no `properties` (recorded), unreadable ones left out."""
        text = request.query.get("$filter")
        terms = {} if text is None else parse(text)
        if group is not None:
            terms["resourcegroup"] = group.lower()
        readable = self._registries.readable(principal, subscription)
        return self._list(request, [_generic(registry) for registry in readable if meets(registry, terms)])


def _generic(registry: Registry) -> dict[str, Any]:
    return {name: registry.body[name] for name in ("name", "id", "type", "sku", "location", "tags", "systemData")}
