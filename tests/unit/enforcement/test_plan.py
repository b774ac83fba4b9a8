"""Plans and waves, and what a wave that cannot be verified means."""

from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.arm.client import ArmError, Reply
from azext_acrscope.enforcement import plan as enforcement_plan
from azext_acrscope.enforcement import plan_item, record, workflow
from azext_acrscope.enforcement import run as enforcement_run
from azext_acrscope.enforcement.plan import EnforcementPlan, WaveSettings
from azext_acrscope.enforcement.plan_item import PlanItem
from azext_acrscope.enforcement.run import ChangeVerifier, Rollout
from azext_acrscope.verification.probe import ProbeFinding, Prober, Verification
from tests.factories.registries import RegistryArm, resource


def items(*statuses: str, excluded: tuple[str, ...] = ()) -> list[PlanItem]:
    resources = [resource(status, name=f"contoso{number}") for number, status in enumerate(statuses)]
    return enforcement_plan._make_items(resources, lambda _: "disabled", excluded)


def names(wave: list[PlanItem]) -> list[Any]:
    return [item.resource["name"] for item in wave]


def test_a_registry_that_has_the_status_is_no_change() -> None:
    plan = EnforcementPlan(items("enabled", "disabled"))
    assert names(plan.changes) == ["contoso0"]
    assert plan.items[1].result == plan_item.UNCHANGED


def test_exclusion_is_by_name_login_server_or_id_in_any_case() -> None:
    excluded = ("CONTOSO0", "contoso1.AzureCR.io", resource(name="contoso2")["id"].upper())
    assert [item.result for item in items("enabled", "enabled", "enabled", "enabled", excluded=excluded)] == [
        "skipped",
        "skipped",
        "skipped",
        "",
    ]


def test_a_registry_that_cannot_be_understood_fails_alone() -> None:
    found = items("enabled", "partly")
    assert [item.result for item in found] == ["", "failed"]
    assert found[1].status == "unknown"


def test_without_waves_all_go_at_once() -> None:
    assert [names(wave) for wave in WaveSettings().split(items("enabled", "enabled"))] == [["contoso0", "contoso1"]]


def test_a_share_is_rounded_up() -> None:
    waves = WaveSettings(share=0.1).split(items(*["enabled"] * 11))
    assert [len(wave) for wave in waves] == [2, 9]


def test_canaries_go_first() -> None:
    waves = WaveSettings(canaries=frozenset({"contoso2"})).split(items(*["enabled"] * 4))
    assert [names(wave) for wave in waves] == [["contoso2"], ["contoso0", "contoso1", "contoso3"]]


def test_the_question_has_the_numbers() -> None:
    plan = EnforcementPlan(items("enabled", "enabled", "disabled", "enabled", excluded=("contoso0",)))
    assert enforcement_plan.enforcement_question(plan) == (
        "Set 2 registries in 1 subscription to `disabled` (1 unchanged, 1 skipped)?"
    )


# --- verifying waves ---

GOOD = Verification(ProbeFinding("yes", "ok", "as it says"), 1.0, None)
BAD = Verification(ProbeFinding("no", "failed", "ARM tokens are taken"), 9.0, None)


class Arm(RegistryArm):
    """ARM for the registries of a test; `refuse` answers a write with an error."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, str] = {}
        self.refuse: dict[str, ArmError] = {}

    def read(self, path: str) -> Reply:
        name = path.rpartition("/")[2]
        return Reply(200, {}, {**resource(self.statuses.get(name, "enabled"), name=name), "id": path})

    def write(self, path: str, body: Any) -> Reply:
        name = path.rpartition("/")[2]
        target = body["properties"]["policies"]["azureADAuthenticationAsArmPolicy"]["status"]
        if target == "enabled" and name in self.refuse:
            raise self.refuse[name]
        self.statuses[name] = target
        return Reply(200, {}, {})


class FakeVerifier(ChangeVerifier):
    """Sees what the test says, by name; an exception is raised."""

    def __init__(self, seen: dict[str, Any]) -> None:
        super().__init__(Prober(lambda _audience, _subscription: pytest.fail("asked"), "a", "b", ".azurecr.io"), 0)
        self.__dict__.update(seen=seen, asked=[])

    def verify_items(self, changed: list[PlanItem]) -> list[Verification]:
        found = [self.__dict__["seen"].get(item.resource["name"], GOOD) for item in changed]
        self.__dict__["asked"].append(names(changed))
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return found


def run(
    arm: Arm, verifier: ChangeVerifier, tmp_path: Path, waves: WaveSettings, count: int = 4, connect: Any = None
) -> tuple[EnforcementPlan, Any]:
    plan = EnforcementPlan(items(*["enabled"] * count))
    connect = connect or (lambda _subscription: arm)
    rollout = Rollout(tmp_path / "run.jsonl", 60, waves, verifier)
    return plan, enforcement_run.run_plan(plan, connect, rollout, lambda *_: None)


HALF = WaveSettings(share=0.5)


def test_each_wave_is_verified_before_the_next_begins(tmp_path: Path) -> None:
    verifier = FakeVerifier({})
    plan, failed = run(Arm(), verifier, tmp_path, HALF)
    assert failed is None
    assert verifier.__dict__["asked"] == [["contoso0", "contoso1"], ["contoso2", "contoso3"]]
    assert all(row["verification"]["verified"] for row in workflow.enforcement_rows(plan))


def test_a_failed_verification_restores_its_wave_and_no_other(tmp_path: Path) -> None:
    arm = Arm()
    plan, failed = run(arm, FakeVerifier({"contoso3": BAD}), tmp_path, HALF)
    assert [item.result for item in plan.items] == ["changed", "changed", "restored", "failed"]
    assert [item.status for item in plan.items] == ["disabled", "disabled", "enabled", "enabled"]
    assert arm.statuses == {f"contoso{n}": "disabled" if n < 2 else "enabled" for n in range(4)}
    assert failed is not None
    assert "ARM tokens are taken" in plan.items[3].reason
    assert {Path(each.id).name for each in record.parse_record(tmp_path / "run.jsonl")} == {"contoso0", "contoso1"}


def test_a_failed_verification_of_the_first_wave_keeps_the_rest_from_beginning(tmp_path: Path) -> None:
    plan, _ = run(Arm(), FakeVerifier({"contoso0": BAD}), tmp_path, HALF)
    assert [item.result for item in plan.items] == ["failed", "restored", "skipped", "skipped"]


def test_a_refused_restoration_is_said_and_stays_in_the_record(tmp_path: Path) -> None:
    arm = Arm()
    arm.refuse["contoso1"] = ArmError(403, "AuthorizationFailed", "no longer", "c")
    plan, _ = run(arm, FakeVerifier({"contoso0": BAD}), tmp_path, HALF)
    assert [(item.result, item.status) for item in plan.items[:2]] == [("failed", "enabled"), ("failed", "disabled")]
    assert "Restoring it failed" in plan.items[1].reason
    assert [Path(each.id).name for each in record.parse_record(tmp_path / "run.jsonl")] == ["contoso1"]


def test_without_waves_nothing_is_restored(tmp_path: Path) -> None:
    arm = Arm()
    plan, failed = run(arm, FakeVerifier({"contoso0": BAD}), tmp_path, WaveSettings())
    assert [item.result for item in plan.items] == ["failed", "changed", "changed", "changed"]
    assert set(arm.statuses.values()) == {"disabled"}
    assert failed is not None


def test_an_interrupted_verification_ends_the_run_with_rows(tmp_path: Path) -> None:
    plan, failed = run(Arm(), FakeVerifier({"contoso0": KeyboardInterrupt()}), tmp_path, HALF)
    assert [item.result for item in plan.items] == ["changed", "changed", "skipped", "skipped"]
    assert "Interrupted while verifying: registries 'contoso0', 'contoso1' have the status `disabled`" in str(failed)
    assert len(record.parse_record(tmp_path / "run.jsonl")) == 2


@pytest.mark.parametrize("sent", [0, 2])
def test_an_interruption_before_a_wave_ends_the_run_with_rows(tmp_path: Path, sent: int) -> None:
    arm, connected = Arm(), list[str]()

    def connect(subscription: str) -> Arm:
        if len(connected) == sent:
            raise KeyboardInterrupt
        connected.append(subscription)
        return arm

    plan, failed = run(arm, FakeVerifier({}), tmp_path, HALF, connect=connect)
    assert [item.result for item in plan.items] == ["changed"] * sent + ["skipped"] * (4 - sent)
    assert f"Interrupted: {4 - sent} registries not changed" in str(failed)
    assert len(record.parse_record(tmp_path / "run.jsonl")) == sent


def test_a_wave_without_a_change_has_nothing_to_verify() -> None:
    prober = Prober(lambda _audience, _subscription: pytest.fail("asked"), "a", "b", ".azurecr.io")
    assert ChangeVerifier(prober, 0).verify_items([]) == []
