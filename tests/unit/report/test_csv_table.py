"""A report as CSV: a row for each registry, and no formula of somebody else's."""

import csv
import io

import pytest

from azext_acrscope.report import csv_table
from azext_acrscope.report.model import ReportContent
from tests.factories.report import SUBSCRIPTION, consumer, content, everything, owner, policy, proof, registry, sign_ins


def read(found: ReportContent) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_table.render_csv(found), newline=""), strict=True))


def test_each_registry_is_a_row_with_all_columns() -> None:
    found = everything()
    rows = read(found)
    assert [row["name"] for row in rows] == [each.name for each in found.registries]
    assert all(None not in row and None not in row.values() for row in rows)


def test_what_was_found_is_there() -> None:
    rows = [consumer(), consumer("api", "works"), consumer("job", "unknown"), owner()]
    [row] = read(content(registry(consumers=rows, proof=proof("no"), policy=policy(), statusIsDefault=True)))
    assert row["status"] == "enabled"
    assert row["statusIsDefault"] == "true"
    assert row["next"] == "held back"
    assert (row["enforcedInEffect"], row["checkTime"]) == ("no", "2026-11-25T10:00:00Z")
    counts = ("consumersBreak", "consumersUnknown", "consumersWork", "othersMayPull")
    assert [row[name] for name in counts] == ["1", "1", "1", "1"]
    assert row["breaking"] == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Web/sites/shop"
    assert row["policyCompliance"] == "NonCompliant"
    assert row["madeBy"] == "ops@contoso.com"


def test_what_was_not_read_is_empty_and_not_zero() -> None:
    [row] = read(content(registry()))
    for name in ("enforcedInEffect", "consumersBreak", "othersMayPull", "breaking", "policyCompliance"):
        assert row[name] == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_a_name_is_never_a_formula(name: str) -> None:
    [row] = read(content(registry(subscription=name)))
    assert row["subscriptionName"] == f"'{name}"


def test_whether_everything_was_read_is_in_every_row() -> None:
    registries = [registry("a", consumers=[]), registry("b", consumers=[], partial=True), registry("c")]
    rows = read(content(*registries, consumers_asked=True, unread=["Subscription 42 could not be read."]))
    assert [(row["consumersRead"], row["unread"]) for row in rows] == [("all", "1"), ("part", "1"), ("none", "1")]
    assert {row["consumersRead"] for row in read(content(registry()))} == {""}


def test_a_cell_holds_what_a_spreadsheet_takes() -> None:
    [row] = read(content(registry(consumers=[consumer(f"app{number:04}") for number in range(1000)])))
    assert len(row["breaking"]) < 32_767
    listed, more = row["breaking"].split(" and ")
    assert len(listed.split(" ")) + int(more.removesuffix(" more")) == 1000
    assert all(
        each.rpartition("/")[2].startswith("app") and len(each) == len(listed.split(" ")[0])
        for each in listed.split(" ")
    )


def test_lines_in_a_name_stay_in_its_cell() -> None:
    [row] = read(content(registry(subscription='two\nlines, "quoted"')))
    assert row["subscriptionName"] == 'two\nlines, "quoted"'


def test_sign_in_methods_are_empty_unless_they_were_read() -> None:
    unread = sign_ins(repositoryTokens={"state": "unknown", "items": None}, writableCacheRepos="unknown")
    first, second = read(content(registry("a"), registry("b", otherSignIns=unread)))
    assert (first["repositoryTokens"], first["tasksNetworkBypass"], first["roleAssignmentMode"]) == ("", "", "")
    assert (second["repositoryTokens"], second["connectedRegistries"]) == ("unknown", "none")
    assert (second["writableCacheRepos"], second["tasksNetworkBypass"]) == ("unknown", "denied")
