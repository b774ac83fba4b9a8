"""What a report says to people: nothing sounds better than what was read and proven."""

from typing import Any

import pytest

from azext_acrscope.report import document
from azext_acrscope.report.blocks import ReportDocument, TableCell
from tests.factories.report import consumer, content, policy, proof, registry


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
