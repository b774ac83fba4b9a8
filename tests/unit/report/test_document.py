"""What a report says to people: nothing sounds better than what was read and proven."""

from typing import Any

import pytest

from azext_acrscope.report import document
from azext_acrscope.report.blocks import ReportDocument, TableCell
from tests.factories.report import check, connected, consumer, content, policy, proof, registry, sign_ins, token


def facts(made: ReportDocument) -> dict[str, str]:
    return dict(made.facts)


def section(made: ReportDocument, title: str) -> Any:
    return next(each for each in made.sections if each.title == title)


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (["enabled"], "0 of 1 registry is enforced; 1 still accepts ARM-audience tokens."),
        (["disabled"], "1 of 1 registry is enforced."),
        (["disabled", "enabled"], "1 of 2 registries is enforced; 1 still accepts ARM-audience tokens."),
        (["enabled", "enabled"], "0 of 2 registries are enforced; 2 still accept ARM-audience tokens."),
        (["disabled", "unknown"], "1 of 2 registries is enforced; the status of 1 is unknown."),
    ],
)
def test_the_headline_is_the_numbers(statuses: list[str], said: str) -> None:
    found = content(*(registry(f"r{place}", status) for place, status in enumerate(statuses)))
    assert document.make_document(found).headline == said


def test_a_status_that_is_not_in_effect_is_in_the_headline() -> None:
    one, two = registry("a", "disabled", proof=proof("no")), registry("b", "disabled", proof=proof("no"))
    assert document.make_document(content(one)).headline == (
        "1 of 1 registry is enforced; 1 does not do what the status says."
    )
    assert "; 2 do not do what the status says." in document.make_document(content(one, two)).headline


def test_a_check_that_came_to_nothing_is_no_proof() -> None:
    """Without an ARM-audience token, or where none got through."""
    found = content(
        registry("a", proof=proof("no")),
        registry("b", proof=proof("unknown", "warning")),
        registry("c", proof=proof("unknown", "failed")),
        registry("d"),
    )
    said = facts(document.make_document(found))["Proof"]
    assert said == (
        "1 of 4 registries verified with a token of each audience, checked 2026-11-25 10:00:00 UTC; "
        "2 checked without a result"
    )


def test_proof_is_as_old_as_its_oldest_part() -> None:
    found = content(registry("a", proof=proof()), registry("b", proof=proof(time="2025-01-02T03:04:05Z")))
    assert "checked 2025-01-02 03:04:05 UTC to 2026-11-25 10:00:00 UTC" in facts(document.make_document(found))["Proof"]


def test_what_was_read_in_part_is_not_said_to_be_read() -> None:
    registries = [
        registry("a", consumers=[], policy=policy()),
        registry("b", consumers=[], partial=True),
        registry("c"),
    ]
    made = document.make_document(content(*registries, consumers_asked=True, assignments=[]))
    assert facts(made)["Consumers"] == "searched in Azure Resource Graph; incomplete for 2 of 3 registries"
    assert facts(made)["Policy"] == "assignments and states of Azure Policy; incomplete for 2 of 3 registries"
    cells = [row[4] for row in section(made, "Registries").table.rows]
    assert cells == [
        TableCell("none found"),
        TableCell("none found", "doubt", note="not all could be read"),
        TableCell("not read", "doubt"),
    ]


def test_policy_that_could_not_be_read_is_not_said_to_be_absent() -> None:
    absent = section(document.make_document(content(registry(policy=policy()), assignments=[])), "Policy")
    assert absent.text.startswith("No assignment")
    for found in (
        content(registry(policy=policy()), assignments=[], policy_partial=True),
        content(registry("a", policy=policy()), registry("b"), assignments=[]),
    ):
        told = section(document.make_document(found), "Policy").text
        assert "No assignment" not in told
        assert "There may be others" in told


def test_subscriptions_of_one_name_are_told_apart_by_their_ids() -> None:
    one, two = ("aaaaaaaa-0000-0000-0000-000000000000", "bbbbbbbb-0000-0000-0000-000000000000")
    found = content(
        registry("a", subscription="Dev", subscriptionId=one),
        registry("b", subscription="dev", subscriptionId=two),
        registry("c", consumers=[consumer()]),
    )
    rows = section(document.make_document(found), "By subscription").table.rows
    assert [row[0] for row in rows] == [TableCell("Dev", note=one), TableCell("dev", note=two), TableCell("Production")]


def row_of(made: ReportDocument, title: str, number: int = 0) -> dict[str, TableCell]:
    table = section(made, title).table
    return dict(zip(table.columns, table.rows[number], strict=True))


def test_what_was_not_searched_never_reads_as_none() -> None:
    checks = [check("Bicep"), check("azd", found=0), check("Flux", found=2)]
    made = document.make_document(content(registry(), manual_checks=checks))
    cells = [row_of(made, "To check by hand", number)["Searched"] for number in range(3)]
    assert [(cell.text, cell.tone) for cell in cells] == [
        ("not searched", "doubt"),
        ("code: 0 found", ""),
        ("code: 2 found", "doubt"),
    ]
    assert cells[0].note == "`--source PATH` searches Bicep."
    assert "1 of 3 were not searched in any other way" in section(made, "To check by hand").text


def test_a_search_that_could_not_read_all_says_so() -> None:
    partly = check("azd", found=0)
    partly["searched"]["complete"] = False
    made = document.make_document(content(registry(), manual_checks=[partly]))
    cell = row_of(made, "To check by hand")["Searched"]
    assert (cell.text, cell.tone) == ("code: 0 found, not all could be read", "doubt")


@pytest.mark.parametrize(
    ("evidence", "note"), [("ran", "tried"), ("read", "seen in the tool's code, not tried"), ("", "")]
)
def test_a_fix_says_how_it_is_known(evidence: str, note: str) -> None:
    made = document.make_document(content(registry(consumers=[consumer(evidence=evidence)]), consumers_asked=True))
    assert row_of(made, "Consumers that break (1)")["Fix"].note == note


def test_other_sign_in_methods_are_there_only_if_they_were_read() -> None:
    made = document.make_document(content(registry()))
    assert not [each for each in made.sections if each.title == "Other sign-in methods"]
    assert facts(made)["Sign-in methods"] == "admin user and anonymous pull; others not requested"


TOKENS = [
    (token(), "builders (passwords, expires 2027-01-31)"),
    (token(passwords=[{"name": "password1", "expiry": None}]), "builders (passwords, never expires)"),
    (token(status="disabled"), "builders (disabled)"),
    (token(passwords=[]), "builders (no password or certificate)"),
    (
        token(certificates=[{"name": "certificate1", "expiry": "2028-01-01T00:00:00Z"}]),
        "builders (passwords and certificates, expires 2028-01-01)",
    ),
]


@pytest.mark.parametrize(("one", "said"), TOKENS)
def test_a_token_is_told_with_what_it_signs_in_with_and_when_that_ends(one: Any, said: str) -> None:
    found = sign_ins(repositoryTokens={"state": "open", "items": [one]})
    made = document.make_document(content(registry(otherSignIns=found), sign_ins_asked=True))
    cell = row_of(made, "Other sign-in methods")["Repository tokens"]
    assert (cell.text, cell.tone, cell.note) == ("open", "bad", said)


def test_connected_registries_are_told_with_what_they_sync_with() -> None:
    items = [connected(), connected("edge", token="")]
    found = sign_ins(connectedRegistries={"state": "open", "items": items}, tasksNetworkBypass="allowed")
    made = document.make_document(content(registry(otherSignIns=found), sign_ins_asked=True))
    row = row_of(made, "Other sign-in methods")
    assert row["Connected registries"].note == "factory (token sync), edge (ManagedIdentity)"
    assert (row["ACR Tasks past network rules"].text, row["ACR Tasks past network rules"].tone) == ("allowed", "bad")
    assert facts(made)["Sign-in methods"] == "read from Azure Resource Manager"


def test_sign_in_methods_that_could_not_be_read_are_unknown_and_never_none() -> None:
    unread = {"state": "unknown", "items": None}
    found = sign_ins(repositoryTokens=unread, connectedRegistries=unread, tasksNetworkBypass="unknown")
    made = document.make_document(content(registry(otherSignIns=found), sign_ins_asked=True))
    row = row_of(made, "Other sign-in methods")
    assert row["Repository tokens"].text == row["Connected registries"].text == "unknown: could not be read"
    assert row_of(made, "Registries")["Other sign-in methods"].text == (
        "repository tokens unknown, connected registries unknown, ACR Tasks past network rules unknown"
    )
    assert facts(made)["Sign-in methods"] == "read from Azure Resource Manager; incomplete for 1 of 1 registry"


def test_the_policies_that_close_them_are_named_once() -> None:
    made = document.make_document(content(registry(otherSignIns=sign_ins()), sign_ins_asked=True))
    made_section = section(made, "Built-in policies that close them")
    named = {(row[0].text, row[1].text, row[2].text) for row in made_section.table.rows}
    assert ("repository tokens", "ff05e24e-195c-447e-b322-5e90c9f9f366", "Audit, Deny") in named
    assert len(named) == 6
    assert made_section.text.endswith(": connected registries, ACR Tasks past network rules, writable cache.")
