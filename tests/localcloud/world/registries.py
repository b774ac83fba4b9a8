"""The container registry as an ARM resource, with the knobs that make one registry misbehave for a test."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.localcloud.base.messages import Answer

ARM_POLICY = "azureADAuthenticationAsArmPolicy"
Body = dict[str, Any]
Outcome = Literal["Succeeded", "Failed", "Canceled", "never"]
CertificateKind = Literal["valid", "expired", "untrusted"]


def timestamp(offset: str = "+00:00") -> str:
    """Now, with the seven digits of a second that recorded bodies have."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}1{offset}"


@dataclass(eq=False)
class Registry:
    """One registry. `body` is the ARM object in its newest form; older api-versions see less of it."""

    body: Body
    backend: bool = False
    regions: tuple[str, ...] = ()
    admin_passwords: tuple[str, str] = ("", "")
    children: dict[str, list[Body]] = field(default_factory=dict)
    """Tokens and connected registries, by kind in lower case: see `registry_children`."""

    # How its control plane behaves.
    operation_outcome: Outcome = "Succeeded"
    apply_anyway: bool = False
    """A Failed or Canceled operation has changed the registry all the same."""
    ignore_writes: bool = False
    """A write answers success and changes nothing."""

    # How its data plane behaves.
    ignore_policy: bool = False
    """Takes ARM-audience tokens whatever its ARM object says."""
    refuse_all_arm: bool = False
    """Refuses ARM-audience tokens whatever its ARM object says."""
    challenge_realm: str | None = None
    challenge_service: str | None = None
    challenge_header: str | None = None
    """The whole WWW-Authenticate value; an empty text sends none."""
    firewall: str | None = None
    """The client address that the 403 names; None lets everybody in."""
    oauth_limit: int | None = None
    """Requests a minute to /oauth2/*; None: no limit. Azure documents 10,000 (Premium 20,000)."""
    certificate: CertificateKind = "valid"
    answers: dict[str, Answer] = field(default_factory=dict)
    """Fixed answers by path, for oddities that no knob covers."""
    watcher: Callable[[Registry], None] | None = None
    """Is told of a new body, and by `changed` of changes within it."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "body":
            self.changed()

    def changed(self) -> None:
        if self.watcher is not None:
            self.watcher(self)

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def subscription_id(self) -> str:
        return self.id.split("/")[2]

    @property
    def resource_group(self) -> str:
        return self.id.split("/")[4]

    @property
    def properties(self) -> Body:
        properties: Body = self.body["properties"]
        return properties

    @property
    def login_server(self) -> str:
        return str(self.properties["loginServer"])

    @property
    def regional_login_servers(self) -> tuple[str, ...]:
        """`name[-hash].<region>.geo.azurecr.io`, as documented for regional endpoints (preview)."""
        label, _, suffix = self.login_server.partition(".")
        return tuple(f"{label}.{region}.geo.{suffix}" for region in self.regions)

    @property
    def data_endpoints(self) -> tuple[str, ...]:
        label, _, suffix = self.login_server.partition(".")
        return tuple(f"{label}.{region}.data.{suffix}" for region in (self.body["location"], *self.regions))

    @property
    def login_servers(self) -> tuple[str, ...]:
        return (self.login_server, *self.regional_login_servers)

    @property
    def hosts(self) -> tuple[str, ...]:
        return (*self.login_servers, *self.data_endpoints)

    @property
    def policy_status(self) -> str | None:
        """What the ARM object says; None when it says nothing."""
        block = (self.properties.get("policies") or {}).get(ARM_POLICY) or {}
        status = block.get("status")
        return None if status is None else str(status)

    @policy_status.setter
    def policy_status(self, status: str | None) -> None:
        policies = self.properties.setdefault("policies", {})
        if status is None:
            policies.pop(ARM_POLICY, None)
        else:
            policies[ARM_POLICY] = {"status": status}
        self.changed()

    @property
    def takes_arm_tokens(self) -> bool:
        """What its login server does: no value counts as enabled (the documented default)."""
        if self.ignore_policy:
            return True
        if self.refuse_all_arm:
            return False
        return self.policy_status in (None, "enabled")

    @property
    def admin_enabled(self) -> bool:
        return bool(self.properties.get("adminUserEnabled"))

    @property
    def anonymous_pull(self) -> bool:
        return bool(self.properties.get("anonymousPullEnabled"))


def system_data(now: str) -> Body:
    """Who made a resource, and when, as ARM shows it."""
    return {
        "createdBy": "operator@contoso.example",
        "createdByType": "User",
        "createdAt": now,
        "lastModifiedBy": "operator@contoso.example",
        "lastModifiedByType": "User",
        "lastModifiedAt": now,
    }


def registry_body(
    resource_id: str, login_server: str, location: str, sku: str, tags: dict[str, str], regions: tuple[str, ...]
) -> Body:
    """A registry as api-version 2026-09-01-preview returned it on 10 September 2026 (recorded; member order kept).

    The policy block says "enabled", the only value ever recorded; a "disabled" one was not found in any recording.
    """
    now = timestamp()
    label, _, suffix = login_server.partition(".")
    return {
        "sku": {"name": sku, "tier": sku},
        "type": "Microsoft.ContainerRegistry/registries",
        "id": resource_id,
        "name": resource_id.rsplit("/", 1)[-1],
        "location": location,
        "tags": dict(tags),
        "systemData": system_data(now),
        "properties": {
            "loginServer": login_server,
            "creationDate": timestamp("Z"),
            "provisioningState": "Succeeded",
            "adminUserEnabled": False,
            "networkRuleSet": {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []},
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "trustPolicy": {"type": "Notary", "status": "disabled"},
                "retentionPolicy": {"days": 7, "lastUpdatedTime": now, "status": "disabled"},
                "exportPolicy": {"status": "enabled"},
                ARM_POLICY: {"status": "enabled"},
                "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": now, "status": "disabled"},
            },
            "encryption": {"status": "disabled"},
            "dataEndpointEnabled": False,
            "regionalEndpoints": "Enabled" if regions else "Disabled",
            "dataEndpointHostNames": [],
            "regionalEndpointHostNames": [f"{label}.{region}.geo.{suffix}" for region in regions],
            "endpointProtocol": "IPv4",
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": False,
            "zoneRedundancy": "Disabled",
            "anonymousPullEnabled": False,
            "metadataSearch": "Disabled",
            "roleAssignmentMode": "LegacyRegistryPermissions",
            "autoGeneratedDomainNameLabelScope": "Unsecure",
            "writableCacheRepos": "Disabled",
        },
    }
