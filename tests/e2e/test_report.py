"""`az acr scope report` through the real `az`, and as a real browser shows it."""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import browser
from tests.az import ROOT, Az, Result
from tests.factories.accounts import sign_in
from tests.factories.judged import judged
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world import registry_children
from tests.localcloud.world.world import Subscription

ARM = "management.azure.com"
HOSTILE = "Fabrikam <script>alert(1)</script> & | `Söhne`"


@dataclass
class Estate:
    """Two subscriptions below a management group: four registries, consumers of two, and a policy."""

    auditor: ServicePrincipal
    group: str
    platform: Subscription
    other: Subscription
    registries: dict[str, Registry]

    def named(self, short: str) -> str:
        return self.registries[short].name


@pytest.fixture
def estate(cloud: LocalCloud, registry_name: str) -> Estate:
    world = cloud.world
    auditor = world.add_service_principal(f"report auditor of {registry_name}")
    group = f"mg-report-{registry_name}"
    world.add_management_group(group)
    platform = world.add_subscription(f"Platform {registry_name}")
    other = world.add_subscription(HOSTILE)
    for subscription in (platform, other):
        world.move(subscription, group)
    above = f"/providers/Microsoft.Management/managementGroups/{group}"
    world.grant(auditor, above, "Reader")
    world.grant(auditor, above, "AcrPull")
    registries = {
        "open": world.add_registry(f"{registry_name}open", "rg-apps", platform),
        "done": world.add_registry(f"{registry_name}done", "rg-apps", platform, policy_status="disabled"),
        "held": world.add_registry(f"{registry_name}held", "rg-held", platform, policy_status=None),
        "else": world.add_registry(f"{registry_name}else", "rg-else", other),
    }
    registries["open"].properties["adminUserEnabled"] = True
    image = f"{registries['held'].login_server}/app:1"
    world.consumers.add_web_app("shop", f"DOCKER|{image}", platform, identity="system")
    world.consumers.add_container_app("mail", image, platform, username=registries["held"].name)
    world.assign_policy(above, name="keep-enforced")
    world.evaluate_policies(above)
    return Estate(auditor, group, platform, other, registries)


@pytest.fixture
def az(new_az: Callable[..., Az], estate: Estate, cloud: LocalCloud) -> Az:
    signed_in = new_az(estate.auditor)
    signed_in.ok("account", "set", "--subscription", estate.platform.id)
    cloud.clear_requests()
    return signed_in


def report(az: Az, *arguments: str) -> Result:
    return az("acr", "scope", "report", *arguments)


def sheet(result: Result) -> dict[str, dict[str, str]]:
    """The rows of a CSV that was printed, by name."""
    assert result.code == 0, result
    return {row["name"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


def test_a_report_is_a_file_and_its_numbers_are_the_result(az: Az, estate: Estate) -> None:
    result = report(az, "--management-group", estate.group, "--file", "report.html")
    assert result.code == 0, result
    assert result.json == {
        "file": "report.html",
        "format": "html",
        "registries": 4,
        "enforced": 1,
        "notEnforced": 3,
        "unknown": 0,
        "next": {"mismatch": 0, "held back": 1, "look first": 2, "ready": 0, "unread": 0, "enforced": 1},
        "consumers": {"breaks": 1, "works": 1, "unknown": 1, "mayPull": 1},  # the last is the policy's own identity
        "checked": 0,
        "proven": 0,
        "unread": [],
    }
    text = (az.home / "report.html").read_text()
    for said in (estate.named("held"), "shop", "keep-enforced", "managed identity", estate.auditor.app_id):
        assert said in text


def test_each_format_is_one_that_its_readers_take(az: Az, estate: Estate) -> None:
    for name, kind in (("r.html", "html"), ("r.md", "markdown"), ("r.sarif", "sarif")):
        assert report(az, "--management-group", estate.group, "--file", name, "--skip-policy").code == 0
        assert judged(kind, (az.home / name).read_text())


def test_without_a_file_the_document_is_printed_and_nothing_else(az: Az, estate: Estate) -> None:
    result = report(az, "--management-group", estate.group, "--output", "table")
    assert result.code == 0, result
    assert result.stdout.startswith("<!DOCTYPE html>\n")
    assert result.stdout.endswith("</html>\n")
    latin = report(az, "--management-group", estate.group, "--format", "markdown", "--skip-consumers")
    assert "Söhne" in latin.stdout


def test_the_status_of_each_registry_is_that_of_list(az: Az, estate: Estate) -> None:
    rows = sheet(report(az, "--management-group", estate.group, "--format", "csv"))
    listed = az.ok("acr", "scope", "list", "--management-group", estate.group)
    assert {name: row["status"] for name, row in rows.items()} == {each["name"]: each["status"] for each in listed}
    assert rows[estate.named("held")]["statusIsDefault"] == "true"
    assert rows[estate.named("open")]["adminUser"] == "true"
    assert rows[estate.named("done")]["policyCompliance"] == "Compliant"
    assert rows[estate.named("held")]["policyCompliance"] == "NonCompliant"
    assert rows[estate.named("held")]["breaking"].endswith("/shop")


@pytest.mark.parametrize("scope", ["subscription", "group", "all"])
def test_every_scope_of_list_can_be_reported(az: Az, estate: Estate, scope: str) -> None:
    arguments = {"subscription": (), "group": ("--resource-group", "rg-apps"), "all": ("--all-subscriptions",)}[scope]
    rows = sheet(report(az, "--format", "csv", *arguments))
    listed = az.ok("acr", "scope", "list", *arguments)
    assert set(rows) == {each["name"] for each in listed}
    assert {row["policyAssignments"].rpartition("/")[2] for row in rows.values()} == {"keep-enforced"}


def test_a_check_proves_and_finds_who_is_at_odds(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    estate.registries["done"].ignore_policy = True
    estate.registries["open"].firewall = "203.0.113.7"
    rows = sheet(report(az, "--management-group", estate.group, "--check", "--format", "csv"))
    assert {name: (row["enforcedInEffect"], row["next"]) for name, row in rows.items()} == {
        estate.named("done"): ("no", "mismatch"),
        estate.named("open"): ("unknown", "look first"),
        estate.named("held"): ("no", "held back"),
        estate.named("else"): ("no", "look first"),
    }
    written = report(az, "--check", "--file", "report.html").json
    assert (written["checked"], written["proven"], written["next"]["mismatch"]) == (3, 2, 1)
    assert [each for each in written["unread"] if "no result" in each] == [
        f"1 check has no result ({estate.named('open')}), so what the login server does is not known."
    ]
    az.env["COLUMNS"] = "200"
    table = report(az, "--check", "--file", "report.html", "--output", "table").stdout.splitlines()
    assert dict(zip(table[0].split(), table[2].split(), strict=True)) == {
        "Registries": "3",
        "Enforced": "1",
        "NotEnforced": "2",
        "Unknown": "0",
        "Mismatch": "1",
        "ConsumersBreak": "1",
        "Proven": "2",
        "Unread": "1",
        "Format": "html",
        "File": "report.html",
    }


def test_evidence_proves_without_sending_a_token(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    (az.home / "evidence.json").write_text(az("acr", "scope", "check", "--all").stdout)
    cloud.clear_requests()
    rows = sheet(report(az, "--format", "csv", "--evidence", "evidence.json"))
    assert rows[estate.named("done")]["enforcedInEffect"] == "yes"
    assert rows[estate.named("open")]["enforcedInEffect"] == "no"
    assert not [each for each in cloud.requests if each.host.endswith(".azurecr.io")]


def test_evidence_of_another_status_proves_nothing_and_is_said(az: Az, estate: Estate) -> None:
    (az.home / "evidence.json").write_text(az("acr", "scope", "check", "--all").stdout)
    estate.registries["open"].policy_status = "disabled"
    result = report(az, "--format", "csv", "--evidence", "evidence.json", "--live", "--skip-consumers", "--skip-policy")
    assert sheet(result)[estate.named("open")]["enforcedInEffect"] == ""
    assert f"another status now than at the check ({estate.named('open')})" in result.stderr
    stranger = report(az, "--resource-group", "rg-held", "--evidence", "evidence.json", "--file", "r.html")
    assert stranger.json["unread"] == ["The evidence includes 2 registries outside the scope of the report."]


def test_what_cannot_be_read_is_in_the_document_and_keeps_nothing_else_out(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    denied = json.dumps({"error": {"code": "AuthorizationFailed", "message": "No."}})
    cloud.faults.add(host=ARM, path="*/policyassignments", status=403, body=denied, times=None)
    cloud.faults.add(host=ARM, path=f"/subscriptions/{estate.other.id}/*", status=403, body=denied, times=None)
    result = report(az, "--management-group", estate.group, "--live", "--file", "report.html")
    assert result.code == 0, result
    assert result.json["registries"] == 3
    assert len(result.json["unread"]) == 2
    text = (az.home / "report.html").read_text()
    assert text.index("What could not be read") < text.index("By subscription")
    for said in result.json["unread"]:
        assert said in result.stderr
    assert "Some data could not be read" in text
    assert "not read" in text


def test_consumers_that_could_not_be_asked_for_are_unread_and_not_none(
    az: Az, estate: Estate, cloud: LocalCloud
) -> None:
    body = json.dumps({"error": {"code": "Forbidden", "message": "No."}})
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body=body, times=None)
    result = report(az, "--live", "--format", "csv", "--skip-policy")
    rows = sheet(result)
    assert {row["consumersBreak"] for row in rows.values()} == {""}
    assert rows[estate.named("open")]["next"] == "look first"
    assert "The search for consumers of the registries failed" in result.stderr


def test_parts_can_be_left_out_and_cost_nothing_then(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    result = report(az, "--skip-consumers", "--skip-policy", "--file", "r.html")
    assert result.json["consumers"] is None
    assert len(cloud.requests_to(ARM)) == 2  # the subscriptions and the registries, of Resource Graph


def test_other_sign_in_methods_are_read_on_request_and_what_is_refused_is_unknown(
    az: Az, estate: Estate, cloud: LocalCloud, tmp_path: Path
) -> None:
    registry_children.add_token(estate.registries["open"], "builders", passwords={"password1": None})
    registry_children.add_connected_registry(estate.registries["held"], "factory", token="sync")
    nope = {"error": {"code": "AuthorizationFailed", "message": "No."}}
    path = f"*/{estate.named('done')}/tokens"
    cloud.faults.add(host=ARM, path=path, status=403, body=json.dumps(nope), times=None)
    result = report(az, "--all-subscriptions", "--sign-ins", "--skip-consumers", "--skip-policy", "--format", "csv")
    assert result.code == 0, result
    rows = sheet(result)
    assert rows[estate.named("open")]["repositoryTokens"] == "open"
    assert rows[estate.named("held")]["connectedRegistries"] == "open"
    assert rows[estate.named("done")]["repositoryTokens"] == "unknown"
    assert rows[estate.named("else")]["repositoryTokens"] == "none"
    assert "registries/tokens/read" in result.stderr
    numbers = report(az, "--all-subscriptions", "--sign-ins", "--skip-policy", "--file", str(tmp_path / "r.md"))
    assert numbers.code == 0, numbers
    assert any("repository tokens" in each for each in numbers.json["unread"])
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "unknown: could not be read" in text
    assert "builders (passwords, never expires)" in text
    assert "not searched" in text


def test_a_report_of_two_hundred_registries_takes_few_requests(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    image = f"{estate.registries['open'].login_server}/app"
    for number in range(200):
        cloud.world.add_registry(f"{estate.named('open')}n{number}", f"rg-{number}", estate.platform)
        cloud.world.consumers.add_container_app(f"app{number}", image, estate.platform, identity="system")
    result = report(az, "--all-subscriptions", "--file", "r.html")
    assert (result.json["registries"], result.json["consumers"]["breaks"]) == (204, 201)
    # Two for the fleet, at most twelve for consumers; for policy three in each of two subscriptions.
    assert len(cloud.requests_to(ARM)) <= 20


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--check", "--evidence", "e.json"), 1, "--check"),
        (("--skip-consumers", "--knowledge", "k.json"), 1, "--knowledge"),
        (("--file", ""), 1, "--file"),
        (("--format", "pdf"), 2, "html"),
        (("--evidence", "missing.json"), 1, "missing.json"),
        (("--knowledge", "missing.json"), 1, "missing.json"),
        (("--all-subscriptions", "--management-group", "x"), 1, "--management-group"),
        (("--management-group", "nosuchgroup"), 3, "nosuchgroup"),
        (("--resource-group", "nosuchgroup"), 3, "There is no resource group"),
        (("--file", "missing/r.html", "--skip-consumers", "--skip-policy"), 1, "--file"),
    ],
)
def test_what_cannot_be_meant_or_done_is_an_error(az: Az, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = report(az, *arguments)
    assert result.code == code, result
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_or_failed_report_leaves_the_old_one(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    (az.home / "r.html").write_text("old")
    cloud.faults.add(host=ARM, status=500, body="{}", times=None)
    assert report(az, "--file", "r.html").code != 0
    assert (az.home / "r.html").read_text() == "old"


def test_no_token_gets_into_a_report(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    for kind in ("html", "markdown", "csv", "sarif"):
        result = report(az, "--check", "--format", kind, "--debug")
        assert result.code == 0
        everything = result.stdout + result.stderr
        secrets = {secret for secret in cloud.secrets if len(secret) >= 8}
        assert len(secrets) > 4
        assert not [secret for secret in secrets if secret in everything]


def test_registries_of_several_tenants_are_one_report_and_one_that_is_silent_is_told(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world, az = cloud.world, new_az()
    theirs = world.add_tenant(f"Report tenant of {registry_name}")
    made: list[Registry] = []
    for tenant in (None, theirs.id):
        account = world.add_service_principal(f"reader of {tenant} {registry_name}", tenant_id=tenant)
        subscription = world.add_subscription("Pay-As-You-Go", tenant)  # both are called so
        world.grant(account, subscription.scope, "Reader")
        made.append(world.add_registry(f"{registry_name}t{len(made)}", "rg-apps", subscription))
        world.consumers.add_container_app("app", f"{made[-1].login_server}/app", subscription, identity="system")
        sign_in(az, account)
    rows = sheet(report(az, "--all-subscriptions", "--format", "csv"))
    assert {name: (row["next"], row["consumersBreak"]) for name, row in rows.items()} == {
        each.name: ("held back", "1") for each in made
    }
    text = report(az, "--all-subscriptions", "--format", "markdown").stdout
    assert theirs.id in text
    assert text.count("| Pay-As-You-Go<br>") == 2  # with the ID of each
    cloud.clear_requests()
    report(az, "--all-subscriptions", "--format", "csv", "--skip-policy")
    asked = len([each for each in cloud.requests if "/Microsoft.ResourceGraph/" in each.path])
    # Four are for the fleet, two in each tenant; then one tenant is searched for consumers after the other.
    second = 4 + (asked - 4) // 2
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body="{}", times=None, after=second)
    result = report(az, "--all-subscriptions", "--format", "csv", "--skip-policy")
    assert sorted((row["consumersRead"], row["next"]) for row in sheet(result).values()) == [
        ("all", "held back"),
        ("none", "look first"),
    ]
    assert "The search for consumers of the registries failed" in result.stderr
    cloud.faults.clear()
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body="{}", times=1)
    partly = report(az, "--all-subscriptions", "--file", "r.html", "--skip-policy").json
    assert partly["registries"] == 1
    assert "could not be read" in partly["unread"][0]
    cloud.faults.add(host=ARM, path="*/Microsoft.ResourceGraph/*", status=403, body="{}", times=1)
    gate = az("acr", "scope", "list", "--all-subscriptions", "--require", "enabled")
    assert (gate.code, len(gate.json)) == (1, 1)
    assert "1 subscription unknown" in gate.stderr


def test_a_registry_is_not_ready_where_part_of_the_search_could_not_be_read(
    new_az: Callable[..., Az], cloud: LocalCloud, registry_name: str
) -> None:
    world, arguments = cloud.world, ("--skip-policy", "--format", "csv")
    subscription = world.add_subscription(f"Ready {registry_name}")
    reader = world.add_service_principal(f"reader of {registry_name}")
    world.grant(reader, subscription.scope, "Reader")
    made, az = world.add_registry(registry_name, "rg-apps", subscription), new_az(reader)
    before = sheet(report(az, *arguments))[made.name]
    world.consumers.add_container_app("odd", f"{made.login_server}/app", subscription)
    world.graph_rows["resources"][-1]["properties"]["configuration"]["registries"] = "text"
    result = report(az, *arguments)
    after = sheet(result)[made.name]
    assert [(row["next"], row["consumersRead"], row["unread"]) for row in (before, after)] == [
        ("ready", "all", "0"),
        ("look first", "part", "1"),
    ]
    assert "could not be read. Which registries it uses is unknown" in result.stderr


def test_policy_that_could_not_be_read_is_not_said_to_be_absent(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    cloud.faults.add(host=ARM, path="*/policyassignments", status=403, body="{}", times=None)
    text = report(az, "--format", "markdown", "--skip-consumers").stdout
    assert "No assignment" not in text
    assert "There may be others" in text


def test_a_check_without_an_arm_token_proves_nothing(az: Az, estate: Estate) -> None:
    (az.home / "evidence.json").write_text(az("acr", "scope", "check", "--all", "--skip-arm-probe").stdout)
    text = report(az, "--format", "markdown", "--evidence", "evidence.json", "--skip-consumers", "--skip-policy").stdout
    assert "0 of 3 registries verified with a token of each audience; 3 checked without a result" in text
    assert "3 checks have no result" in text


def test_what_enforce_verified_is_no_evidence_of_a_check(az: Az, estate: Estate) -> None:
    (az.home / "evidence.json").write_text(json.dumps([{"name": "contoso", "verification": {"verified": True}}]))
    result = report(az, "--evidence", "evidence.json")
    assert result.code == 1
    assert "az acr scope check --all --output json" in result.stderr


def test_whoever_stops_reading_hears_no_complaint(az: Az, estate: Estate) -> None:
    command = f"set -o pipefail; {az.program} acr scope report --format html | head -n 1"
    result = az.tool("bash", "-c", command)
    assert (result.code, result.stdout, result.stderr) == (0, "<!DOCTYPE html>\n", "")


def test_a_full_disk_is_an_error_and_no_surprise(az: Az, estate: Estate) -> None:
    result = az.tool("bash", "-c", f"{az.program} acr scope report > /dev/full")
    assert result.code == 1
    assert "could not be printed completely: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


def test_where_nothing_can_be_written_nothing_is_asked(az: Az, estate: Estate, cloud: LocalCloud) -> None:
    for file in ("missing/r.html", ".", "~nobody-of-this-name/r.html"):
        result = report(az, "--check", "--file", file)
        assert result.code == 1, result
        assert f"The report {file} cannot be written" in result.stderr
    assert cloud.requests == []


# --- in a browser --------------------------------------------------------------------------------------------------


AXE = ROOT / ".venvs/axe"
_CHECK = """axe.run(document, {resultTypes: ["violations"]}).then(
  found => found.violations.map(each => [each.id, each.nodes.map(node => node.html)]))"""
_LOOK = """({
  background: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.body).color,
  signing: getComputedStyle(document.querySelector(".signing")).display,
  scripts: document.scripts.length,
  wider: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  bars: [...document.querySelectorAll("svg[role=img] rect")].map(each => each.getBoundingClientRect().width > 0),
})"""


async def _seen(file: Path) -> dict[str, Any]:
    [axe] = AXE.glob("lib/*/site-packages/axe_playwright_python/axe.min.js")
    async with browser.page() as page:
        await page.open(file)
        seen: dict[str, Any] = {"requests": list(page.requests), "complaints": list(page.complaints)}
        await page.run(axe.read_text())
        for scheme in ("light", "dark"):
            await page.media(scheme)
            seen[scheme] = await page.run(_LOOK)
            seen[f"{scheme} faults"] = await page.run(_CHECK)
        await page.send("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
        seen["phone"] = await page.run(_LOOK)
        await page.send("Emulation.clearDeviceMetricsOverride")
        await page.media("dark", "print")
        seen["paper"] = await page.run(_LOOK)
        seen["pdf"] = await page.pdf()
        tree = await page.send("Accessibility.getFullAXTree")
        seen["tree"] = [
            (node["role"]["value"], node["name"]["value"])
            for node in tree["nodes"]
            if not node["ignored"] and "name" in node
        ]
    return seen


def test_a_browser_shows_it_to_everybody(az: Az, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.registries["done"].ignore_policy = True
    assert report(az, "--management-group", estate.group, "--check", "--file", "report.html").code == 0
    file = az.home / "report.html"
    with tempfile.TemporaryDirectory() as folder:  # a short path, for a socket is in it
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        seen = asyncio.run(_seen(file))
        assert list(Path(folder).iterdir()) == []
    assert seen["requests"] == [file.as_uri()]
    assert seen["complaints"] == []
    assert seen["light faults"] == []
    assert seen["dark faults"] == []
    assert seen["light"]["background"] != seen["dark"]["background"]
    assert seen["paper"]["background"] == "rgb(255, 255, 255)"  # whatever the screen is like
    assert (seen["light"]["signing"], seen["paper"]["signing"]) == ("none", "block")
    assert seen["light"]["scripts"] == 0
    assert not seen["phone"]["wider"]
    assert all(seen["light"]["bars"])
    assert seen["pdf"].startswith(b"%PDF-")
    assert ("heading", "Token audiences of container registries") in seen["tree"]
    assert ("image", "1 enforced, 2 not enforced, 0 unknown") in seen["tree"]
    assert ("table", "All registries in scope") in seen["tree"]
    assert ("rowheader", HOSTILE) in seen["tree"]
