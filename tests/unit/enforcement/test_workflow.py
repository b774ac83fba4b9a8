"""One way to enforce: the same rows however a registry was named, and the errors of one that was named alone."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.cli.core.azclierror import (
    ForbiddenError,
    ManualInterrupt,
    NoTTYError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope import _format
from azext_acrscope.arm.client import ArmError, Reply
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.consumers.knowledge import load_knowledge
from azext_acrscope.consumers.search import FleetConsumers
from azext_acrscope.enforcement import workflow
from azext_acrscope.enforcement.plan import Selection
from azext_acrscope.enforcement.preflight import ConsumerPreflight
from azext_acrscope.enforcement.record import parse_record
from azext_acrscope.enforcement.run import ChangeVerifier, Rollout
from azext_acrscope.enforcement.workflow import AzureAccess, RequestedChange
from azext_acrscope.verification.probe import ProbeFinding, Prober, Verification
from tests.factories.registries import SUBSCRIPTION, RegistryArm, resource

MEMBERS = [
    *("id", "name", "resourceGroup", "subscriptionId", "loginServer", "previousStatus", "status", "plannedStatus"),
    *("result", "changed", "reason", "consumers", "verification"),
]
GOOD = Verification(ProbeFinding("yes", "ok", "as it says"), 1.0, None)
BAD = Verification(ProbeFinding("no", "failed", "ARM tokens are accepted"), 9.0, None)


class Arm(RegistryArm):
    """ARM for registries whose status is in `statuses`; `refuse` answers a write, by name, with what it holds."""

    def __init__(self, **statuses: str) -> None:
        super().__init__()
        self.statuses = statuses
        self.refuse: dict[str, BaseException] = {}

    def read(self, path: str) -> Reply:
        name = path.rpartition("/")[2]
        if name not in self.statuses:
            raise ArmError(404, "ResourceNotFound", "there is none", "c")
        return Reply(200, {}, {**resource(self.statuses[name], name=name), "id": path})

    def pages(self, path: str, api_version: str, **_query: str) -> list[dict[str, Any]]:
        return []  # no assignment of Azure Policy

    def write(self, path: str, body: Any) -> Reply:
        name = path.rpartition("/")[2]
        if name in self.refuse:
            raise self.refuse[name]
        self.statuses[name] = body["properties"]["policies"]["azureADAuthenticationAsArmPolicy"]["status"]
        return Reply(200, {}, {})


class Verifier(ChangeVerifier):
    """Sees the same of every registry; an exception is raised."""

    def __init__(self, seen: Verification | BaseException) -> None:
        super().__init__(Prober(lambda _audience, _subscription: pytest.fail("asked"), "a", "b", ".azurecr.io"), 0)
        self.__dict__["seen"] = seen

    def verify_items(self, items: Any) -> list[Verification]:
        seen = self.__dict__["seen"]
        if isinstance(seen, BaseException):
            raise seen
        return [seen for _ in items]


def names(*texts: str) -> Selection:
    return Selection(
        named=tuple(RegistryRef(text, resource_group="rg", subscription_id=SUBSCRIPTION) for text in texts)
    )


@pytest.fixture
def enforce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Enforces without a terminal; a preflight's search finds what `found` is."""
    monkeypatch.setattr(sys, "stdin", None)
    config = SimpleNamespace(getboolean=lambda _section, _option, fallback=False: fallback)
    cloud = SimpleNamespace(suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io"))
    cli_ctx = SimpleNamespace(cloud=cloud, config=config, only_show_errors=True)
    recorded = iter(range(9))

    def run(
        arm: Any,
        selection: Selection,
        verifier: ChangeVerifier | None = None,
        found: FleetConsumers | None = None,
        include_breaking: bool = False,
        **change: Any,
    ) -> Any:
        preflight = change.pop("preflight", None)
        if found:
            monkeypatch.setattr(ConsumerPreflight, "_find_consumers", lambda _self, _connect, _resources, _begun: found)
            monkeypatch.setattr(ConsumerPreflight, "begin", lambda _self, _arm, _id: None)
            preflight = ConsumerPreflight(cli_ctx, load_knowledge(None), change.get("yes", False), include_breaking)
        azure = AzureAccess(cli_ctx, lambda _subscription: arm, lambda _subscription: arm)
        rollout = Rollout(tmp_path / f"run{next(recorded)}.jsonl", 60, verifier=verifier)
        return workflow.enforce_registries(azure, selection, RequestedChange(preflight=preflight, **change), rollout)

    return run


def test_rows_have_the_same_members_however_registries_were_selected(enforce: Any, tmp_path: Path) -> None:
    arm = Arm(contoso="enabled", fabrikam="enabled", tailspin="disabled")
    one, _ = enforce(arm, names("contoso"))
    many, _ = enforce(arm, names("contoso", "fabrikam", "tailspin", "nosuch"), yes=True)
    dry, _ = enforce(arm, names("fabrikam"), target="enabled", dry_run=True)
    undone, _ = enforce(arm, Selection(), undo=str(tmp_path / "run0.jsonl"), yes=True)
    assert {tuple(row) for row in [*one, *many, *dry, *undone]} == {tuple(MEMBERS)}
    assert [row["result"] for row in many] == ["unchanged", "changed", "unchanged", "failed"]
    assert (dry[0]["result"], dry[0]["status"], dry[0]["plannedStatus"]) == ("planned", "disabled", "enabled")
    assert [(row["status"], row["changed"]) for row in undone] == [("enabled", True)]


class Searching:
    """Takes the place of a preflight, and notes which registry's consumers are looked for before it is read."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def begin(self, _arm: Any, registry_id: str) -> None:
        self.ids.append(registry_id)

    def review(self, *_: Any) -> None:
        """Find nobody."""


@pytest.mark.parametrize(
    ("selection", "change", "begins"),
    [
        (names("contoso"), {}, True),
        (names("contoso", "contoso"), {"dry_run": True}, True),
        (Selection((RegistryRef("contoso"),), "rg"), {}, True),
        (names("contoso"), {"target": "enabled"}, False),
        (names("contoso", "fabrikam"), {"yes": True}, False),
    ],
)
def test_the_consumers_of_the_one_registry_whose_id_is_known_are_looked_for_while_it_is_read(
    enforce: Any, selection: Selection, change: dict[str, Any], begins: bool
) -> None:
    search = Searching()
    enforce(Arm(contoso="enabled", fabrikam="enabled"), selection, preflight=search, **change)
    assert search.ids == ([resource()["id"]] if begins else [])


def test_without_its_group_a_registry_is_found_first(enforce: Any) -> None:
    search = Searching()
    with pytest.raises(ResourceNotFoundError):  # the search by name has no result here
        enforce(Arm(contoso="enabled"), Selection((RegistryRef("contoso"),)), preflight=search)
    assert search.ids == []


def test_one_registry_that_is_not_there_is_the_error_itself(enforce: Any) -> None:
    with pytest.raises(ResourceNotFoundError, match="was not found"):
        enforce(Arm(), names("contoso", "contoso"))


def test_a_refused_write_of_one_registry_is_the_error_itself_with_its_state(enforce: Any, tmp_path: Path) -> None:
    arm = Arm(contoso="enabled")
    arm.refuse["contoso"] = ArmError(403, "AuthorizationFailed", "no", "c")
    with pytest.raises(ForbiddenError, match="It is `enabled` now"):
        enforce(arm, names("contoso"))
    assert parse_record(tmp_path / "run0.jsonl") == []


def test_a_refused_write_of_several_is_a_row(enforce: Any) -> None:
    arm = Arm(contoso="enabled", fabrikam="enabled")
    arm.refuse["contoso"] = ArmError(403, "AuthorizationFailed", "no", "c")
    rows, failed = enforce(arm, names("contoso", "fabrikam"), yes=True)
    assert [(row["result"], row["changed"]) for row in rows] == [("failed", False), ("changed", True)]
    assert "1 of 2 registries failed" in str(failed)
    assert "--undo" in " ".join(failed.recommendations)


def test_where_every_write_was_refused_no_undo_is_advised(enforce: Any) -> None:
    arm = Arm(contoso="enabled", fabrikam="enabled")
    for name in arm.statuses:
        arm.refuse[name] = ArmError(403, "AuthorizationFailed", "no", "c")
    _, failed = enforce(arm, names("contoso", "fabrikam"), yes=True)
    assert "2 of 2 registries failed" in str(failed)
    assert "--undo" not in " ".join(failed.recommendations)


def test_one_registry_needs_no_confirmation_and_several_do(enforce: Any) -> None:
    arm = Arm(contoso="enabled", fabrikam="enabled")
    with pytest.raises(NoTTYError, match="Set 2 registries in 1 subscription to `disabled`"):
        enforce(arm, names("contoso", "fabrikam"))
    assert arm.statuses == {"contoso": "enabled", "fabrikam": "enabled"}
    rows, failed = enforce(arm, names("contoso"))
    assert ([row["result"] for row in rows], failed) == (["changed"], None)


def test_no_record_is_made_where_nothing_changes(enforce: Any, tmp_path: Path) -> None:
    enforce(Arm(contoso="disabled"), names("contoso"), verifier=Verifier(GOOD))
    enforce(Arm(contoso="enabled"), names("contoso"), dry_run=True)
    assert list(tmp_path.iterdir()) == []


def test_one_registry_that_has_the_status_already_is_verified(enforce: Any) -> None:
    [row], failed = enforce(Arm(contoso="disabled"), names("contoso"), verifier=Verifier(GOOD))
    assert (row["result"], row["changed"], row["verification"]["verified"], failed) == ("unchanged", False, True, None)
    [row], failed = enforce(Arm(contoso="disabled"), names("contoso"), verifier=Verifier(BAD))
    assert (row["result"], row["changed"]) == ("failed", False)
    assert isinstance(failed, ValidationError)
    assert "nothing was written" in str(failed)


def test_one_change_that_is_not_verified_stays_and_is_a_row_before_the_error(enforce: Any) -> None:
    arm = Arm(contoso="enabled")
    [row], failed = enforce(arm, names("contoso"), verifier=Verifier(BAD))
    assert (row["result"], row["status"], row["changed"]) == ("failed", "disabled", True)
    assert "The change was kept." in str(failed)
    assert arm.statuses["contoso"] == "disabled"


@pytest.mark.parametrize("before", ["enabled", "disabled"])
def test_ctrl_c_while_verifying_says_what_the_registry_is_now(enforce: Any, before: str) -> None:
    [row], failed = enforce(Arm(contoso=before), names("contoso"), verifier=Verifier(KeyboardInterrupt()))
    assert (row["status"], row["verification"]) == ("disabled", None)
    assert isinstance(failed, ManualInterrupt)
    assert "Interrupted while verifying: registry 'contoso' has the status `disabled`" in str(failed)


def test_a_cancelled_job_that_verifies_says_what_the_registry_is_now(enforce: Any) -> None:
    class Cancelled(Verifier):
        def verify_items(self, items: Any) -> list[Verification]:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            return super().verify_items(items)

    before = signal.getsignal(signal.SIGTERM)
    [row], failed = enforce(Arm(contoso="enabled"), names("contoso"), verifier=Cancelled(GOOD))
    assert (row["status"], row["verification"]) == ("disabled", None)
    assert "Interrupted while verifying: registry 'contoso' has the status `disabled`" in str(failed)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_ctrl_c_that_breaks_in_names_the_record(enforce: Any, tmp_path: Path) -> None:
    arm = Arm(contoso="enabled")
    arm.refuse["contoso"] = KeyboardInterrupt()
    with pytest.raises(ManualInterrupt, match="Azure continues with") as raised:
        enforce(arm, names("contoso"))
    assert f"--undo {tmp_path / 'run0.jsonl'}" in " ".join(raised.value.recommendations)
    assert [each.id for each in parse_record(tmp_path / "run0.jsonl")] == [resource()["id"]]


# --- consumers ---


def breaking(*registry_names: str, unread: tuple[str, ...] = ()) -> FleetConsumers:
    row = {"kind": "aks", "name": "shop", "verdict": "breaks", "why": "w", "fix": "f", "registries": []}
    found: Any = SimpleNamespace(
        consumers={resource(name=name)["id"].lower(): [row] * 3 for name in registry_names},
        unread=list(unread),
        incomplete=[],
    )
    return found


def test_one_registry_whose_consumers_break_takes_a_yes(enforce: Any) -> None:
    arm = Arm(contoso="enabled")
    with pytest.raises(NoTTYError) as raised:
        enforce(arm, names("contoso"), found=breaking("contoso"))
    assert str(raised.value) == (
        "Confirmation is required because 3 consumers would break, and there is no terminal to ask at."
    )
    with pytest.raises(NoTTYError, match="because part of its consumers could not be read, and"):
        enforce(arm, names("contoso"), found=breaking(unread=("x",)))
    assert arm.statuses["contoso"] == "enabled"
    [row], _ = enforce(arm, names("contoso"), found=breaking("contoso"), yes=True)
    assert (row["result"], row["consumers"]) == ("changed", "asked")


def test_of_several_those_whose_consumers_break_are_left_out_in_spite_of_a_yes(enforce: Any) -> None:
    arm, both = Arm(contoso="enabled", fabrikam="enabled"), names("contoso", "fabrikam")
    rows, failed = enforce(arm, both, found=breaking("contoso"), yes=True)
    assert ([row["result"] for row in rows], failed) == (["skipped", "changed"], None)
    assert "3 consumers would break" in rows[0]["reason"]
    rows, _ = enforce(arm, both, found=breaking("contoso", unread=("x",)), yes=True, include_breaking=True)
    assert [(row["result"], row["consumers"]) for row in rows] == [
        ("changed", "unanswered"),
        ("unchanged", "not asked"),
    ]


def test_several_are_not_begun_where_part_of_the_search_could_not_be_read(enforce: Any) -> None:
    arm = Arm(contoso="enabled", fabrikam="enabled")
    with pytest.raises(ValidationError, match="Nothing was written"):
        enforce(arm, names("contoso", "fabrikam"), found=breaking(unread=("x",)), yes=True)
    assert set(arm.statuses.values()) == {"enabled"}


def test_whoever_does_not_look_for_consumers_has_it_in_the_row(enforce: Any) -> None:
    [row], _ = enforce(Arm(contoso="enabled"), names("contoso"))
    assert row["consumers"] == "skipped"


# --- the table ---


def test_the_table_has_columns_for_a_plan_and_for_a_verification_only_where_there_is_one(
    enforce: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    arm = Arm(contoso="enabled", fabrikam="disabled")
    plain = ["Name", "PreviousStatus", "Status", "Result", "Reason"]
    planned, _ = enforce(arm, names("contoso", "fabrikam"), dry_run=True)
    assert [list(row) for row in _format.enforce_table(planned)] == [[*plain[:3], "PlannedStatus", *plain[3:]]] * 2
    done, _ = enforce(arm, names("contoso", "fabrikam"), yes=True, verifier=Verifier(GOOD))
    table = _format.enforce_table(done)
    assert [list(row) for row in table] == [[*plain[:4], "Verified", "Seconds", "Reason"]] * 2
    assert [row["Verified"] for row in table] == [True, ""]
    assert _format.enforce_table([]) == []
