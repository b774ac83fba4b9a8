"""A small Azure with something of everything, and the commands that are run on it."""

from __future__ import annotations

import copy
import itertools
import re
from typing import Any

from tests.localcloud import LocalCloud
from tests.localcloud.world import registry_children
from tests.localcloud.world.policy.definitions import AUDIT_DENY, MODIFY

ENV = {
    "AZURE_ACRSCOPE_OPERATION_TIMEOUT": "20",
    "AZURE_ACRSCOPE_POLICY_TIMEOUT": "60",
    "AZURE_ACRSCOPE_VERIFY_TIMEOUT": "5",
    "AZURE_CORE_DISABLE_PROGRESS_BAR": "yes",
}
_GROUP = "mg-faults"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Stage:
    """Two subscriptions below a management group: registries, consumers, a log of sign-ins, assignments."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, world = cloud, cloud.world
        self.team = world.add_service_principal("faults-team")
        self.one, self.two = world.add_subscription("Faults One"), world.add_subscription("Faults Two")
        world.add_management_group(_GROUP)
        for subscription in (self.one, self.two):
            world.move(subscription, _GROUP)
            for role in ("Contributor", "Resource Policy Contributor", "Role Based Access Control Administrator"):
                world.grant(self.team, subscription.scope, role)
            world.grant(self.team, subscription.scope, "AcrPush")
        group = f"/providers/Microsoft.Management/managementGroups/{_GROUP}"
        for role in ("Reader", "Resource Policy Contributor"):
            world.grant(self.team, group, role)
        self.open = world.add_registry("faultsopen", "rg-apps", self.one)
        registry_children.add_token(self.open, "builders", passwords={"password1": None})
        registry_children.add_connected_registry(self.open, "factory", token="sync")
        self.done = world.add_registry("faultsdone", "rg-apps", self.one, policy_status="disabled")
        self.other = world.add_registry("faultsother", "rg-other", self.two, policy_status="disabled")
        puller = world.add_service_principal("faults-puller")
        world.grant(puller, self.done.id, ("Microsoft.ContainerRegistry/registries/pull/read",))  # a role of its own
        world.consumers.add_web_app("shop", f"DOCKER|{self.done.login_server}/shop:1", self.one)
        world.consumers.add_cluster("nodes", subscription=self.one)
        world.consumers.add_container_app("api", f"{self.done.login_server}/api:1", self.two)
        # Of a registry that no command signs in to, so that its log stays as it is.
        workspace = world.logs.add_workspace("faults-log", subscription=self.two)
        world.logs.send(self.other, workspace)
        self.workspace = workspace.customer_id
        organization = world.devops.add_organization("faults")
        organization.admit(self.team)
        project = organization.add_project("Shop")
        connection = organization.add_acr_connection(project, "shop-acr", self.done)
        organization.run(project, organization.add_pipeline(project, "Build"), connection)
        world.assign_policy(self.one.scope, AUDIT_DENY, "faults-audit")
        world.assign_policy(self.two.scope, MODIFY, "faults-modify")
        world.assign_policy(self.one.scope, AUDIT_DENY, "faults-made").metadata["madeWith"] = "acrscope"
        world.evaluate_policies()
        self._records = itertools.count(1)
        self._registries = {each.id: copy.deepcopy(each.body) for each in world.registries}
        self._assignments = {id(each): each for each in world.policies.assignments}
        self._grants = {key: list(each) for key, each in world._grants.items()}

    def restore(self) -> None:
        """Take back what the last command has changed."""
        world = self.cloud.world
        for each in world.registries:
            each.body = copy.deepcopy(self._registries[each.id])
        for assignment in world.policies.assignments:
            if id(assignment) not in self._assignments:
                world.policies.remove(assignment)
        there = set(map(id, world.policies.assignments))
        for key, assignment in self._assignments.items():
            if key not in there:
                world.policies.put(assignment)
        world._grants.clear()
        world._grants.update({key: list(each) for key, each in self._grants.items()})
        world.evaluate_policies()

    def masked(self, text: str) -> str:
        """A text without the IDs that are others in each run."""
        for name, subscription in (("ONE", self.one), ("TWO", self.two)):
            text = text.replace(subscription.id, name)
        return _GUID.sub("GUID", text)

    def path_glob(self, path: str) -> str:
        """A glob for a path in which IDs other than those of the subscriptions may be any."""
        return _GUID.sub(lambda found: found[0] if found[0] in (self.one.id, self.two.id) else "*", path)

    def statuses(self) -> dict[str, str]:
        """The statuses that there are, by lower-cased ID."""
        return {each.id.lower(): str(each.policy_status or "enabled") for each in self.cloud.world.registries}

    @property
    def commands(self) -> dict[str, list[str]]:
        """The commands by a short name."""
        name, group = ["--name", self.open.name], ["--management-group", _GROUP]
        more: dict[str, list[str]] = {
            "show": ["show", *name],
            "show in group": ["show", *name, "--resource-group", "rg-apps"],
            "show policy": ["show", *name, "--resource-group", "rg-apps", "--policy"],
            "show sign-ins": ["show", "--name", self.open.id, "--sign-ins"],
            "list": ["list", "--require", "disabled", "--subscription", self.two.id],
            "list all": ["list", "--all-subscriptions"],
            "list live": ["list", "--live", "--require", "disabled", "--subscription", self.two.id],
            "list group": ["list", *group],
            "list group live": ["list", *group, "--live"],
            "enforce": ["enforce", *name, "--yes", "--verify"],
            "enforce quick": ["enforce", *name, "--resource-group", "rg-apps", "--yes", "--skip-consumers"],
            "enforce many": ["enforce", "--resource-group", "rg-apps", "--yes"],
            "enforce back": ["enforce", "--name", self.done.name, "--status", "enabled", "--yes"],
            "check": ["check", "--name", self.done.name],
            "check all": ["check", "--all"],
            "consumers": ["consumers", "--name", self.done.name],
            "consumers log": ["consumers", "--name", self.other.name, "--workspace", self.workspace],
            "consumers devops": ["consumers", "--azure-devops", "faults"],
            "consumers group": ["consumers", *group],
            "report": ["report", "--format", "csv", "--file", "report.csv"],
            "report check": ["report", "--format", "csv", "--file", "report.csv", "--check"],
            "policy show": ["policy", "show"],
            "policy show group": ["policy", "show", *group],
            "policy show registry": ["policy", "show", *name],
            "policy assign": ["policy", "assign", "--effect", "deny", "--assignment-name", "faults-new", "--yes"],
            "policy modify": [
                *("policy", "assign", "--effect", "modify", "--assignment-name", "faults-own"),
                *("--location", "westeurope", "--yes"),
            ],
            "policy again": ["policy", "assign", "--effect", "deny", "--assignment-name", "faults-audit", "--yes"],
            "policy unassign": [
                *("policy", "unassign", "--subscription", self.one.id, "--assignment-name", "faults-made", "--yes")
            ],
            "policy remediate": ["policy", "remediate", "--subscription", self.two.id, "--yes"],
            "login": ["login", *name, "--expose-token"],
        }
        return {key: ["acr", "scope", *arguments, "--output", "json"] for key, arguments in more.items()}

    def arguments(self, command: str) -> list[str]:
        """The arguments of a command; one that keeps a record gets a new file for it."""
        arguments = self.commands[command]
        record = ["--record", f"record-{next(self._records)}.jsonl"] if arguments[2] == "enforce" else []
        return [*arguments, *record]


def plain(value: Any) -> Any:
    """A result without what differs from run to run."""
    volatile = (
        *(
            "seconds",
            "time",
            "correlationId",
            "refreshToken",
            "expiresOn",
            "accessToken",
            "remediation",
            "file",
            "probe",
        ),
        *("identityPrincipalId", "roleAssignmentId", "roleAssignmentIds", "evaluatedOn"),
    )
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in volatile}
    return [plain(each) for each in value] if isinstance(value, list) else value
