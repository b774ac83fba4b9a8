"""Before an enforcement: the consumers that are known to break, for registries as ARM gave them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, _outcome, hosts, registry, rollout
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.consumers import inventory, report
from azext_acrscope.consumers.inventory import Places, Registry
from azext_acrscope.consumers.knowledge import BREAKS, Knowledge
from azext_acrscope.enforcement import Plan

_FEW = 20  # registries that a query names; for more it names none
_SHOWN = 3

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Guard:
    """Asked before registries are enforced.

    :ivar accepted: whether they are to be changed although consumers break.
    """

    cli_ctx: Any
    knowledge: Knowledge
    accepted: bool

    def before_one(self, arm: Arm, resource: registry.Resource, dry_run: bool) -> None:
        """List the consumers of a registry that break, and go on only if the user says so.

        :raises NoTTYError, ManualInterrupt: nobody can be asked, or the user said no.
        """
        rows = self._ask(lambda _: arm, [resource]).get(str(resource["id"]).lower(), [])
        if rows:
            _outcome.tell(lines(resource["name"], rows))
            if not (dry_run or self.accepted):
                _outcome.confirm(self.cli_ctx, _errors.break_question(resource["name"], len(rows)))

    def leave_out(self, plan: Plan, connect: Callable[[str | None], Arm]) -> None:
        """Skip the registries of a plan with consumers that break, unless that is accepted."""
        items = [item for item in plan.changes if item.target == registry.DISABLED]
        found = self._ask(connect, [item.resource for item in items]) if items else {}
        for item in items:
            if rows := found.get(str(item.resource["id"]).lower()):
                _outcome.tell(lines(item.resource["name"], rows))
                if not self.accepted:
                    item.finish(rollout.SKIPPED, item.before, reason(rows))

    def _ask(self, connect: Callable[[str | None], Arm], resources: list[registry.Resource]) -> dict[str, "Rows"]:
        found, said = breaking(connect, resources, self.knowledge, hosts.cloud_suffix(self.cli_ctx.cloud))
        _outcome.tell(said)
        return found


def breaking(
    connect: Callable[[str | None], Arm], resources: Iterable[registry.Resource], known: Knowledge, suffix: str
) -> tuple[dict[str, Rows], list[str]]:
    """The consumers that break, by registry ID in lower case; and sentences on what could not be asked.

    Who cannot ask Resource Graph is not kept from enforcing: what is not known does not count as breaking.
    """
    tenants: dict[str, tuple[Arm, list[Registry]]] = {}
    for resource in resources:
        arm = connect(str(resource["id"]).split("/")[2])
        tenants.setdefault(arm.tenant, (arm, []))[1].append(_registry(resource))
    found: dict[str, Rows] = {}
    said: list[str] = []
    for arm, registries in tenants.values():
        try:
            result = report.of(_places(arm, registries), arm, known, suffix)
        except (ArmError, AzCLIError) as error:
            said.append(_errors.consumers_not_asked(str(error)))
            continue
        said += result["incomplete"]
        for each in result["registries"]:
            found[each["id"].lower()] = [row for row in each["consumers"] if row["verdict"] == BREAKS]
    return {key: rows for key, rows in found.items() if rows}, said


def _registry(resource: registry.Resource) -> Registry:
    identifier = str(resource["id"])
    parts = identifier.split("/")
    mode = str(resource["properties"].get("roleAssignmentMode") or "")
    return Registry(identifier, str(resource["name"]), registry.login_server(resource), parts[2], parts[4], "", mode)


def _places(arm: Arm, registries: list[Registry]) -> Places:
    """These registries, with the subscriptions that can be seen; Resource Graph may know their mode, if not them."""
    few = len(registries) <= _FEW
    names = ", ".join(f"'{each.name.lower()}'" for each in registries)
    found = inventory.places(arm, f" and name in~ ({names})" if few else "")
    modes = {each.id.lower(): each.mode for each in found.registries}
    for each in registries:
        each.mode = each.mode or modes.get(each.id.lower(), "")
    found.registries = registries
    return found


def lines(name: str, rows: Rows) -> list[str]:
    """For people: the consumers of a registry that break, why, and the mend."""
    told = [f"{_errors.counted(len(rows), 'consumer breaks', 'consumers break')} once {name} is enforced:"]
    return told + [f"  {row['kind']} {row['name']}: {row['why']} {row['mend']}" for row in rows]


def reason(rows: Rows) -> str:
    """Why a registry is left out of a run, in a row."""
    names = ", ".join(row["name"] for row in rows[:_SHOWN]) + (" …" if len(rows) > _SHOWN else "")
    counted = _errors.counted(len(rows), "consumer breaks", "consumers break")
    return f"{counted} ({names}): --include-breaking changes it all the same"
