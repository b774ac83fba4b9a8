"""What exists in the local Azure, and the knobs by which a test changes it. No network in here."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.localcloud.base.json_web_tokens import Claims, SigningKey, signing_key
from tests.localcloud.world import roles
from tests.localcloud.world.arm_throttling import Throttle
from tests.localcloud.world.azure_devops import AzureDevOps
from tests.localcloud.world.consumers import Consumers
from tests.localcloud.world.identities import ManagedIdentity, Principal, ServicePrincipal, User, new_id
from tests.localcloud.world.login_events import Logs
from tests.localcloud.world.management_groups import Hierarchy, ManagementGroup
from tests.localcloud.world.policy.assignments import Assignment, Policies
from tests.localcloud.world.policy.definitions import MODIFY, custom
from tests.localcloud.world.policy.remediations import Remediations
from tests.localcloud.world.policy.states import PolicyStates
from tests.localcloud.world.registries import Registry, registry_body
from tests.localcloud.world.resource_graph_history import GraphHistory
from tests.localcloud.world.resource_graph_quota import GraphQuota
from tests.localcloud.world.scopes import prefix as _prefix

ARM_AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
ACR_AUDIENCE = "https://containerregistry.azure.net"
LOG_AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.io/")
DEVOPS_AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798"
ACR_AUDIENCES = (ACR_AUDIENCE, ACR_AUDIENCE + "/")
AZURE_CLI_CLIENT_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

PolicyStatus = Literal["enabled", "disabled"]


@dataclass
class Tenant:
    id: str
    name: str
    domain: str


@dataclass
class Subscription:
    name: str
    tenant_id: str
    id: str = field(default_factory=new_id)
    state: str = "Enabled"

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.id}"


@dataclass(frozen=True)
class Grant:
    """A role assignment. `scope` is in the form that is a prefix of all under it, `at` as it was written."""

    object_id: str
    scope: str
    role: roles.Role
    at: str = ""
    name: str = field(default_factory=new_id)
    kind: str = "ServicePrincipal"
    created: float = 0.0
    created_by: str | None = None
    description: str | None = None
    counts_from: float = 0.0
    """The world's time from which on Azure knows of it everywhere."""

    @property
    def id(self) -> str:
        return f"{self.at.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


@dataclass
class EntraError:
    """A refusal that Entra gives one identity for one audience; `times` None means always."""

    object_id: str
    audience: str
    code: int
    description: str
    error: str
    suberror: str | None
    claims: str | None
    times: int | None


@dataclass
class Grace:
    """What a refresh token or a device code of Entra stands for."""

    principal: User
    client_id: str
    revoked: bool = False
    scope: str = ""
    """What a device code was asked for: redeeming it does not say so again."""


class World:
    """One tenant and one subscription at first; everything else is added."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.tenants: list[Tenant] = []
        self.subscriptions: list[Subscription] = []
        self.principals: dict[str, Principal] = {}
        self.hierarchy = Hierarchy(lambda: self.subscriptions)
        self.resource_groups: dict[tuple[str, str], str] = {}
        self._registries: dict[str, Registry] = {}
        self._hosts: dict[str, Registry] = {}
        self._in_subscription: dict[str, dict[str, Registry]] = {}
        self._grants: dict[str, list[Grant]] = {}
        self.locks: list[str] = []
        self.entra_errors: list[EntraError] = []
        self.refresh_tokens: dict[str, Grace] = {}
        self.device_codes: dict[str, Grace] = {}

        self.entra_key: SigningKey = signing_key("Local Entra ID")
        self.acr_key: SigningKey = signing_key("Local Azure Container Registry")
        self.issuer_key: SigningKey = signing_key("Local workload identity issuer")
        self.stranger_key: SigningKey = signing_key("Somebody else")
        """Signs tokens that nobody here should believe."""

        self.clock_offset = 0.0
        self.token_lifetime = 5009
        """Seconds; the lifetime of the recorded 2026 token."""
        self.acr_refresh_lifetime = 10800
        """Three hours, as documented."""
        self.acr_access_lifetime = 4500
        """75 minutes, as in the documented sample."""
        self.resources: set[str] = {
            *ARM_AUDIENCES,
            *ACR_AUDIENCES,
            *LOG_AUDIENCES,
            DEVOPS_AUDIENCE,
            "https://graph.microsoft.com",
            "https://graph.microsoft.com/",
            "https://vault.azure.net",
        }
        """The resource names Entra knows in every tenant here."""

        self.page_size = 1000
        """Real page sizes of the registries list are not known: lists of 23 were recorded on one page."""
        self.empty_pages = 0
        """So many pages with an empty `value` and a nextLink before each page with content (recorded: four)."""
        self.async_polls = 1
        """So many polls answer Updating before the last one."""
        self.operation_seconds = 10.0
        """An operation nobody polls ends by itself after so long (recorded: about ten seconds)."""
        self.sync_patch = False
        """A PATCH answers 200 at once, as was recorded for policies, instead of 201."""
        self.throttling = False
        self.throttle = Throttle()

        self.consumers = Consumers(self)
        self.logs = Logs(self)
        self.devops = AzureDevOps(self)
        self.graph_rows: dict[str, list[dict[str, Any]]] = {}
        self.missing_tables: set[str] = set()
        """Tables that Resource Graph does not have here, as in sovereign clouds."""
        self.graph_throttling = False
        self.graph_quota = GraphQuota(self.now)
        self.graph_largest_answer = 16 * 1024 * 1024
        """Bytes of an answer of Resource Graph; a larger one is refused (reported: microsoft/ARI#195)."""
        self.graph_truncated = False
        """Resource Graph answers one page, resultTruncated "true", and no $skipToken."""
        self.graph_subscription_limit_hit = False
        """The header that says that Resource Graph left subscriptions out."""
        self.graph_history = GraphHistory(lambda: self.registries, self.now)

        self.policies = Policies(self)
        self.policy_states = PolicyStates(self)
        self.remediations = Remediations(self)
        self.principal_replication_attempts = 2
        """So many role assignments that do not name its type a new identity is unknown to (recorded: two)."""
        self.role_delay = 0.0
        """Seconds until a role that is given through Azure Resource Manager counts."""

        self.tenant_id = self.add_tenant("Contoso", "contoso.onmicrosoft.example").id
        self.add_subscription("Contoso Production")

    # Time

    def now(self) -> float:
        return time.time() + self.clock_offset

    def advance(self, seconds: float) -> None:
        """Moves the cloud's clock on: tokens age, operations end, Resource Graph catches up."""
        self.graph_history.observe_all()
        self.clock_offset += seconds

    # Tenants, subscriptions, groups

    def add_tenant(self, name: str, domain: str | None = None) -> Tenant:
        tenant = Tenant(new_id(), name, domain or f"{name.lower().replace(' ', '')}.onmicrosoft.example")
        self.tenants.append(tenant)
        self.hierarchy.add_root(tenant.id)
        return tenant

    def tenant(self, named: str) -> Tenant | None:
        """A tenant by its id or its domain."""
        wanted = named.lower()
        return next((tenant for tenant in self.tenants if wanted in (tenant.id, tenant.domain)), None)

    def add_subscription(self, name: str, tenant_id: str | None = None) -> Subscription:
        subscription = Subscription(name, tenant_id or self.tenant_id)
        self.subscriptions.append(subscription)
        return subscription

    def subscription(self, subscription_id: str) -> Subscription | None:
        return next((one for one in self.subscriptions if one.id == subscription_id.lower()), None)

    def add_management_group(
        self, name: str, parent: ManagementGroup | str | None = None, display_name: str | None = None
    ) -> ManagementGroup:
        """A group below another, by default below the root group of the first tenant."""
        return self.hierarchy.add(name, self._group(parent or self.tenant_id), display_name)

    def management_group(self, name: str) -> ManagementGroup | None:
        """A group by its name; a tenant's root group has the tenant's id for a name."""
        return self.hierarchy.find(name)

    def move(self, subscription: Subscription, group: ManagementGroup | str) -> None:
        """Puts a subscription into a management group."""
        self.hierarchy.move(subscription, self._group(group))

    def _group(self, group: ManagementGroup | str) -> ManagementGroup:
        found = self.hierarchy.find(group) if isinstance(group, str) else group
        if found is None:
            raise ValueError(f"there is no management group {group!r}")
        return found

    def add_resource_group(self, name: str, subscription: Subscription | None = None) -> str:
        """The group's name as first written; a second spelling does not change it."""
        where = subscription or self.subscriptions[0]
        return self.resource_groups.setdefault((where.id, name.lower()), name)

    # Identities

    def secret(self, value: str) -> str:
        """Remembers a secret, so that tests can look for leaks."""
        if value:
            self.secrets.add(value)
        return value

    def _new_secret(self) -> str:
        return self.secret(f"lc8Q~{secrets.token_urlsafe(27)}")

    def add_service_principal(
        self, name: str, secret: str | None = None, tenant_id: str | None = None
    ) -> ServicePrincipal:
        value = self._new_secret() if secret is None else self.secret(secret)
        principal = ServicePrincipal(name, tenant_id or self.tenant_id, secret=value)
        self.principals[principal.object_id] = principal
        return principal

    def add_user(self, upn: str, password: str, tenant_id: str | None = None) -> User:
        home = tenant_id or self.tenant_id
        user = User(upn, home, app_id=AZURE_CLI_CLIENT_ID, password=self.secret(password), tenant_ids=[home])
        self.principals[user.object_id] = user
        return user

    def add_managed_identity(
        self, name: str, system_assigned: bool = False, tenant_id: str | None = None
    ) -> ManagedIdentity:
        identity = ManagedIdentity(name, tenant_id or self.tenant_id, system_assigned=system_assigned)
        identity.resource_id = (
            f"{self.subscriptions[0].scope}/resourcegroups/rg-identities/providers/"
            f"Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        )
        self.principals[identity.object_id] = identity
        return identity

    @property
    def managed_identities(self) -> list[ManagedIdentity]:
        return [one for one in list(self.principals.values()) if isinstance(one, ManagedIdentity)]

    def service_principal(self, app_id: str) -> ServicePrincipal | None:
        wanted = app_id.lower()
        found = (one for one in list(self.principals.values()) if one.app_id == wanted)
        return next((one for one in found if isinstance(one, ServicePrincipal)), None)

    def user(self, upn: str) -> User | None:
        wanted = upn.lower()
        found = (one for one in list(self.principals.values()) if one.name.lower() == wanted)
        return next((one for one in found if isinstance(one, User)), None)

    # Rights

    def grant(self, principal: Principal, scope: str, role: str | tuple[str, ...] | roles.Role) -> Grant:
        """Gives a role at a scope (an ARM id; everything under it counts)."""
        kind = "User" if isinstance(principal, User) else "ServicePrincipal"
        at = scope if scope.startswith("/") else f"/{scope}"
        return self.add_grant(
            Grant(principal.object_id, _prefix(scope), roles.role(role), at, kind=kind, created=self.now())
        )

    def add_grant(self, grant: Grant) -> Grant:
        self._grants.setdefault(grant.object_id, []).append(grant)
        return grant

    def revoke(self, grant: Grant) -> None:
        self._grants[grant.object_id].remove(grant)

    @property
    def all_grants(self) -> list[Grant]:
        return [grant for grants in list(self._grants.values()) for grant in list(grants)]

    def grants(self, principal: Principal) -> list[Grant]:
        """The grants that count already."""
        now = self.now()
        return [grant for grant in self._grants.get(principal.object_id, ()) if grant.counts_from <= now]

    def scopes(self, principal: Principal, action: str) -> tuple[str, ...]:
        """The scopes (lower case, with a closing slash) at which a principal may do something.

        A role at a management group gives also the scopes of all groups and subscriptions under it.
        """
        granted = (grant.scope for grant in self.grants(principal) if grant.role.allows(action))
        return tuple(reached for scope in granted for reached in self.hierarchy.reach(scope))

    def allowed(self, principal: Principal, action: str, scope: str) -> bool:
        return _prefix(scope).startswith(self.scopes(principal, action))

    def sees(self, principal: Principal, subscription: Subscription, reading: bool = False) -> bool:
        """Any role at, above or under a subscription shows it; with `reading`, any that allows to read something."""
        own = _prefix(subscription.scope)
        granted = (grant.scope for grant in self.grants(principal) if not reading or grant.role.reads)
        reached = (scope for one in granted for scope in self.hierarchy.reach(one))
        return any(scope.startswith(own) or own.startswith(scope) for scope in reached)

    def subscriptions_seen(self, principal: Principal, tenant_id: str) -> list[Subscription]:
        """The subscriptions of a tenant that Azure lists to somebody."""
        return [one for one in self.subscriptions if one.tenant_id == tenant_id and self.sees(principal, one)]

    # Registries

    @property
    def registries(self) -> list[Registry]:
        return list(self._registries.values())

    def registries_of(self, subscription: Subscription) -> list[Registry]:
        return list(self._in_subscription.get(subscription.id, {}).values())

    def registry(self, resource_id: str) -> Registry | None:
        return self._registries.get(resource_id.lower().rstrip("/"))

    def registry_at(self, host: str) -> Registry | None:
        """The registry that serves a host name: its login server, a regional one, or a data endpoint."""
        return self._hosts.get(host.lower())

    def add_registry(
        self,
        name: str,
        resource_group: str = "rg-app",
        subscription: Subscription | None = None,
        location: str = "westeurope",
        sku: str = "Premium",
        policy_status: PolicyStatus | None = "enabled",
        domain_name_label_hash: str | None = None,
        admin_user: bool = False,
        anonymous_pull: bool = False,
        backend: bool = False,
        regions: tuple[str, ...] = (),
        tags: dict[str, str] | None = None,
        suffix: str = "azurecr.io",
    ) -> Registry:
        """A new registry; policy_status None leaves the policy block out, as old registries may.

        domain_name_label_hash makes the login server `name-hash.azurecr.io` (recorded: a domain name label scope).
        """
        where = subscription or self.subscriptions[0]
        group = self.add_resource_group(resource_group, where)
        resource_id = f"{where.scope}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
        label = f"{name}-{domain_name_label_hash}" if domain_name_label_hash else name
        body = registry_body(resource_id, f"{label}.{suffix}".lower(), location, sku, tags or {}, regions)
        passwords = (self.secret(secrets.token_urlsafe(32)), self.secret(secrets.token_urlsafe(32)))
        registry = Registry(body, backend=backend, regions=tuple(regions), admin_passwords=passwords)
        registry.policy_status = policy_status
        registry.properties["adminUserEnabled"] = admin_user
        registry.properties["anonymousPullEnabled"] = anonymous_pull
        if domain_name_label_hash:
            registry.properties["autoGeneratedDomainNameLabelScope"] = "TenantReuse"
        hosts = registry.hosts
        if any(host in self._hosts for host in hosts) or resource_id.lower() in self._registries:
            raise ValueError(f"there is already a registry {name!r} or one at {registry.login_server}")
        self._registries[resource_id.lower()] = registry
        self._in_subscription.setdefault(where.id, {})[resource_id.lower()] = registry
        self._hosts.update(dict.fromkeys(hosts, registry))
        registry.watcher = self.graph_history.observe
        registry.changed()
        return registry

    def remove_registry(self, registry: Registry) -> None:
        self._registries.pop(registry.id.lower(), None)
        self._in_subscription.get(registry.subscription_id, {}).pop(registry.id.lower(), None)
        self.graph_history.observe_all()
        for host in registry.hosts:
            self._hosts.pop(host, None)

    # Resource Graph

    @property
    def graph_lag(self) -> float:
        """Resource Graph shows registries as they were so many seconds ago. Setting it takes what is as long known."""
        return self.graph_history.lag

    @graph_lag.setter
    def graph_lag(self, seconds: float) -> None:
        self.graph_history.lag = seconds

    def add_graph_row(self, table: str, row: dict[str, Any]) -> None:
        """A row more in a table of Resource Graph; columns it does not name are empty or null."""
        self.graph_rows.setdefault(table.lower(), []).append(row)

    # Obstacles

    def lock(self, scope: str) -> None:
        """A ReadOnly lock: writes at or under the scope answer 409 ScopeLocked."""
        self.locks.append(scope)

    def lock_on(self, scope: str) -> str | None:
        """The lock at or above a scope, if there is one."""
        return next((lock for lock in list(self.locks) if _prefix(scope).startswith(_prefix(lock))), None)

    def deny_policy(self, assignment_name: str, scope: str, display_name: str = "Deny by policy") -> Assignment:
        """A policy of somebody's own that refuses every write of a registry at or under a scope."""
        identifier = f"/subscriptions/{self.subscriptions[0].id}/providers/Microsoft.Authorization/policyDefinitions"
        definition = custom(f"{identifier}/{new_id()}", "deny", display_name)
        self.policies.add(definition)
        return self.policies.assign(scope, definition.id, assignment_name)

    # Azure Policy

    def assign_policy(
        self,
        scope: str,
        definition: str = MODIFY,
        name: str | None = None,
        role: str | None = "Contributor",
        **more: Any,
    ) -> Assignment:
        """An assignment that has long been there, with the role its identity needs at its scope (role None: without).

        `more`: see Policies.assign.
        """
        assignment = self.policies.assign(scope, definition, name, **more)
        for principal_id in assignment.principal_ids if role else ():
            self.grant(self.principals[principal_id], scope, role or "")
        return assignment

    def evaluate_policies(self, scope: str = "") -> None:
        """Renews what policy states say of a subscription, a resource group or (without a scope) everything."""
        self.policy_states.evaluate(scope)

    def entra_error(
        self,
        principal: Principal,
        audience: str,
        code: int,
        description: str | None = None,
        error: str = "invalid_grant",
        suberror: str | None = None,
        claims: str | None = None,
        times: int | None = None,
    ) -> EntraError:
        """Entra refuses this identity this audience with AADSTS<code>."""
        text = description or "The request was refused."
        rule = EntraError(principal.object_id, audience.rstrip("/"), code, text, error, suberror, claims, times)
        self.entra_errors.append(rule)
        return rule

    # Tokens that tests make themselves

    def mint(
        self,
        principal: Principal,
        audience: str,
        lifetime: float | None = None,
        tenant_id: str | None = None,
        key: SigningKey | None = None,
        **claims: Any,
    ) -> str:
        """An Entra access token as this world would issue it; keywords replace or add claims, `key` forges."""
        content = self.entra_claims(principal, audience, tenant_id=tenant_id, lifetime=lifetime)
        content.update(claims)
        return self.secret((key or self.entra_key).sign(content))

    def entra_claims(
        self,
        principal: Principal,
        audience: str,
        client_id: str | None = None,
        tenant_id: str | None = None,
        lifetime: float | None = None,
    ) -> Claims:
        """The claims of the recorded 2026 access token (version 1.0 form, issuer sts.windows.net)."""
        now = int(self.now())
        tenant = tenant_id or principal.tenant_id
        issuer = f"https://sts.windows.net/{tenant}/"
        claims: Claims = {
            "aud": audience,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + int(self.token_lifetime if lifetime is None else lifetime),
            "aio": secrets.token_urlsafe(24),
            "appid": client_id or principal.app_id,
        }
        if isinstance(principal, User):
            claims |= {
                "acr": "1",
                "amr": ["pwd"],
                "appidacr": "0",
                "idtyp": "user",
                "name": principal.upn.partition("@")[0],
                "scp": "user_impersonation",
                "unique_name": principal.upn,
                "upn": principal.upn,
            }
        else:
            claims |= {"appidacr": "1", "idp": issuer, "idtyp": "app"}
        if isinstance(principal, ManagedIdentity):
            claims |= {"appidacr": "2", "xms_mirid": principal.resource_id}
        return claims | {
            "oid": principal.object_id,
            "rh": f"1.{secrets.token_urlsafe(24)}.",
            "sub": principal.object_id,
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }

    def issue_assertion(
        self, issuer: str, subject: str, audience: str = "api://AzureADTokenExchange", lifetime: float = 300
    ) -> str:
        """A token of another issuer, to be used as a federated client assertion."""
        now = int(self.now())
        claims = {"iss": issuer, "sub": subject, "aud": audience, "jti": new_id(), "iat": now, "nbf": now}
        return self.secret(self.issuer_key.sign(claims | {"exp": now + int(lifetime)}))

    def write_token_file(self, path: Path | str, principal: ServicePrincipal, lifetime: float = 3600) -> Path:
        """What a Kubernetes cluster projects into a pod: an assertion by the principal's first federated credential."""
        if not principal.federated:
            principal.add_federated_credential(
                "https://oidc.cluster.example/", f"system:serviceaccount:app:{principal.name}"
            )
        trust = principal.federated[0]
        target = Path(path)
        target.write_text(self.issue_assertion(trust.issuer, trust.subject, trust.audience, lifetime), encoding="ascii")
        return target

    def write_certificate(self, path: Path | str, principal: ServicePrincipal) -> Path:
        """A PEM file with a key and its certificate, by which the principal can sign in from now on."""
        principal.certificate = signing_key(f"Certificate of {principal.name}")
        target = Path(path)
        target.write_bytes(principal.certificate.private_pem)
        return target
