"""Before an enforcement: the consumers that are known to break, for registries as ARM gave them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.base import console, hosts
from azext_acrscope.consumers import errors as consumers_errors
from azext_acrscope.consumers import search, selection, verdicts
from azext_acrscope.consumers.knowledge import BREAKS, Knowledge
from azext_acrscope.consumers.search import ConsumerRows, FleetConsumers
from azext_acrscope.enforcement import errors, executor, record
from azext_acrscope.enforcement.plan import EnforcementPlan
from azext_acrscope.registry import resource as registry_resource


@dataclass(frozen=True)
class ConsumerPreflight:
    """Asked before registries are enforced. What could not be read may break as well, so it fails closed.

    :ivar accepted: whether they are to be changed although consumers break, or some could not be read.
    """

    cli_ctx: Any
    knowledge: Knowledge
    accepted: bool

    def before_one(self, arm: ArmClient, resource: registry_resource.RegistryResource, dry_run: bool) -> str:
        """List the consumers of a registry that break, and go on only if the user says so.

        :return: what became of looking for consumers, as `record` names it.
        :raises NoTTYError, ManualInterrupt: nobody can be asked, or the user said no.
        """
        found = self._look(lambda _: arm, [resource])
        rows = _breaking_rows(found, resource)
        console.warn([*breaking_lines(resource["name"], rows), *_unknown_remarks(found, [resource])])
        if (rows or found.unread) and not (dry_run or self.accepted):
            question = errors.consumers_question(resource["name"], len(rows), bool(found.unread))
            console.confirm(self.cli_ctx, question, errors.CONSUMERS_OTHERWISE)
        return _search_outcome(found)

    def leave_out(self, plan: EnforcementPlan, connect: Callable[[str | None], ArmClient], dry_run: bool) -> None:
        """Skip the registries of a plan with consumers that break, unless that is accepted.

        :raises ValidationError: part of the search could not be read, and that is not accepted.
        """
        items = plan.enforcing
        found = self._look(connect, [item.resource for item in items])
        plan.consumers = _search_outcome(found)
        if found.unread and not (dry_run or self.accepted):
            raise errors.consumers_unread(len(items), found.unread)
        for item in items:
            if rows := _breaking_rows(found, item.resource):
                console.warn(breaking_lines(item.resource["name"], rows))
                if not self.accepted:
                    item.finish(executor.SKIPPED, item.before, errors.breaking_left_out([row["name"] for row in rows]))
        console.warn(_unknown_remarks(found, [item.resource for item in plan.enforcing]))

    def _look(
        self, connect: Callable[[str | None], ArmClient], resources: list[registry_resource.RegistryResource]
    ) -> FleetConsumers:
        expected = partial(selection.known_subscriptions, self.cli_ctx)
        found = search.find_fleet_consumers(
            connect, resources, self.knowledge, hosts.login_server_suffix(self.cli_ctx.cloud), expected
        )
        console.warn(dict.fromkeys([*found.unread, *found.incomplete]))
        return found


def _breaking_rows(found: FleetConsumers, resource: registry_resource.RegistryResource) -> ConsumerRows:
    return [row for row in _rows_of_registry(found, resource) if row["verdict"] == BREAKS]


def _unknown_remarks(found: FleetConsumers, resources: list[registry_resource.RegistryResource]) -> list[str]:
    """A sentence on consumers of which nobody knows: they stop nobody, and they are not kept quiet."""
    unknown = [len(verdicts.unknown_to_ask(_rows_of_registry(found, each))) for each in resources]
    return [errors.consumers_unknown(sum(unknown), sum(map(bool, unknown)))] if any(unknown) else []


def _rows_of_registry(found: FleetConsumers, resource: registry_resource.RegistryResource) -> ConsumerRows:
    return found.consumers.get(str(resource["id"]).lower(), [])


def _search_outcome(found: FleetConsumers) -> str:
    return record.CONSUMERS_UNANSWERED if found.unread else record.CONSUMERS_ASKED


def breaking_lines(name: str, rows: ConsumerRows) -> list[str]:
    """For people: the consumers of a registry that break, why, and the fix."""
    if not rows:
        return []
    told = [f"{consumers_errors.consumers_that_break(len(rows))} once {name} is enforced:"]
    return told + [f"  {row['kind']} {row['name']}: {row['why']} {row['fix']}" for row in rows]
