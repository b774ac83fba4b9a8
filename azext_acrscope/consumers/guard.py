"""Before an enforcement: the consumers that are known to break, for registries as ARM gave them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from azext_acrscope import _errors, _outcome, hosts, record, registry, rollout
from azext_acrscope.arm import Arm
from azext_acrscope.consumers import estate, selection, verdicts
from azext_acrscope.consumers.estate import Estate, Rows
from azext_acrscope.consumers.knowledge import BREAKS, Knowledge
from azext_acrscope.enforcement import Plan


@dataclass(frozen=True)
class Guard:
    """Asked before registries are enforced. What could not be read may break as well, so it fails closed.

    :ivar accepted: whether they are to be changed although consumers break, or some could not be read.
    """

    cli_ctx: Any
    knowledge: Knowledge
    accepted: bool

    def before_one(self, arm: Arm, resource: registry.Resource, dry_run: bool) -> str:
        """List the consumers of a registry that break, and go on only if the user says so.

        :return: what became of looking for consumers, as `record` names it.
        :raises NoTTYError, ManualInterrupt: nobody can be asked, or the user said no.
        """
        found = self._look(lambda _: arm, [resource])
        rows = _breaking(found, resource)
        _outcome.tell([*lines(resource["name"], rows), *_unknown(found, [resource])])
        if (rows or found.unread) and not (dry_run or self.accepted):
            question = _errors.consumers_question(resource["name"], len(rows), bool(found.unread))
            _outcome.confirm(self.cli_ctx, question, _errors.CONSUMERS_OTHERWISE)
        return _outcome_of(found)

    def leave_out(self, plan: Plan, connect: Callable[[str | None], Arm], dry_run: bool) -> None:
        """Skip the registries of a plan with consumers that break, unless that is accepted.

        :raises ValidationError: part of the search could not be read, and that is not accepted.
        """
        items = plan.enforcing
        found = self._look(connect, [item.resource for item in items])
        plan.consumers = _outcome_of(found)
        if found.unread and not (dry_run or self.accepted):
            raise _errors.consumers_unread(len(items), found.unread)
        for item in items:
            if rows := _breaking(found, item.resource):
                _outcome.tell(lines(item.resource["name"], rows))
                if not self.accepted:
                    item.finish(rollout.SKIPPED, item.before, _errors.breaking_left_out([row["name"] for row in rows]))
        _outcome.tell(_unknown(found, [item.resource for item in plan.enforcing]))

    def _look(self, connect: Callable[[str | None], Arm], resources: list[registry.Resource]) -> Estate:
        expected = partial(selection.subscriptions_in, self.cli_ctx)
        found = estate.of(connect, resources, self.knowledge, hosts.cloud_suffix(self.cli_ctx.cloud), expected)
        _outcome.tell(dict.fromkeys([*found.unread, *found.incomplete]))
        return found


def _breaking(found: Estate, resource: registry.Resource) -> Rows:
    return [row for row in _rows(found, resource) if row["verdict"] == BREAKS]


def _unknown(found: Estate, resources: list[registry.Resource]) -> list[str]:
    """A sentence on consumers of which nobody knows: they stop nobody, and they are not kept quiet."""
    unknown = [len(verdicts.to_ask(_rows(found, each))) for each in resources]
    return [_errors.consumers_unknown(sum(unknown), sum(map(bool, unknown)))] if any(unknown) else []


def _rows(found: Estate, resource: registry.Resource) -> Rows:
    return found.consumers.get(str(resource["id"]).lower(), [])


def _outcome_of(found: Estate) -> str:
    return record.UNANSWERED if found.unread else record.ASKED


def lines(name: str, rows: Rows) -> list[str]:
    """For people: the consumers of a registry that break, why, and the mend."""
    if not rows:
        return []
    told = [f"{_errors.consumers_that_break(len(rows))} once {name} is enforced:"]
    return told + [f"  {row['kind']} {row['name']}: {row['why']} {row['mend']}" for row in rows]
