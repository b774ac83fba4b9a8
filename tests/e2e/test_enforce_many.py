"""`az acr scope enforce` over many registries, through the real `az`."""

import json
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result, captured, heed_interrupts, running
from tests.localcloud import LocalCloud, Registry

ARM = "management.azure.com"


@pytest.fixture
def group(registry_name: str) -> str:
    """A resource group of this test's own."""
    return f"rg-{registry_name}"


@pytest.fixture
def make(cloud: LocalCloud, registry_name: str, group: str) -> Callable[..., list[Registry]]:
    """Makes registries in this test's group."""

    def registries(count: int, **options: Any) -> list[Registry]:
        made = len([each for each in cloud.world.registries if each.name.startswith(f"{registry_name}x")])
        names = [f"{registry_name}x{number:03}" for number in range(made, made + count)]
        return [cloud.world.add_registry(name, resource_group=group, **options) for name in names]

    return registries


def enforce(az: Az, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return az("acr", "scope", "enforce", *arguments, "--yes", env=env, timeout=300)


def results(result: Result) -> Counter[str]:
    return Counter(row["result"] for row in result.json)


def patched(cloud: LocalCloud) -> Counter[str]:
    """How often each registry was written to, writes refused with 429 left out."""
    return Counter(
        request.path.rpartition("/")[2]
        for request in cloud.requests_to(ARM)
        if request.method == "PATCH" and request.status != 429
    )


def record_of(result: Result) -> Path:
    found = re.search(r"The record of this run: (\S+)", result.stderr)
    assert found, result
    return Path(found[1])


def lines(record: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.read_text().splitlines()]


def test_a_group_is_enforced_with_one_write_a_registry(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(12) + make(2, policy_status="disabled")
    result = enforce(az, "-g", group)
    assert result.code == 0, result
    assert results(result) == {"changed": 12, "unchanged": 2}
    assert all(registry.policy_status == "disabled" for registry in registries)
    assert patched(cloud) == {registry.name: 1 for registry in registries[:12]}
    row = next(row for row in result.json if row["result"] == "changed")
    assert (row["previousStatus"], row["status"]) == ("enabled", "disabled")
    assert set(row) == {
        "id", "name", "resourceGroup", "subscriptionId", "loginServer", "previousStatus", "status", "plannedStatus",
        "result", "changed", "reason", "consumers", "verification",
    }  # fmt: skip
    assert (row["changed"], row["consumers"], row["plannedStatus"], row["verification"]) == (True, "asked", None, None)
    assert [row["changed"] for row in result.json if row["result"] == "unchanged"] == [False, False]


def test_a_dry_run_of_many_writes_nothing(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    make(3)
    make(1, policy_status="disabled")
    result = az("acr", "scope", "enforce", "-g", group, "--dry-run", "--exclude", f"{make(1)[0].name}")
    assert result.code == 0, result
    assert [(row["result"], row["plannedStatus"]) for row in result.json] == [
        ("planned", "disabled"),
        ("planned", "disabled"),
        ("planned", "disabled"),
        ("unchanged", "disabled"),
        ("skipped", "enabled"),
    ]
    assert patched(cloud) == {}
    assert not (az.config / "acrscope").exists()


def test_several_names_are_enforced(az: Az, make: Any) -> None:
    one, two, three, four = make(4)
    result = enforce(az, "-n", one.name, two.login_server, "-r", three.id)
    assert result.code == 0, result
    assert results(result) == {"changed": 3}
    assert four.policy_status == "enabled"


def test_ids_are_enforced_each_once_and_a_bad_one_is_blamed_rightly(az: Az, cloud: LocalCloud, make: Any) -> None:
    one, two = make(2)
    missing = one.id + "gone"
    result = enforce(az, "--ids", one.id, missing, two.id, two.id.upper())
    assert result.code == 1
    assert results(result) == {"changed": 2, "failed": 1}
    failed = next(row for row in result.json if row["result"] == "failed")
    assert failed["name"] == f"{one.name}gone"
    assert "was not found" in failed["reason"]
    assert set(patched(cloud).values()) == {1}


def test_tags_select(az: Az, make: Any, group: str) -> None:
    tagged = make(2, tags={"ring": "1", "team": "a"})
    make(1, tags={"ring": "2", "team": "a"})
    make(1)
    result = enforce(az, "-g", group, "--tag", "ring=1", "--tag", "team=a")
    assert {row["name"] for row in result.json} == {registry.name for registry in tagged}


@pytest.mark.parametrize("arguments", [[], ["--exclude", "contoso"], ["--wave", "10%"]])
def test_nothing_selected_is_an_error(az: Az, cloud: LocalCloud, arguments: list[str]) -> None:
    az("config", "set", "defaults.group=rg-apps")
    result = enforce(az, *arguments)
    assert result.code != 0
    assert "No registry was selected" in result.stderr
    assert patched(cloud) == {}


def test_a_selection_that_matches_nothing_is_an_error(az: Az, make: Any, group: str) -> None:
    make(1)
    result = enforce(az, "-g", group, "--tag", "ring=9")
    assert result.code == 3
    assert "ring=9" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["-n", "contoso", "--all"], ["--undo", "x", "--all"], ["--all", "--all-subscriptions"], ["--wave", "0%", "--all"]],
)
def test_contradictions_are_refused(az: Az, cloud: LocalCloud, arguments: list[str]) -> None:
    result = enforce(az, *arguments)
    assert result.code != 0
    assert cloud.requests == []


def test_without_a_terminal_and_yes_nothing_is_written(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    make(3)
    result = az("acr", "scope", "enforce", "-g", group)
    assert result.code == 1
    assert "Set 3 registries in 1 subscription to `disabled`?" in result.stderr
    assert "--yes" in result.stderr
    assert patched(cloud) == {}


def test_the_configuration_may_answer_the_question(az: Az, make: Any, group: str) -> None:
    make(2)
    az("config", "set", "core.disable_confirm_prompt=yes")
    assert az("acr", "scope", "enforce", "-g", group).code == 0


def test_the_record_holds_each_change_and_outcome_and_only_its_owner_reads_it(az: Az, make: Any, group: str) -> None:
    registries = make(3)
    record = record_of(enforce(az, "-g", group))
    assert record.parent == az.config / "acrscope"
    assert record.stat().st_mode & 0o777 == 0o600
    events = Counter(line["event"] for line in lines(record))
    assert events == {"run": 1, "change": 3, "outcome": 3}
    assert {line["id"] for line in lines(record) if line["event"] == "change"} == {each.id for each in registries}


def test_undo_restores_exactly_what_the_run_changed(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    changed = make(4)
    before = make(1, policy_status="disabled")
    record = record_of(enforce(az, "-g", group))
    changed[0].policy_status = "enabled"  # someone changed it back
    result = enforce(az, "--undo", str(record))
    assert result.code == 0, result
    assert results(result) == {"changed": 3, "skipped": 1}
    assert [registry.policy_status for registry in changed] == ["enabled"] * 4
    assert before[0].policy_status == "disabled"
    cloud.clear_requests()
    again = enforce(az, "--undo", str(record))
    assert results(again) == {"skipped": 4}
    assert patched(cloud) == {}


def test_a_record_is_never_overwritten(az: Az, cloud: LocalCloud, make: Any, group: str, tmp_path: Path) -> None:
    make(1)
    (tmp_path / "mine.jsonl").write_text("precious\n")
    result = enforce(az, "-g", group, "--record", str(tmp_path / "mine.jsonl"))
    assert result.code == 1
    assert (tmp_path / "mine.jsonl").read_text() == "precious\n"
    assert patched(cloud) == {}


@pytest.mark.parametrize("content", ["", "not json\n{}\n", "[1]\n[2]\n"])
def test_a_file_that_is_no_record_is_not_undone(az: Az, tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content)
    result = enforce(az, "--undo", str(tmp_path / "file"))
    assert result.code == 1
    assert "cannot be read as a record" in result.stderr


def test_one_failure_never_stops_the_others(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(6)
    registries[0].operation_outcome = "Failed"
    registries[1].ignore_writes = True
    cloud.world.lock(registries[2].id)
    result = enforce(az, "-g", group)
    assert result.code == 1
    assert results(result) == {"changed": 3, "failed": 3}
    reasons = {row["name"]: row["reason"] for row in result.json}
    assert "as Failed" in reasons[registries[0].name]
    assert "reading it back" in reasons[registries[1].name]
    assert "ScopeLocked" in reasons[registries[2].name]
    assert all(reasons[each.name].endswith("It is `enabled` now.") for each in registries[:3])
    assert "3 of 6 registries failed" in result.stderr


def test_a_failing_canary_stops_the_rest(az: Az, make: Any, group: str) -> None:
    registries = make(5)
    registries[3].operation_outcome = "Failed"
    result = enforce(az, "-g", group, "--canary", registries[3].name)
    assert result.code == 1
    assert results(result) == {"failed": 1, "skipped": 4}
    assert [registry.policy_status for registry in registries] == ["enabled"] * 5


def test_a_wave_that_succeeds_is_followed_by_the_rest(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    make(10)
    assert results(enforce(az, "-g", group, "--wave", "20%")) == {"changed": 10}
    writes = [each for each in cloud.requests_to(ARM) if each.method == "PATCH"]
    first = {each.path: each.time for each in writes[:2]}
    reads = [each for each in cloud.requests_to(ARM) if each.method == "GET" and each.path in first]
    read_back = [each.time for each in reads if each.time > first[each.path]]
    assert len(read_back) >= 2
    assert max(read_back) < writes[2].time


def test_passing_faults_are_survived(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(60)
    cloud.faults.add(host=ARM, method="PATCH", status=500, probability=0.05, seed=1, times=None)
    cloud.faults.add(host=ARM, method="PATCH", reset="after", probability=0.05, seed=2, times=None)
    cloud.faults.add(host=ARM, method="GET", path="*/operationStatuses/*", status=503, times=5)
    result = enforce(az, "-g", group)
    assert result.code == 0, result
    assert results(result) == {"changed": 60}
    assert all(registry.policy_status == "disabled" for registry in registries)


def test_all_faults_at_once_end_in_the_right_rows(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    open_, closed = world.add_subscription(f"Open {registry_name}"), world.add_subscription(f"Closed {registry_name}")
    account = world.add_service_principal(f"fleet of {registry_name}")
    world.grant(account, open_.scope, "Contributor")
    closing = world.grant(account, closed.scope, "Reader")
    registries = [world.add_registry(f"{registry_name}x{number}", subscription=open_) for number in range(60)]
    registries[7].operation_outcome = "Failed"
    az = new_az(account)
    world.revoke(closing)
    cloud.faults.add(host=ARM, method="PATCH", status=500, probability=0.05, seed=3, times=None)
    cloud.faults.add(host=ARM, method="PATCH", reset="after", probability=0.05, seed=4, times=None)
    cloud.faults.add(host=ARM, method="GET", path="*/operationStatuses/*", reset=True, probability=0.05, times=None)
    result = enforce(az, "--all-subscriptions")
    assert result.code == 1
    assert results(result) == {"changed": 59, "failed": 1}
    assert next(row for row in result.json if row["result"] == "failed")["name"] == registries[7].name
    assert "1 of 60 registries failed and 1 subscription could not be read" in result.stderr
    recorded = lines(record_of(result))
    assert Counter(line["event"] for line in recorded) == {"run": 1, "change": 60, "outcome": 60}
    assert {each.name for each in registries if each.policy_status != "disabled"} == {registries[7].name}


def test_throttled_and_failing_reads_of_the_plan_are_waited_out(az: Az, cloud: LocalCloud, make: Any) -> None:
    one, two = make(2)
    cloud.faults.add(host=ARM, method="GET", path="*/registries/*", status=429, headers={"Retry-After": "1"}, times=1)
    cloud.faults.add(host=ARM, method="GET", path="*/registries/*", status=503, times=1)
    assert results(enforce(az, "--ids", one.id, two.id)) == {"changed": 2}


def test_what_may_not_be_read_is_left_out_of_arms_lists_and_not_written(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world = cloud.world
    open_, closed = world.add_subscription(f"Open {registry_name}"), world.add_subscription(f"Closed {registry_name}")
    account = world.add_service_principal("fleet")
    world.grant(account, open_.scope, "Contributor")
    world.grant(account, closed.scope, ("Microsoft.Resources/subscriptions/read",))
    registry = world.add_registry(registry_name, subscription=open_)
    world.add_registry(f"{registry_name}b", subscription=closed)
    az = new_az(account)
    result = enforce(az, "--all-subscriptions")
    assert registry.policy_status == "disabled"
    # ARM leaves out of a list what may not be read: the account sees the subscription, and no registry in it.
    assert [(row["name"], row["result"]) for row in result.json] == [(registry_name, "changed")]


def test_killed_at_any_moment_a_repeat_finishes_and_undo_is_exact(
    az: Az, cloud: LocalCloud, make: Any, group: str
) -> None:
    registries = make(24)
    for writes in (1, 8, 16, 22, 24):
        cloud.clear_requests()
        command = ("acr", "scope", "enforce", "-g", group, "--yes")
        az.killed(*command, when=lambda writes=writes: sum(patched(cloud).values()) >= writes)  # type: ignore[misc]
        done = {each.name for each in registries if each.policy_status == "disabled"}
        records = sorted((az.config / "acrscope").glob("*.jsonl"))
        begun = {
            line["id"].rpartition("/")[2]
            for record in records
            for line in map(json.loads, record.read_text().splitlines())
            if line["event"] == "change"
        }
        assert done <= begun, "a registry was changed that no record names"
        cloud.clear_requests()
        result = enforce(az, "-g", group)
        assert result.code == 0, result
        assert not set(patched(cloud)) & done, "a registry was written again without need"
        assert all(each.policy_status == "disabled" for each in registries)
        for record in sorted((az.config / "acrscope").glob("*.jsonl")):
            assert enforce(az, "--undo", str(record)).code == 0
        assert all(each.policy_status == "enabled" for each in registries)
        for record in (az.config / "acrscope").glob("*.jsonl"):
            record.unlink()


def test_ctrl_c_sees_what_was_sent_to_its_end(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(120)
    cloud.faults.add(host=ARM, method="PATCH", delay=0.3, times=None)
    result = az.interrupted(
        *("acr", "scope", "enforce", "-g", group, "--yes"), when=lambda: sum(patched(cloud).values()) >= 10
    )
    assert result.code == 1, result
    rows = result.json
    counted = Counter(row["result"] for row in rows)
    assert set(counted) == {"changed", "skipped"}, result
    disabled = {each.name for each in registries if each.policy_status == "disabled"}
    assert {row["name"] for row in rows if row["result"] == "changed"} == disabled
    assert "Interrupted" in result.stderr


def test_a_429_slows_all_writers_and_loses_none(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    make(40)
    cloud.world.throttling = True
    cloud.world.throttle.limits["writes"] = (10, 20.0)
    try:
        started = time.monotonic()
        result = enforce(az, "-g", group)
        elapsed = time.monotonic() - started
    finally:
        cloud.world.throttling = False
    assert result.code == 0, result
    assert results(result) == {"changed": 40}
    assert set(patched(cloud).values()) == {1}
    assert elapsed < 30
    refused = [each for each in cloud.requests_to(ARM) if each.method == "PATCH" and each.status == 429]
    assert len(refused) < 60


def test_ctrl_c_in_the_first_wave_does_not_begin_the_second(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(60)
    cloud.faults.add(host=ARM, method="PATCH", delay=1.5, times=None)
    command = [str(az.program), "acr", "scope", "enforce", "-g", group, "--yes", "--wave", "5%"]
    with running(command, **captured(az.env), preexec_fn=heed_interrupts) as process:
        while not patched(cloud) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    counted = Counter(row["result"] for row in json.loads(stdout))
    assert sum(each.policy_status == "disabled" for each in registries) == counted["changed"] <= 3


@pytest.mark.parametrize("option", ["--canary", "--exclude"])
def test_a_slip_in_a_name_is_an_error_before_anything_is_written(
    az: Az, cloud: LocalCloud, make: Any, group: str, option: str
) -> None:
    make(3)
    result = enforce(az, "-g", group, option, "nosuchregistry")
    assert result.code == 1
    assert "nosuchregistry" in result.stderr
    assert patched(cloud) == {}


@pytest.mark.parametrize("more", [["--status", "disabled"], ["-g", "rg-x"], ["-n", "contoso"]])
def test_undo_takes_no_selection_and_no_status(az: Az, more: list[str]) -> None:
    assert "--undo" in enforce(az, "--undo", "x.jsonl", *more).stderr


def test_undo_honours_exclude(az: Az, make: Any, group: str) -> None:
    one, two = make(2)
    record = record_of(enforce(az, "-g", group))
    assert results(enforce(az, "--undo", str(record), "--exclude", one.name)) == {"changed": 1, "skipped": 1}
    assert (one.policy_status, two.policy_status) == ("disabled", "enabled")


def test_a_dry_run_with_something_unreadable_does_not_succeed(az: Az, make: Any) -> None:
    (one,) = make(1)
    result = az("acr", "scope", "enforce", "--ids", one.id, one.id + "gone", "--dry-run")
    assert result.code == 1
    assert [row["result"] for row in result.json] == ["planned", "failed"]
    assert result.json[1]["id"] == one.id + "gone"


def test_a_list_with_a_broken_page_is_not_taken_for_whole(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    make(5)
    cloud.world.page_size = 2
    cloud.faults.add(host=ARM, method="GET", path="*/registries", status=200, body="<html>", after=1, times=1)
    try:
        result = enforce(az, "-g", group)
    finally:
        cloud.world.page_size = 1000
    assert result.code != 0
    assert "something that is not a list" in result.stderr
    assert patched(cloud) == {}


def ask(az: Az, arguments: list[str], answer: bytes) -> tuple[int, str, str]:
    """Run at a terminal, with stdout in a file; the exit code, what the terminal showed, and stdout."""
    import os
    import pty

    main, other = pty.openpty()
    command = [str(az.program), "acr", "scope", "enforce", *arguments]
    with (
        (az.home / "out").open("wb") as out,
        running(command, env=az.env, stdin=other, stdout=out, stderr=other) as process,
    ):
        os.close(other)
        shown = b""
        while b"(y/n)" not in shown and process.poll() is None:
            shown += os.read(main, 1024)
        os.write(main, answer)
        while True:
            try:
                shown += os.read(main, 1024)
            except OSError:
                break
        process.wait(60)
    os.close(main)
    return process.returncode, shown.decode(errors="replace"), (az.home / "out").read_text()


def test_at_a_terminal_the_question_is_on_stderr_and_the_result_alone_on_stdout(
    az: Az, cloud: LocalCloud, make: Any, group: str
) -> None:
    make(2)
    code, shown, out = ask(az, ["-g", group], b"n\n")
    assert code == 1
    assert "Set 2 registries in 1 subscription to `disabled`?" in shown
    assert out == ""
    code, shown, _ = ask(az, ["-g", group], b"\x04")
    assert code == 1
    assert "Traceback" not in shown
    assert patched(cloud) == {}
    code, shown, out = ask(az, ["-g", group], b"y\n")
    assert code == 0, shown
    assert [row["result"] for row in json.loads(out)] == ["changed", "changed"]
    assert "2 / 2, 0 failed" in shown


# --- --verify ---

BRIEF = {"AZURE_ACRSCOPE_VERIFY_TIMEOUT": "0"}


def test_waves_are_verified_one_after_the_other(az: Az, cloud: LocalCloud, make: Any, group: str) -> None:
    registries = make(8)
    result = enforce(az, "-g", group, "--wave", "25%", "--verify")
    assert result.code == 0, result
    assert results(result) == {"changed": 8}
    assert all(row["verification"]["verified"] for row in result.json)
    proofs = [each for each in cloud.requests if each.path == "/oauth2/exchange"]
    assert Counter(each.host for each in proofs) == {each.login_server: 2 for each in registries}
    second_wave = [each.time for each in cloud.requests_to(ARM) if each.method == "PATCH"][2]
    assert len([each for each in proofs if each.time < second_wave]) == 4


@pytest.mark.parametrize("wave", ["canary", "share"])
def test_a_wave_that_cannot_be_verified_is_restored_and_ends_the_run(
    az: Az, cloud: LocalCloud, make: Any, group: str, wave: str
) -> None:
    registries = make(6)
    registries[1].ignore_policy = True
    first = ["--canary", registries[0].name, registries[1].name] if wave == "canary" else ["--wave", "33%"]
    result = enforce(az, "-g", group, *first, "--verify", env=BRIEF)
    assert result.code == 1
    assert results(result) == {"restored": 1, "failed": 1, "skipped": 4}
    rows = {row["name"]: row for row in result.json}
    assert rows[registries[0].name]["result"] == "restored"
    assert rows[registries[0].name]["verification"]["verified"]
    failed = rows[registries[1].name]
    assert (failed["status"], failed["verification"]["enforcedInEffect"]) == ("enabled", "no")
    assert "restored to `enabled`" in failed["reason"]
    assert {each.policy_status for each in registries} == {"enabled"}
    assert patched(cloud) == {each.name: 2 for each in registries[:2]}
    recorded = lines(record_of(result))
    restored = [line for line in recorded if line.get("restores")]
    assert {(line["from"], line["to"]) for line in restored} == {("disabled", "enabled")}
    assert len(restored) == 2

    undone = enforce(az, "--undo", str(record_of(result)))
    assert (undone.code, undone.json) == (0, [])


def test_what_cannot_be_restored_is_said_and_can_be_undone_later(
    az: Az, cloud: LocalCloud, make: Any, group: str
) -> None:
    first, _ = make(2)
    first.ignore_policy = True
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": "no longer"}})
    cloud.faults.add(host=ARM, method="PATCH", status=403, body=body, after=1, times=1)
    result = enforce(az, "-g", group, "--canary", first.name, "--verify", env=BRIEF)
    assert result.code == 1
    row = next(row for row in result.json if row["name"] == first.name)
    assert (row["result"], row["status"]) == ("failed", "disabled")
    assert "Restoring it failed" in row["reason"]
    assert first.policy_status == "disabled"
    undone = enforce(az, "--undo", str(record_of(result)))
    assert (undone.code, results(undone)) == (0, {"changed": 1})
    assert first.policy_status == "enabled"


def test_without_waves_what_cannot_be_verified_fails_and_stays(
    az: Az, cloud: LocalCloud, make: Any, group: str
) -> None:
    registries = make(3)
    registries[2].firewall = "203.0.113.7"
    result = enforce(az, "-g", group, "--verify", env=BRIEF)
    assert result.code == 1
    assert results(result) == {"changed": 2, "failed": 1}
    assert "203.0.113.7" in result.json[2]["reason"]
    assert result.json[2]["status"] == "disabled"
    assert {each.policy_status for each in registries} == {"disabled"}
