"""Enforcing many registries: select, plan from the live state, ask, write in waves, report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import ArmClient
from azext_acrscope.base import console
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.threads import map_bounded
from azext_acrscope.enforcement import errors, executor
from azext_acrscope.enforcement.executor import FAILED, SKIPPED, PlanExecutor, PlanItem
from azext_acrscope.enforcement.plan import EnforcementPlan, WaveSettings
from azext_acrscope.enforcement.record import RunRecord
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.verification.probe import Prober, Verification, wait_until_in_effect

_MAX_PROBERS = 20  # registries that are verified at the same time, each at its own login server


@dataclass(frozen=True)
class ChangeVerifier:
    """How to verify changes: with the two-token probe, waiting so many seconds for each to take effect."""

    prober: Prober
    seconds: float

    def of(self, changed: list[PlanItem]) -> list[Verification]:
        """Verify changed registries, several at the same time; no error but what is in the findings."""
        if not changed:
            return []
        console.tell([f"Verifying {base_errors.registries(len(changed))} …"])
        prober = replace(self.prober)  # a new one: tokens live less long than runs may

        def one(item: PlanItem) -> Verification:
            return wait_until_in_effect(prober, item.resource, item.target, self.seconds)

        return map_bounded(one, changed, _MAX_PROBERS)


# --- the run -------------------------------------------------------------------------------------------------------


def run_plan(
    plan: EnforcementPlan,
    connect: Callable[[str | None], ArmClient],
    file: Path,
    waves: WaveSettings,
    operation_seconds: float,
    watch: Callable[[int, int, int], None],
    proof: ChangeVerifier | None = None,
) -> AzCLIError | None:
    """Make the changes of a plan; its items hold what came of each. None if nothing failed, else the error to end with.

    :param file: where to keep the record.
    :param proof: how to verify each wave. One that cannot be verified ends the run; of several, it is restored.
    """
    changes = plan.changes
    if changes:
        log = RunRecord(file)
        console.tell([f"The record of this run: {file}"])
        try:
            log.append([{"event": "run", "registries": len(changes), "consumers": plan.consumers}])
            runner = PlanExecutor(connect, log, operation_seconds, plan.made_at, watch)
            _run_waves(waves.split(changes), runner, proof, restores=waves.staged)
        finally:
            log.close()
        if runner.stopped:
            return runner.stopped
        if runner.interrupted:
            return errors.was_interrupted(sum(item.result == SKIPPED for item in changes), str(file))
        console.tell(["Resource Graph may show the old status for minutes; `az acr scope list --live` shows it now."])
    return run_error(plan, str(file) if changes else "")


def run_error(plan: EnforcementPlan, record_file: str = "") -> AzCLIError | None:
    """The error to end with if something failed or could not be read, in a dry run as well."""
    failed = executor.count_failures(plan.items)
    if failed or plan.unread:
        return errors.some_failed(failed, len(plan.items), len(plan.unread), record_file)
    return None


def _run_waves(waves: list[list[PlanItem]], runner: PlanExecutor, proof: ChangeVerifier | None, restores: bool) -> None:
    """Run wave after wave while nothing fails."""
    failed = 0
    for wave in waves:
        if failed:
            for item in wave:
                item.finish(SKIPPED, item.before, f"not begun: {failed} of the first wave failed")
        else:
            runner.run(wave)  # which skips all, once the run was stopped
            if proof and not (runner.stopped or runner.interrupted):
                _verify_wave(wave, runner, proof, restores)
            failed = executor.count_failures(wave)


def _verify_wave(wave: list[PlanItem], runner: PlanExecutor, proof: ChangeVerifier, restores: bool) -> None:
    """Verify what a wave changed; if some of it is not in effect, take all of it back, or let it be a failure."""
    changed = [item for item in wave if item.result == executor.CHANGED]
    try:
        seen = proof.of(changed)
    except KeyboardInterrupt:
        runner.interrupted = True  # what was changed is in the record
        return
    bad = 0
    for item, verification in zip(changed, seen, strict=True):
        item.verification = verification.row()
        if not verification.verified:
            bad += 1
            item.finish(
                FAILED, item.status, errors.not_verified_in_row(verification.finding.seen, verification.seconds)
            )
    if bad and restores:
        _restore_wave(changed, runner, bad)


def _restore_wave(changed: list[PlanItem], runner: PlanExecutor, bad: int) -> None:
    """Write back what the items had before, as changes of their own in the same record."""
    console.warn([f"{base_errors.registries(bad)} could not be verified: restoring what this wave changed …"])
    back = [PlanItem(item.resource, item.target, item.before, restores=True) for item in changed]
    runner.run(back)
    for item, restored in zip(changed, back, strict=True):
        done = restored.status == item.before
        said = errors.restored(item.before) if done else errors.not_restored(restored.reason)
        if item.result == FAILED or not done:
            item.finish(FAILED, restored.status, f"{item.reason} {said}".strip())
        else:
            item.finish(executor.RESTORED, restored.status, errors.restored_with_its_wave(bad, item.before))


def enforcement_rows(plan: EnforcementPlan, dry_run: bool) -> list[dict[str, Any]]:
    """A row a registry, as `enforce` prints them; a dry run has `plannedStatus`, and `planned` as the result."""
    return [_item_row(item, dry_run) for item in plan.items]


def _item_row(item: PlanItem, dry_run: bool) -> dict[str, Any]:
    registry_id = item.resource["id"]
    parts = registry_id.split("/") if registry_id else [None] * 9
    row = {
        "id": registry_id,
        "name": item.resource["name"],
        "resourceGroup": parts[4],
        "subscriptionId": parts[2],
        "loginServer": registry_resource.login_server_of(item.resource) or None,
        "previousStatus": item.before,
        "status": item.status or item.before,
        "result": item.result or "planned",
        "reason": item.reason,
    }
    if item.verification:
        row["verification"] = item.verification
    if dry_run:
        row["plannedStatus"] = item.before if item.result else item.target
    return row
