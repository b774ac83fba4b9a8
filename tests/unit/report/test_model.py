"""What was gathered adds up to numbers, and to what is next for each registry."""

from typing import Any

import pytest

from azext_acrscope.report import model
from azext_acrscope.report.model import ReportedRegistry
from tests.factories.report import consumer, content, holder, owner, proof, registry, sign_ins, token

BROAD = owner("Owner on the subscription", "Reader on management group contoso")


@pytest.mark.parametrize(
    ("expected", "status", "more"),
    [
        ("enforced", "disabled", {}),
        ("enforced", "disabled", {"consumers": [consumer()]}),
        ("enforced", "disabled", {"proof": proof("yes")}),
        ("enforced", "disabled", {"proof": proof("unknown", "failed")}),
        ("mismatch", "disabled", {"proof": proof("no", "failed")}),
        ("mismatch", "enabled", {"proof": proof("yes", "failed"), "consumers": []}),
        ("unread", "unknown", {"consumers": []}),
        ("held back", "enabled", {"consumers": [consumer(), consumer("api", "works")]}),
        ("held back", "enabled", {"consumers": [consumer()], "proof": proof("no")}),
        ("look first", "enabled", {"consumers": [consumer("api", "unknown")]}),
        ("look first", "enabled", {"consumers": None}),
        ("ready", "enabled", {"consumers": []}),
        ("look first", "enabled", {"consumers": [], "partial": True}),
        ("held back", "enabled", {"consumers": [consumer()], "partial": True}),
        ("ready", "enabled", {"consumers": [consumer("api", "works")], "proof": proof("no")}),
        ("ready", "enabled", {"consumers": [BROAD]}),
    ],
)
def test_what_is_next_for_a_registry(expected: str, status: str, more: dict[str, Any]) -> None:
    assert registry(status=status, **more).next == expected


def test_a_consumer_of_several_registries_is_told_once_for_all_of_them() -> None:
    shared = consumer("shared")
    found = content(
        registry("one", consumers=[shared, consumer("own")]),
        registry("two", consumers=[shared]),
        registry("three", consumers=[consumer("shared", why="It is configured, but not in use.")]),
    )
    told = {(row["name"], row["why"]): [each.name for each in names] for row, names in found.consumers("breaks")}
    assert told == {
        ("shared", shared["why"]): ["one", "two"],
        ("own", shared["why"]): ["one"],
        ("shared", "It is configured, but not in use."): ["three"],
    }
    assert found.verdicts() == {"breaks": 3, "works": 0, "unknown": 0, "mayPull": 0}


def test_who_may_pull_by_a_broad_role_is_counted_apart() -> None:
    found = content(registry(consumers=[BROAD, holder("AcrPull on the registry", name="robot")]))
    assert [row["name"] for row, _ in found.consumers("unknown")] == ["robot"]
    assert [row["name"] for row, _ in found.consumers("unknown", broad=True)] == ["group 1"]
    assert found.verdicts() == {"breaks": 0, "works": 0, "unknown": 1, "mayPull": 1}


def test_consumers_that_nobody_asked_for_have_no_numbers() -> None:
    assert content(registry()).verdicts() is None
    assert content(registry(consumers=[])).verdicts() == {"breaks": 0, "works": 0, "unknown": 0, "mayPull": 0}


def test_registries_stand_by_subscription_then_name_and_empty_subscriptions_are_told() -> None:
    found = content(
        registry("beta", subscription="Zeta"),
        registry("Alpha", subscription="Zeta"),
        registry("omega", subscription="alpha"),
        subscriptions=["Zeta", "alpha", "Empty"],
    )
    names = [(name, [each.name for each in registries]) for _, name, registries in found.by_subscription()]
    assert names == [("alpha", ["omega"]), ("Empty", []), ("Zeta", ["Alpha", "beta"])]


def test_subscriptions_of_one_name_are_several() -> None:
    ids = ("aaaaaaaa-0000-0000-0000-000000000000", "bbbbbbbb-0000-0000-0000-000000000000")
    found = content(
        registry("two", subscription="Pay-As-You-Go", subscriptionId=ids[1].upper()),
        registry("one", "disabled", subscription="Pay-As-You-Go", subscriptionId=ids[0]),
        subscriptions=[],
    )
    seen = [(key, name, [each.name for each in registries]) for key, name, registries in found.by_subscription()]
    assert seen == [(ids[0], "Pay-As-You-Go", ["one"]), (ids[1], "Pay-As-You-Go", ["two"])]


def test_the_summary_is_numbers() -> None:
    found = content(
        registry("one", "disabled", proof=proof()),
        registry("two", proof=proof("unknown", "failed")),
        registry("three", "unknown"),
        unread=["Subscription 42 could not be read."],
    )
    assert model.report_numbers(found) == {
        "registries": 3,
        "enforced": 1,
        "notEnforced": 1,
        "unknown": 1,
        "next": {"mismatch": 0, "held back": 0, "look first": 1, "ready": 0, "unread": 1, "enforced": 1},
        "consumers": None,
        "checked": 2,
        "proven": 1,
        "unread": ["Subscription 42 could not be read."],
    }


@pytest.mark.parametrize(("admin", "anonymous", "doors"), [(0, 0, []), (1, 1, ["admin user", "anonymous pull"])])
def test_doors_that_the_status_does_not_close(admin: int, anonymous: int, doors: list[str]) -> None:
    found: ReportedRegistry = registry(otherSignIns={"adminUser": bool(admin), "anonymousPull": bool(anonymous)})
    assert (found.doors, found.unknown_doors) == (doors, [])


def test_doors_that_were_read_are_open_unknown_or_closed() -> None:
    unread = {"state": "unknown", "items": None}
    is_open, unknown = (
        sign_ins(repositoryTokens={"state": "open", "items": [token()]}),
        sign_ins(repositoryTokens=unread, connectedRegistries=unread, tasksNetworkBypass="unknown"),
    )
    found = registry(otherSignIns=is_open)
    assert (found.doors, found.unknown_doors) == (["repository tokens"], [])
    found = registry(otherSignIns=unknown)
    assert found.doors == []
    assert found.unknown_doors == ["repository tokens", "connected registries", "ACR Tasks past network rules"]
    closed = sign_ins(repositoryTokens={"state": "closed", "items": [token(status="disabled")]})
    found = registry(otherSignIns=closed)
    assert (found.doors, found.unknown_doors) == ([], [])
