"""Before an enforcement: find the consumers that would break, and let the user decide on their registries."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from azext_acrscope.arm.client import ArmClient, Connect
from azext_acrscope.base import console, hosts
from azext_acrscope.consumers import search, selection, verdicts
from azext_acrscope.consumers.knowledge import BREAKS, Knowledge
from azext_acrscope.consumers.search import BegunSearch, ConsumerRows, FleetConsumers
from azext_acrscope.enforcement import errors, plan_item, record
from azext_acrscope.enforcement.plan import EnforcementPlan
from azext_acrscope.enforcement.plan_item import PlanItem
from azext_acrscope.registry import resource as registry_resource


@dataclass(frozen=True)
class ConsumerPreflight:
    """Looks for the consumers of registries before these are enforced. What cannot be read could break as well, so
    without consent nothing is changed then.

    :ivar yes: the user agrees to change one registry although consumers would break, or some could not be read.
    :ivar include_breaking: the same for one or many.
    :ivar source: folders of code to search as well.
    """

    cli_ctx: Any
    knowledge: Knowledge
    yes: bool = False
    include_breaking: bool = False
    source: tuple[str, ...] = ()

    def begin(self, arm: ArmClient, registry_id: str) -> BegunSearch:
        """Begin the search for a registry that is being read; `review` takes it."""
        suffix = hosts.login_server_suffix(self.cli_ctx.cloud)
        return search.begin_search_by_id(arm, registry_id, self.knowledge, suffix)

    def review(self, plan: EnforcementPlan, connect: Connect, dry_run: bool, begun: BegunSearch | None = None) -> None:
        """List the consumers that would break. Of one registry, ask; of many, skip theirs unless the user agreed.

        :raises NoTTYError, ManualInterrupt: one registry; there is no terminal to ask at, or the user said no.
        :raises ValidationError: many; part of the search could not be read, and the user did not agree to that.
        """
        items = plan.enforcing
        if not items:
            return
        found = self._find_consumers(connect, [item.resource for item in items], begun)
        plan.set_consumers(record.CONSUMERS_UNANSWERED if found.unread else record.CONSUMERS_ASKED)
        if plan.single:
            self._ask_about_one(items[0], found, dry_run)
        else:
            self._leave_out_breaking(items, found, dry_run)

    def _ask_about_one(self, item: PlanItem, found: FleetConsumers, dry_run: bool) -> None:
        rows, name = _breaking_rows(found, item.resource), item.resource["name"]
        console.warn([*_breaking_lines(name, rows), *_unknown_remarks(found, [item])])
        if (rows or found.unread) and not (dry_run or self.yes or self.include_breaking):
            objection = errors.consumers_objection(len(rows), bool(found.unread))
            question = errors.consumers_question(name, objection)
            console.confirm(self.cli_ctx, question, errors.CONSUMERS_OTHERWISE, because=objection)

    def _leave_out_breaking(self, items: list[PlanItem], found: FleetConsumers, dry_run: bool) -> None:
        if found.unread and not (dry_run or self.include_breaking):
            raise errors.consumers_unread(len(items), found.unread)
        for item in items:
            if rows := _breaking_rows(found, item.resource):
                console.warn(_breaking_lines(item.resource["name"], rows))
                if not self.include_breaking:
                    item.finish(plan_item.SKIPPED, item.before, errors.breaking_left_out([row["name"] for row in rows]))
        console.warn(_unknown_remarks(found, [item for item in items if not item.result]))

    def _find_consumers(
        self, connect: Connect, resources: list[registry_resource.RegistryResource], begun: BegunSearch | None
    ) -> FleetConsumers:
        expected = partial(selection.known_subscriptions, self.cli_ctx)
        found = search.find_fleet_consumers(
            connect, resources, self.knowledge, hosts.login_server_suffix(self.cli_ctx.cloud), expected, begun
        )
        if self.source:
            self._add_code(found, resources)
        console.warn(dict.fromkeys([*found.unread, *found.incomplete]))
        return found

    def _add_code(self, found: FleetConsumers, resources: list[registry_resource.RegistryResource]) -> None:
        """Add places in code to the consumers of the registries that they name. What could not be read may break."""
        from azext_acrscope.consumers.code import output as code_output  # only now: most look into no code
        from azext_acrscope.consumers.code import scan

        servers = {str(each["id"]).lower(): registry_resource.login_server_of(each) for each in resources}
        seen = scan.search_code(self.source, self.knowledge, [each for each in servers.values() if each])
        found.unread += seen.incomplete
        for key, server in servers.items():
            own, _ = seen.rows_of(server)
            found.consumers[key] = [*found.consumers.get(key, []), *map(code_output.as_consumer, own)]
        console.tell(code_output.source_lines(seen.code, seen.turns_back_on, seen.summary))
        console.warn(code_output.set_back_lines(seen.turns_back_on))


def _breaking_rows(found: FleetConsumers, resource: registry_resource.RegistryResource) -> ConsumerRows:
    return [row for row in _rows_of_registry(found, resource) if row["verdict"] == BREAKS]


def _unknown_remarks(found: FleetConsumers, items: list[PlanItem]) -> list[str]:
    """Return a sentence on consumers of which it is not known whether they would break; they stop nothing."""
    unknown = [len(verdicts.unknown_to_ask(_rows_of_registry(found, item.resource))) for item in items]
    return [errors.consumers_unknown(sum(unknown), sum(map(bool, unknown)))] if any(unknown) else []


def _rows_of_registry(found: FleetConsumers, resource: registry_resource.RegistryResource) -> ConsumerRows:
    return found.consumers.get(str(resource["id"]).lower(), [])


def _breaking_lines(name: str, rows: ConsumerRows) -> list[str]:
    """Return lines on the consumers of a registry that would break, why, and the fix; none if there are none."""
    if not rows:
        return []
    first = errors.consumers_will_break(len(rows), name)
    return [first, *(f"  {row['kind']} {row['name']}: {row['why']} {row['fix']}" for row in rows)]
