"""Tables: rendered as the CLI does, they fit the terminal and keep what people act on."""

from typing import Any

import pytest
from knack.output import format_table
from knack.util import CommandResultItem

from azext_acrscope import _format
from azext_acrscope._loader import AcrScopeCommandsLoader
from azext_acrscope.base import table
from azext_acrscope.base.text import display_width
from tests.factories.cli import command_context

_LONG = "It carries a credential provider that asks for ARM's audience, so that pulls fail at the next restart. " * 3


def rendered(result: Any, transform: Any) -> list[str]:
    shown: str = format_table(CommandResultItem(result, table_transformer=transform))
    return shown.splitlines()


def consumers(**members: str) -> dict[str, Any]:
    row = {
        "name": "aks-shop-production",
        "kind": "aks-network-isolated",
        "signIn": "managed identity",
        "verdict": "breaks",
        "why": _LONG,
        "sourceDate": "2026-11-25",
    }
    return {"registries": [{"name": "contosoproduction", "consumers": [row | members]}]}


def connections(**members: Any) -> dict[str, Any]:
    row = {
        "project": "Shop and everything else",
        "connection": "contosoproduction-service-connection",
        "registry": "contosoproduction-e7gg9xb2.azurecr.io",
        "type": "dockerregistry",
        "scheme": "workload identity federation",
        "verdict": "breaks",
        "why": _LONG,
        "sourceDate": "2026-11-25",
    }
    return {"registries": [], "azureDevOps": [row | members]}


def test_a_connection_is_told_by_project_and_registry_and_one_without_a_registry_too() -> None:
    assert _format.consumers_table(connections())[0]["Registry"] == "contosoproduction-e7gg9xb2"
    assert _format.consumers_table(connections(registry="/subscriptions/s/x/registries/old"))[0]["Registry"] == "old"
    [row] = _format.consumers_table(connections(registry=None, connection="acr", project="Shop"))
    assert (row["Registry"], row["Consumer"]) == ("not known", "Shop/acr")


def listed(**members: Any) -> dict[str, Any]:
    row = {
        "name": "contosoproduction",
        "status": "enabled",
        "statusIsDefault": True,
        "subscriptionName": "Contoso Production Europe, shared platform services",
        "resourceGroup": "rg-platform-services-production",
        "location": "germanywestcentral",
        "otherSignIns": {"adminUser": False, "anonymousPull": False},
        "loginServer": "contosoproduction-e7gg9xb2.azurecr.io",
    }
    return row | members


_REPORTED = {
    "registries": 6,
    "enforced": 1,
    "notEnforced": 5,
    "unknown": 0,
    "consumers": {"breaks": 3},
    "next": {"mismatch": 0},
    "proven": 0,
    "unread": [],
    "format": "html",
    "file": "/home/you/reports/2026-11-28/every-registry.html",
}


def enforced(name: str) -> dict[str, Any]:
    row = {"name": name, "previousStatus": "enabled", "status": "enabled (default)", "plannedStatus": "disabled"}
    return {**row, "result": "skipped", "reason": _LONG, "verification": None}


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize(
    ("result", "transform"),
    [
        (consumers(), _format.consumers_table),
        (consumers(name="レジストリ" * 5, why="日本語の理由 " * 30), _format.consumers_table),
        (connections(), _format.consumers_table),
        (connections(project="プロジェクト" * 9), _format.consumers_table),
        ([listed(), listed(subscriptionName="生産" * 20)], _format.list_table),
        ([enforced("contosoproduction")], _format.enforce_table),
    ],
)
def test_no_row_is_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, result: Any, transform: Any, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = rendered(result, transform)
    assert max(map(display_width, lines)) <= width
    assert "contosoproduction" in lines[2]
    assert any(word in lines[2] for word in ("breaks", "enabled (default)"))


@pytest.mark.parametrize(("width", "has_file"), [(80, False), (120, True)])
def test_the_numbers_of_a_report_fit_as_well(monkeypatch: pytest.MonkeyPatch, width: int, has_file: bool) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = rendered(_REPORTED, _format.report_table)
    assert max(map(len, lines)) <= width
    assert ("registry.html" in lines[2]) is has_file
    assert {"Registries", "NotEnforced", "Unknown", "ConsumersBreak", "Unread"} <= set(lines[0].split())


def test_a_table_is_120_wide_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    widths = {display_width(line) for line in rendered(consumers(), _format.consumers_table)}
    assert 100 < max(widths) <= 120


def test_the_widest_text_is_shortened_first_and_nothing_that_fits() -> None:
    [row] = table.fit_table([{"Name": "contoso", "Subscription": "Contoso Production", "Why": _LONG}], 80)
    assert (row["Name"], row["Subscription"]) == ("contoso", "Contoso Production")
    assert row["Why"].endswith(" …")
    whole = [{"Name": "contoso", "Why": "It breaks.", "Changed": True, "Reason": None}]
    assert table.fit_table(whole, 80) == whole


def test_the_least_important_columns_go_first_and_those_to_act_on_never() -> None:
    row = {"Name": "n" * 50, "Status": "enabled (default)", "Verdict": "not enforced", "Location": "westeurope"}
    assert list(table.fit_table([row], 90)[0]) == ["Name", "Status", "Verdict"]
    assert list(table.fit_table([row], 40)[0]) == ["Name", "Status", "Verdict"]


def test_a_login_server_stays_where_the_row_is_about_it() -> None:
    row = {"LoginServer": "contosoproduction-e7gg9xb2.azurecr.io", "Result": "added", "File": "/home/you/.docker/c"}
    [short] = table.fit_table([row], 46)
    assert list(short) == ["LoginServer", "Result"]


def test_what_a_terminal_obeys_and_a_line_break_do_not_get_into_a_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    odd = listed(subscriptionName="Prod\u202euction\x1b[2J\nforged")
    assert "  Prod�uction�[2J forged  " in rendered([odd], _format.list_table)[2]


def test_no_form_of_output_has_what_a_terminal_obeys() -> None:
    odd = "Produc\u202etion\x1b[2J\x9b \ud800"
    clean = "Produc\ufffdtion\ufffd[2J\ufffd \ufffd"
    result = {"name": odd, odd: [odd, (odd,), 5, None, True], "lines": "a\n\tb", "fine": "Überblick 漢字 \u00a0"}
    assert _format.printable_result(result) == {
        "name": clean,
        clean: [clean, [clean], 5, None, True],
        "lines": "a\n\tb",
        "fine": "Überblick 漢字 \u00a0",
    }


def test_every_command_prints_through_that() -> None:
    commands = AcrScopeCommandsLoader(command_context()).load_command_table(["acr", "scope", "show"])
    assert len(commands) >= 13
    assert {each.command_kwargs["transform"] for each in commands.values()} == {_format.printable_result}


def test_sign_ins_are_columns_only_if_they_were_read() -> None:
    shown = listed(acceptedAudiences=["https://containerregistry.azure.net"])
    assert "Tokens" not in rendered(shown, _format.show_table)[0]
    more = {
        "repositoryTokens": {"state": "open", "items": [{}, {}]},
        "connectedRegistries": {"state": "unknown", "items": None},
        "tasksNetworkBypass": "denied",
    }
    shown["otherSignIns"] = {**shown["otherSignIns"], **more}
    row = _format.show_table(shown)
    assert (row["Tokens"], row["ConnectedRegistries"], row["TasksBypass"]) == ("open (2)", "unknown", "denied")
