"""`az acr scope enforce` through the real `az`."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.az import Az
from tests.localcloud import LocalCloud, Registry

ARM = "management.azure.com"
PATCH = {"properties": {"policies": {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}}}


def enforced(az: Az, *arguments: str) -> dict[str, Any]:
    """The one row of a command that succeeds."""
    [row] = az.ok("acr", "scope", "enforce", *arguments)
    return dict(row)


def writes(cloud: LocalCloud) -> list[object]:
    return [json.loads(request.body) for request in cloud.requests_to(ARM) if request.method == "PATCH"]


def test_enforce_disables_and_reports(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    row = enforced(az, "--name", registry.name, "--resource-group", "rg-apps")
    assert (row["previousStatus"], row["status"], row["changed"]) == ("enabled", "disabled", True)
    assert (row["result"], row["reason"], row["plannedStatus"], row["verification"]) == ("changed", "", None, None)
    assert (row["resourceGroup"], row["loginServer"]) == ("rg-apps", registry.login_server)
    assert registry.policy_status == "disabled"
    assert writes(cloud) == [PATCH]
    patch = next(request for request in cloud.requests_to(ARM) if request.method == "PATCH")
    assert patch.query["api-version"] == "2025-04-01"


def test_enforce_goes_back(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled")
    row = enforced(az, "-n", registry.name, "--status", "enabled")
    assert (row["previousStatus"], row["status"], row["changed"]) == ("disabled", "enabled", True)
    assert registry.policy_status == "enabled"


def test_a_registry_that_has_the_status_is_not_written_to(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    az.ok("acr", "scope", "enforce", "-n", registry.name)
    cloud.clear_requests()
    row = enforced(az, "-n", registry.name)
    assert (row["previousStatus"], row["status"], row["changed"]) == ("disabled", "disabled", False)
    assert writes(cloud) == []


def test_a_missing_status_is_written(az: Az, cloud: LocalCloud, registry_name: str) -> None:
    """The built-in update raises a TypeError for a registry without a policies block."""
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status=None)
    registry.body["properties"].pop("policies", None)
    row = enforced(az, "-n", registry.name)
    assert (row["previousStatus"], row["status"], row["changed"]) == ("enabled", "disabled", True)
    assert registry.policy_status == "disabled"


def test_a_dry_run_writes_nothing(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    row = enforced(az, "-n", registry.name, "--dry-run")
    assert (row["status"], row["plannedStatus"], row["changed"]) == ("enabled", "disabled", False)
    assert writes(cloud) == []
    assert registry.policy_status == "enabled"


def test_the_table_shows_the_change(az: Az, registry: Registry) -> None:
    result = az("acr", "scope", "enforce", "-n", registry.name, "-o", "table")
    head, _, row = result.stdout.splitlines()
    assert head.split() == ["Name", "PreviousStatus", "Status", "Result", "Reason"]
    assert row.split() == [registry.name, "enabled", "disabled", "changed"]


def test_a_change_made_by_others_meanwhile_is_kept(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    """The built-in update sends back all the policies it read, and so undoes such a change."""
    before = json.loads(json.dumps(registry.body["properties"]["policies"]))

    def someone_else_writes() -> None:
        while not cloud.requests_to(ARM):
            time.sleep(0.01)
        registry.body["properties"]["policies"]["quarantinePolicy"] = {"status": "enabled"}

    cloud.faults.add(host=ARM, method="PATCH", delay=3)
    other = threading.Thread(target=someone_else_writes, daemon=True)
    other.start()
    az.ok("acr", "scope", "enforce", "-n", registry.name, "-g", "rg-apps")
    other.join(10)
    after = registry.body["properties"]["policies"]
    expected = before | {
        "quarantinePolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "disabled"},
    }
    assert after == expected


def test_an_operation_that_fails_is_an_error_with_the_state(az: Az, registry: Registry) -> None:
    registry.operation_outcome = "Failed"
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 1
    assert result.stdout == ""
    assert "as Failed" in result.stderr
    assert "It is `enabled` now." in result.stderr


def test_an_operation_that_never_ends_is_an_error_with_the_state(az: Az, registry: Registry) -> None:
    registry.operation_outcome = "never"
    result = az("acr", "scope", "enforce", "-n", registry.name, env={"AZURE_ACRSCOPE_OPERATION_TIMEOUT": "2"})
    assert result.code == 1
    assert "had not ended after 2 seconds" in result.stderr
    assert "It is `disabled` now." in result.stderr


def test_a_write_without_effect_is_found_by_reading_back(az: Az, registry: Registry) -> None:
    registry.ignore_writes = True
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 1
    assert "reading it back" in result.stderr
    assert "It is `enabled` now." in result.stderr


def test_a_reader_is_told_which_right_is_missing(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    reader = cloud.world.add_service_principal("reader")
    cloud.world.grant(reader, registry.id, "Reader")
    result = new_az(reader)("acr", "scope", "enforce", "-n", registry.id)
    assert result.code == 1
    assert "AuthorizationFailed" in result.stderr
    assert "Microsoft.ContainerRegistry/registries/write" in result.stderr
    assert "It is `enabled` now." in result.stderr


def test_without_the_right_to_poll_the_change_still_counts(
    new_az: Callable[..., Az], cloud: LocalCloud, registry: Registry
) -> None:
    writer = cloud.world.add_service_principal("writer")
    actions = ("Microsoft.ContainerRegistry/registries/read", "Microsoft.ContainerRegistry/registries/write")
    cloud.world.grant(writer, registry.id, actions)
    result = new_az(writer)("acr", "scope", "enforce", "-n", registry.id, "--skip-consumers")
    assert result.code == 0, result
    assert result.json[0]["changed"] is True
    assert 403 in [request.status for request in cloud.requests_to(ARM)]


def test_a_policy_that_forbids_the_change_is_named(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.world.deny_policy("keep-arm-tokens", registry.id)
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 1
    assert "RequestDisallowedByPolicy" in result.stderr
    assert "keep-arm-tokens" in result.stderr
    assert "It is `enabled` now." in result.stderr


def test_a_lock_is_named(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.world.lock(registry.id)
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 1
    assert "ScopeLocked" in result.stderr
    assert "az lock" in result.stderr
    assert "It is `enabled` now." in result.stderr


def test_throttling_is_waited_out(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(host=ARM, method="PATCH", status=429, headers={"Retry-After": "1"}, times=1)
    assert enforced(az, "-n", registry.name)["changed"] is True
    assert len(writes(cloud)) == 2


@pytest.mark.parametrize("reset", [True, "after"])
def test_a_connection_that_breaks_during_the_write_is_repaired(
    az: Az, cloud: LocalCloud, registry: Registry, reset: Literal[True, "after"]
) -> None:
    cloud.faults.add(host=ARM, method="PATCH", reset=reset, times=1)
    row = enforced(az, "-n", registry.name)
    assert row["status"] == "disabled"
    assert registry.policy_status == "disabled"


def test_an_operation_url_elsewhere_gets_no_token(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    evil = cloud.hostile("evil.example")
    cloud.faults.add(
        host=ARM, method="PATCH", status=201, headers={"Azure-AsyncOperation": "https://evil.example/op"}, body="{}"
    )
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 1
    assert "reading it back" in result.stderr
    assert "It is `enabled` now." in result.stderr
    assert evil.requests == []


def test_a_long_wait_that_arm_asks_for_is_bounded_and_said(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(host=ARM, method="PATCH", status=429, headers={"Retry-After": "5"}, times=1)
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 0, result
    assert "throttles subscription" in result.stderr
    assert "Retrying in 5 s" in result.stderr


@pytest.mark.parametrize("place", ["code", "message", "header"])
def test_a_token_that_arm_sends_back_is_not_shown(az: Az, cloud: LocalCloud, registry: Registry, place: str) -> None:
    token = cloud.world.mint(cloud.default_account(f"x{place}"), "https://management.core.windows.net/")
    error = {"code": token if place == "code" else "Oops", "message": token if place == "message" else "x"}
    headers = {"x-ms-correlation-request-id": token} if place == "header" else {}
    cloud.faults.add(host=ARM, method="PATCH", status=403, headers=headers, body=json.dumps({"error": error}))
    result = az("acr", "scope", "enforce", "-n", registry.name, "--debug")
    assert result.code == 1
    assert token not in result.stderr.replace("'x-ms-correlation-request-id': '***'", "")


def test_an_unknown_status_is_refused_by_the_parser(az: Az, cloud: LocalCloud) -> None:
    assert az("acr", "scope", "enforce", "-n", "contoso", "--status", "off").code == 2
    assert cloud.requests == []


def test_a_registry_that_does_not_exist_exits_3(az: Az) -> None:
    result = az("acr", "scope", "enforce", "-n", "nosuchregistry")
    assert (result.code, result.stdout) == (3, "")
    assert "No registry named 'nosuchregistry' was found" in result.stderr


def test_one_registry_by_id_is_the_same_as_by_name(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    missing = az("acr", "scope", "enforce", "--ids", registry.id + "gone")
    assert (missing.code, missing.stdout) == (3, "")
    row = enforced(az, "--ids", registry.id, registry.id.upper())
    assert (row["result"], row["changed"], len(writes(cloud))) == ("changed", True, 1)


def test_two_registries_of_one_name_are_ambiguous(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    other = cloud.world.add_registry(registry.name, resource_group="rg-other", domain_name_label_hash="e7gg")
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert (result.code, result.stdout) == (1, "")
    assert other.id in result.stderr
    assert writes(cloud) == []


# --- the record ---


def records(az: Az) -> list[Path]:
    return sorted((az.config / "acrscope").glob("*.jsonl"))


def test_one_registry_has_a_record_that_undoes_it(az: Az, registry: Registry) -> None:
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert result.code == 0, result
    [record] = records(az)
    assert result.stderr.count(str(record)) == 1
    undone = az("acr", "scope", "enforce", "--undo", str(record), "--yes")
    assert [(row["result"], row["status"]) for row in undone.json] == [("changed", "enabled")]
    assert registry.policy_status == "enabled"


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--record", "named.jsonl"], ["--verify"]])
def test_where_nothing_changes_nothing_is_recorded(
    az: Az, cloud: LocalCloud, registry: Registry, arguments: list[str]
) -> None:
    registry.policy_status = "disabled"
    row = enforced(az, "-n", registry.name, *arguments)
    assert (row["result"], row["changed"], row["consumers"]) == ("unchanged", False, "not asked")
    assert bool(row["verification"]) is ("--verify" in arguments)
    assert (records(az), Path("named.jsonl").exists(), writes(cloud)) == ([], False, [])


def test_a_refused_write_is_in_the_record_and_nothing_is_left_to_undo(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    cloud.world.lock(registry.id)
    result = az("acr", "scope", "enforce", "-n", registry.name)
    assert (result.code, result.stdout) == (1, "")
    [record] = records(az)
    assert az.ok("acr", "scope", "enforce", "--undo", str(record), "--yes") == []


def test_a_record_is_never_overwritten_for_one_registry(az: Az, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("precious\n")
    result = az("acr", "scope", "enforce", "-n", registry.name, "--record", str(tmp_path / "mine.jsonl"))
    assert result.code == 1
    assert "never overwritten" in result.stderr
    assert registry.policy_status == "enabled"


def test_ctrl_c_waits_for_the_change_that_was_sent(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(host=ARM, method="PATCH", delay=2)
    result = az.interrupted(
        *("acr", "scope", "enforce", "-n", registry.name, "--skip-consumers"), when=lambda: bool(writes(cloud))
    )
    assert result.code == 1, result
    assert "Interrupted" in result.stderr
    assert [(row["result"], row["changed"]) for row in result.json] == [("changed", True)]
    assert registry.policy_status == "disabled"


# --- --verify ---


def exchanges(cloud: LocalCloud) -> int:
    return len([request for request in cloud.requests if request.path == "/oauth2/exchange"])


@pytest.mark.parametrize(("status", "in_effect"), [("disabled", "yes"), ("enabled", "no")])
def test_verify_proves_the_change(az: Az, cloud: LocalCloud, registry: Registry, status: str, in_effect: str) -> None:
    result = az("acr", "scope", "enforce", "-n", registry.name, "--status", status, "--verify")
    assert result.code == 0, result
    seen = result.json[0]["verification"]
    assert (seen["verified"], seen["enforcedInEffect"]) == (True, in_effect)
    assert seen["probe"]["acr"]["correlationId"]
    assert exchanges(cloud) == 2


def test_verify_waits_until_the_change_is_in_effect(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    registry.ignore_policy = True

    def heal() -> None:
        while exchanges(cloud) < 4 and not over.is_set():
            time.sleep(0.05)
        registry.ignore_policy = False

    over = threading.Event()
    healer = threading.Thread(target=heal)
    healer.start()
    try:
        result = az("acr", "scope", "enforce", "-n", registry.name, "--verify")
    finally:
        over.set()
        healer.join()
    assert result.code == 0, result
    assert result.json[0]["verification"]["verified"]
    assert exchanges(cloud) > 4


def test_a_change_that_is_not_in_effect_in_time_fails_and_stays(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    registry.ignore_policy = True
    brief = {"AZURE_ACRSCOPE_VERIFY_TIMEOUT": "1"}
    result = az("acr", "scope", "enforce", "-n", registry.name, "--verify", env=brief)
    assert result.code == 1
    [row] = result.json
    assert (row["status"], row["changed"], row["result"]) == ("disabled", True, "failed")
    assert row["verification"]["enforcedInEffect"] == "no"
    assert "has the status `disabled`" in result.stderr
    assert "The change was kept." in result.stderr
    assert registry.policy_status == "disabled"
    assert exchanges(cloud) == 4, "once at once, and once when the time was over"


ENTRA = "login.microsoftonline.com"
UNREAD: list[dict[str, Any]] = [
    {"path": "/v2/", "reset": True},
    {"path": "/v2/", "status": 200, "body": "<html>"},
    {"path": "/v2/", "status": 403},
    {"path": "/oauth2/exchange", "truncate": True},
    {"path": "/oauth2/exchange", "bad_chunk": True},
    {"path": "/oauth2/exchange", "status": 200, "body": "{}"},
    {"path": "/oauth2/exchange", "redirect": "https://example.com/"},
    {"path": "*/token", "host": ENTRA, "after": 1, "status": 400, "body": {"error": "invalid_grant"}},
    {"path": "*/token", "host": ENTRA, "after": 1, "truncate": True},
    {"path": "*/token", "host": ENTRA, "after": 1, "status": 200, "body": "<html>"},
]


@pytest.mark.parametrize("fault", UNREAD)
def test_a_verification_that_cannot_be_read_says_what_the_registry_is_now(
    az: Az, cloud: LocalCloud, registry: Registry, fault: dict[str, Any]
) -> None:
    for name in ("msal_token_cache.json", "msal_http_cache.bin"):
        (az.config / name).unlink(missing_ok=True)
    cloud.faults.add(**{"host": registry.login_server, "times": None, **fault})
    brief = {"AZURE_ACRSCOPE_VERIFY_TIMEOUT": "0"}
    result = az("acr", "scope", "enforce", "-n", registry.name, "--skip-consumers", "--verify", env=brief)
    assert result.code == 1
    assert f"Registry '{registry.name}' has the status `disabled`, but" in result.stderr
    assert "Traceback" not in result.stderr
    [row] = result.json
    assert (row["status"], row["changed"], row["verification"]["enforcedInEffect"]) == ("disabled", True, "unknown")
    assert registry.policy_status == "disabled"


@pytest.mark.parametrize("value", ["soon", "-1", ""])
def test_a_senseless_verify_timeout_is_refused_before_anything_is_written(
    az: Az, cloud: LocalCloud, registry: Registry, value: str
) -> None:
    result = az(
        "acr", "scope", "enforce", "-n", registry.name, "--verify", env={"AZURE_ACRSCOPE_VERIFY_TIMEOUT": value}
    )
    assert result.code == 1
    assert "acrscope.verify_timeout" in result.stderr
    assert writes(cloud) == []


def test_verify_and_dry_run_contradict_each_other(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    result = az("acr", "scope", "enforce", "-n", registry.name, "--verify", "--dry-run")
    assert result.code != 0
    assert "--dry-run" in result.stderr
    assert cloud.requests == []


def test_ctrl_c_while_verifying_says_what_the_registry_is_now(az: Az, cloud: LocalCloud, registry: Registry) -> None:
    cloud.faults.add(host=registry.login_server, path="/oauth2/exchange", delay=20, times=None)
    result = az.interrupted(
        *("acr", "scope", "enforce", "-n", registry.name, "--verify"),
        when=lambda: bool(cloud.requests_to(registry.login_server)),
    )
    assert result.code == 1
    assert f"Interrupted while verifying: registry '{registry.name}' has the status `disabled`" in result.stderr
    assert registry.policy_status == "disabled"
