"""Making the changes of a plan: wave after wave, each recorded before it is written, and verified if asked."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.client import Connect
from azext_acrscope.base import console
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.threads import map_bounded
from azext_acrscope.enforcement import errors, plan_item
from azext_acrscope.enforcement.executor import PlanExecutor
from azext_acrscope.enforcement.plan import EnforcementPlan, WaveSettings
from azext_acrscope.enforcement.plan_item import FAILED, SKIPPED, PlanItem
from azext_acrscope.enforcement.record import RunRecord

if TYPE_CHECKING:
    from azext_acrscope.verification.probe import Prober, Verification

_MAX_PROBERS = 20  # registries that are verified at the same time, each at its own login server


@dataclass(frozen=True)
class ChangeVerifier:
    """Verifies changes with the two-token probe, waiting up to `seconds` for each to take effect."""

    prober: "Prober"
    seconds: float

    def verify_items(self, items: list[PlanItem]) -> "list[Verification]":
        """Return what was seen of each item's registry, several at the same time; errors are findings, too."""
        if not items:
            return []
        from azext_acrscope.verification.probe import wait_until_in_effect

        console.tell([f"Verifying {base_errors.registries(len(items))} …"])
        prober = replace(self.prober)  # a new one, because a run may last longer than tokens live

        def verify_one(item: PlanItem) -> "Verification":
            return wait_until_in_effect(prober, item.resource, item.target, self.seconds)

        return map_bounded(verify_one, items, _MAX_PROBERS)


class Rollout(NamedTuple):
    """How a plan is carried out.

    :ivar record_file: where the record is kept; it must not exist yet.
    :ivar operation_seconds: how long to wait for Azure to finish one change.
    :ivar verifier: how to verify each wave; None does not.
    """

    record_file: Path
    operation_seconds: float
    waves: WaveSettings = WaveSettings()
    verifier: ChangeVerifier | None = None


def run_plan(
    plan: EnforcementPlan, connect: Connect, rollout: Rollout, progress: Callable[[int, int, int], None]
) -> AzCLIError | None:
    """Make the changes of a plan; its items hold what came of each. Return the error to end with, None if none failed.

    With a verifier, a wave that cannot be verified ends the run; where there are several waves, it is restored. One
    registry that was named and has the status already is verified as well.

    :param progress: takes three counts: done, all, failed.
    """
    if plan.changes:
        if stopped := _make_changes(plan, connect, rollout, progress):
            return stopped
    elif rollout.verifier:
        unchanged = [item for item in plan.items if plan.single and item.result == plan_item.UNCHANGED]
        if _count_unverified(unchanged, rollout.verifier) is None:
            return _verification_interrupted(unchanged, record_file="")
    sent = any(item.sent for item in plan.items)  # else there is nothing to undo
    return run_error(plan, str(rollout.record_file) if sent else "")


def run_error(plan: EnforcementPlan, record_file: str = "") -> AzCLIError | None:
    """Return the error to end with if something failed or could not be read, in a dry run as well; else None."""
    failed = plan_item.count_failures(plan.items)
    if plan.single and failed:
        return plan.items[0].error
    if failed or plan.unread:
        return errors.some_failed(failed, len(plan.items), len(plan.unread), record_file)
    return None


def _make_changes(
    plan: EnforcementPlan, connect: Connect, rollout: Rollout, progress: Callable[[int, int, int], None]
) -> AzCLIError | None:
    """Return the error that stopped the run, None if it came to its end."""
    changes, file = plan.changes, rollout.record_file
    log = RunRecord(file)
    runner = PlanExecutor(connect, log, rollout.operation_seconds, plan.made_at, progress)
    waves = _Waves(runner, rollout.verifier, restores=rollout.waves.staged)
    try:
        console.tell([f"The record of this run: {file}"])
        log.append([{"event": "run", "registries": len(changes), "consumers": plan.consumers}])
        waves.run(rollout.waves.split(changes))
    except KeyboardInterrupt:
        if runner.interrupted or any(item.written_down and not item.result for item in changes):
            raise errors.interrupted_again(str(file)) from None
        runner.interrupted = True  # before a wave or between two: nothing that was sent is under way
        runner.run(changes)  # which skips the rest
    finally:
        log.close()
    if runner.stopped:
        return runner.stopped
    if waves.unverified:
        return _verification_interrupted(waves.unverified, str(file))
    if runner.interrupted:
        return errors.was_interrupted(sum(item.result == SKIPPED for item in changes), str(file))
    if not plan.single and any(item.changed for item in changes):
        console.tell(
            ["Resource Graph may show the old status for minutes. Use `az acr scope list --live` for the current one."]
        )
    return None


def _verification_interrupted(items: list[PlanItem], record_file: str) -> AzCLIError:
    return errors.verification_interrupted([item.resource["name"] for item in items], items[0].status, record_file)


@dataclass
class _Waves:
    """Runs wave after wave while nothing fails. `unverified`: what an interruption left unverified."""

    runner: PlanExecutor
    verifier: ChangeVerifier | None
    restores: bool
    unverified: list[PlanItem] | None = None

    def run(self, waves: list[list[PlanItem]]) -> None:
        failed = 0
        for wave in waves:
            if failed:
                for item in wave:
                    item.finish(SKIPPED, item.before, f"not started: {failed} in the first wave failed")
                continue
            self.runner.run(wave)  # which skips all, once the run was stopped
            if self.verifier and not (self.runner.stopped or self.runner.interrupted):
                self._verify(wave, self.verifier)
            failed = plan_item.count_failures(wave)

    def _verify(self, wave: list[PlanItem], verifier: ChangeVerifier) -> None:
        changed = [item for item in wave if item.result == plan_item.CHANGED]
        bad = _count_unverified(changed, verifier)
        if bad is None:
            self.runner.interrupted, self.unverified = True, changed  # what was changed is in the record
        elif bad and self.restores:
            self._restore(changed, bad)

    def _restore(self, changed: list[PlanItem], bad: int) -> None:
        """Write back what the items had before, as changes of their own in the same record."""
        console.warn([f"{base_errors.registries(bad)} could not be verified. Restoring the changes of this wave …"])
        back = [PlanItem(item.resource, item.target, item.before, restores=True) for item in changed]
        self.runner.run(back)
        for item, restored in zip(changed, back, strict=True):
            done = restored.status == item.before
            said = errors.restored(item.before) if done else errors.not_restored(restored.reason)
            if item.result == FAILED or not done:
                item.finish(FAILED, restored.status, f"{item.reason} {said}".strip())
            else:
                item.finish(plan_item.RESTORED, restored.status, errors.restored_with_its_wave(bad, item.before))


def _count_unverified(items: list[PlanItem], verifier: ChangeVerifier) -> int | None:
    """Verify items and let those fail whose status is not in effect.

    Return how many; None if Ctrl-C or SIGTERM ended it.
    """
    try:
        with _interrupted_by_sigterm():
            seen = verifier.verify_items(items)
    except KeyboardInterrupt:
        return None
    for item, verification in zip(items, seen, strict=True):
        item.verification = verification.row()
        if not verification.verified:
            why, seconds = verification.finding.seen, verification.seconds
            error = errors.not_verified(item.resource["id"], item.status, item.changed, seconds, why)
            item.fail(item.status, error, errors.not_verified_reason(why, seconds))
    return sum(not verification.verified for verification in seen)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Meanwhile SIGTERM, by which pipelines cancel a job, is a Ctrl-C: the command ends by saying what it has done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
