"""Reading the log of sign-ins: what the query asks for, who is refused since when, and whose identities they are."""

from typing import Any

import pytest

from azext_acrscope.consumers import errors as consumers_errors
from azext_acrscope.consumers import login_events, login_log
from azext_acrscope.consumers.inventory import RegistryInView
from azext_acrscope.consumers.output import fail_on_error
from azext_acrscope.consumers.registry_uses import add_client_ids

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def registry(name: str = "contoso", label: str = "") -> RegistryInView:
    identifier = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries"
    return RegistryInView(f"{identifier}/{name}", name, f"{label or name}.azurecr.io", SUBSCRIPTION, "rg")


CONTOSO = registry()


def event(result: str, clock: str, identity: str = "oid", address: str = "1.1.1.1", **columns: Any) -> dict[str, Any]:
    """A row of the query's answer: one event at that time of a day, such as 10:00, or all between two (10:00-11:00)."""
    first, _, last = clock.partition("-")
    return {
        "_ResourceId": CONTOSO.id.lower(),
        "LoginServer": CONTOSO.login_server,
        "Identity": identity,
        "CallerIpAddress": address,
        "UserAgent": "agent",
        "ResultDescription": result,
        "events": 1,
        "firstEvent": f"2026-11-25T{first}:00.1234567Z",
        "lastEvent": f"2026-11-25T{last or first}:00Z",
        **columns,
    }


def rows(*events: dict[str, Any], owners: dict[str, list[str]] | None = None) -> list[dict[str, Any]]:
    clients, odd = login_events.read_events(events, [CONTOSO])
    assert odd == 0
    return login_events.client_rows(clients[CONTOSO.id.lower()], owners or {})


def newly(*events: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["identity"], row["address"]) for row in rows(*events) if row["newlyRefused"]]


# --- the query -----------------------------------------------------------------------------------------------------


def test_the_query_names_the_registries_and_bounds_time_and_rows() -> None:
    text = login_events.events_query([CONTOSO], 7)
    assert text.startswith("ContainerRegistryLoginEvents\n| where TimeGenerated > ago(7d)\n")
    assert f"_ResourceId in~ ('{CONTOSO.id}') or LoginServer in~ ('contoso.azurecr.io')" in text
    assert text.endswith(f"| take {login_events.MAX_ROWS}")


def test_the_query_stays_short_however_many_registries_are_meant() -> None:
    some = [registry(f"contoso{number}") for number in range(1000)]
    assert "contoso" not in login_events.events_query(some, 7)
    assert len(login_events.events_query(some[:50], 7)) < 20_000


def test_no_text_leaves_its_quotes() -> None:
    odd = registry("contoso", "x') or true or ('\\")
    assert "in~ ('x\\') or true or (\\'\\\\.azurecr.io')" in login_events.events_query([odd], 7)


# --- results -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        ("200", (1, 0, 0)),
        ("401", (0, 1, 0)),
        ("403", (0, 1, 0)),
        ("404", (0, 1, 0)),
        ("408", (0, 0, 1)),
        ("429", (0, 0, 1)),
        ("500", (0, 0, 1)),
        ("", (0, 0, 1)),
        ("4٠1", (0, 0, 1)),
        ("Unauthorized", (0, 0, 1)),
    ],
)
def test_a_result_is_a_sign_in_a_refusal_or_neither(result: str, counts: tuple[int, int, int]) -> None:
    [row] = rows(event(result, "10:00"))
    assert (row["signIns"], row["refusals"], row["other"]) == counts
    assert row["results"] == {result: 1}


def test_events_of_one_client_add_up() -> None:
    [row] = rows(event("200", "08:00-10:00", events=5), event("401", "11:00-12:00", events=3), event("429", "12:30"))
    assert (row["signIns"], row["refusals"], row["other"]) == (5, 3, 1)
    assert row["results"] == {"200": 5, "401": 3, "429": 1}
    assert row["lastSignIn"] == "2026-11-25T10:00:00Z"
    assert row["refusedSince"] == "2026-11-25T11:00:00Z"
    assert row["lastRefusal"] == "2026-11-25T12:00:00Z"


# --- newly refused -------------------------------------------------------------------------------------------------


def test_who_signed_in_before_and_is_refused_after_that_is_newly_refused() -> None:
    assert newly(event("200", "10:00"), event("401", "11:00")) == [("oid", "1.1.1.1")]
    assert newly(event("401", "10:00"), event("200", "11:00")) == []
    assert newly(event("401", "11:00")) == []
    assert newly(event("200", "10:00"), event("429", "11:00"), event("503", "11:00")) == []


def test_since_when_is_not_said_where_refusals_began_before_the_last_sign_in() -> None:
    [row] = rows(event("200", "10:00"), event("401", "09:00-11:00"))
    assert row["newlyRefused"]
    assert row["refusedSince"] is None


def test_a_client_with_changing_addresses_is_the_same_by_its_identity() -> None:
    before = event("200", "10:00")
    assert newly(before, event("401", "11:00", address="2.2.2.2")) == [("oid", "2.2.2.2")]
    after = event("200", "12:00", address="3.3.3.3")
    assert newly(before, event("401", "11:00", address="2.2.2.2"), after) == []
    assert newly(before, event("401", "11:00", address="2.2.2.2", UserAgent="other")) == []


def test_a_refusal_without_identity_may_be_of_who_signed_in_from_there_before() -> None:
    early, late = event("200", "10:00", "early"), event("200", "12:00", "late")
    elsewhere = event("200", "10:00", "elsewhere", "2.2.2.2")
    [row] = [each for each in rows(early, late, elsewhere, event("401", "11:00", "")) if each["newlyRefused"]]
    assert (row["identity"], row["possibleIdentities"], row["lastSignIn"]) == ("", ["early"], "2026-11-25T10:00:00Z")
    assert newly(late, elsewhere, event("401", "11:00", "")) == []


def test_our_own_probe_is_refused_on_purpose() -> None:
    agent = "AZURECLI/2.91.0 (PIP) CliExtension/acrscope (probe)"
    found = rows(event("200", "10:00", UserAgent=agent), event("401", "11:00", UserAgent=agent))
    assert [(row["client"], row["newlyRefused"]) for row in found] == [("acrscope's own probe", False)]


def test_the_newly_refused_come_first() -> None:
    found = rows(event("200", "10:00", "b"), event("200", "10:00", "a"), event("401", "11:00", "b"))
    assert [row["identity"] for row in found] == ["b", "a"]


# --- whose they are ------------------------------------------------------------------------------------------------


def test_consumers_are_those_that_pull_with_the_identity_in_any_case() -> None:
    owners = {"oid": ["/a", "/b"]}
    assert rows(event("200", "10:00", "OID"), owners=owners)[0]["consumers"] == ["/a", "/b"]
    found = rows(event("200", "10:00"), event("401", "11:00", None), owners=owners)  # type: ignore[arg-type]
    assert [row["consumers"] for row in found if row["possibleIdentities"]] == [["/a", "/b"]]


def test_client_ids_stand_for_the_object_ids_that_a_row_gives_them() -> None:
    assigned = {"/id-a": {"principalId": "AAA", "clientId": "aa"}, "/id-b": {"principalId": "bbb", "clientId": "bb"}}
    row = {"identity": {"userAssignedIdentities": assigned}, "kubelet": {"objectId": "kkk", "clientId": "kk"}}
    assert add_client_ids(row, frozenset({"aaa"})) == {"aaa", "aa"}
    assert add_client_ids(row, frozenset({"kkk"})) == {"kkk", "kk"}
    assert add_client_ids({"identity": "odd"}, frozenset({"aaa"})) == {"aaa"}
    assert add_client_ids({"identity": {"userAssignedIdentities": [1]}}, frozenset({"aaa"})) == {"aaa"}


def test_an_event_belongs_to_a_registry_by_id_else_by_login_server() -> None:
    other, hashed = registry("fabrikam"), registry("hashed", "hashed-abc123")
    events = [
        event("200", "10:00", "by id", LoginServer="fabrikam.azurecr.io"),
        event("200", "10:00", "regional", _ResourceId=None, LoginServer="contoso.westeurope.geo.azurecr.io"),
        event("200", "10:00", "capitals", _ResourceId="", LoginServer="HASHED-ABC123.azurecr.io"),
        event("200", "10:00", "stranger", _ResourceId=registry("else").id),
        event("200", "10:00", "label", _ResourceId="", LoginServer="contoso-x.azurecr.io"),
    ]
    clients, _ = login_events.read_events(events, [CONTOSO, other, hashed])
    seen = {key.rpartition("/")[2]: {each.identity for each in found} for key, found in clients.items()}
    assert seen == {"contoso": {"by id", "regional"}, "fabrikam": set(), "hashed": {"capitals"}}


# --- odd values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [{"events": "1"}, {"events": True}, {"events": None}, {"firstEvent": "today"}, {"lastEvent": None},
     {"lastEvent": "2026-13-25T10:00:00Z"}],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_counted(columns: dict[str, Any]) -> None:
    clients, odd = login_events.read_events(
        [event("200", "10:00", **columns), event("200", "10:00", "other")], [CONTOSO]
    )
    assert odd == 1
    assert [each.identity for each in clients[CONTOSO.id.lower()]] == ["other"]


def test_what_clients_say_of_themselves_stays_on_a_line_of_bounded_length() -> None:
    [row] = rows(event("200", "10:00", UserAgent="a\x1b[2J\nERROR: " + "b" * 1000))
    assert row["userAgent"].startswith("a [2J ERROR: b")
    assert len(row["userAgent"]) == login_events.MAX_TEXT_LENGTH


def test_known_clients_have_a_name() -> None:
    assert login_events.client_of_user_agent("kubernetes-credentialprovider-acr/v1.33") == "kubelet"
    assert login_events.client_of_user_agent("azure/acr/tasks") == "ACR Tasks"
    assert login_events.client_of_user_agent("docker/28.1.1 go/go1.23.8") == "docker"
    assert login_events.client_of_user_agent("not docker/28") == ""


# --- what people are told ------------------------------------------------------------------------------------------


def result(*events: dict[str, Any]) -> dict[str, Any]:
    each = {
        "name": "contoso",
        "id": CONTOSO.id,
        "breaks": 0,
        "works": 0,
        "unknown": 0,
        "consumers": [],
        "logins": rows(*events),
    }
    return {"registries": [each], "incomplete": [], "log": {"workspace": "guid", "days": 7}}


def test_the_warnings_name_the_newly_refused_and_the_way_back() -> None:
    found = result(event("200", "10:00"), event("401", "11:00"))
    assert login_log.login_summary(found) == [
        "Sign-ins of the last 7 days: 1 client, 1 newly refused.",
        consumers_errors.LOG_LIMITS,
    ]
    lines = login_log.login_warnings(found)
    assert lines[1] == (
        "  contoso: oid from 1.1.1.1 with agent: signed in until 2026-11-25T10:00:00Z, refused since "
        "2026-11-25T11:00:00Z"
    )
    assert f"`az acr scope enforce --status enabled --ids {CONTOSO.id}`" in lines[2]
    assert login_log.login_warnings(result(event("200", "10:00"))) == []
    unnamed = login_log.login_warnings(result(event("200", "10:00"), event("401", "11:00", "")))
    assert "no identity (one of oid) from 1.1.1.1" in unnamed[1]


def test_the_warnings_are_short_however_many_are_refused() -> None:
    events = [event(code, clock, f"o{n}") for n in range(50) for code, clock in (("200", "10:00"), ("401", "11:00"))]
    lines = login_log.login_warnings(result(*events))
    assert len(lines) == 13
    assert "… and 40 more" in lines[11]


def test_a_token_in_a_user_agent_is_not_told() -> None:
    token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJhdWQiOiJ4In0.c2ln"  # noqa: S105
    events = [event(code, clock, UserAgent=token) for code, clock in (("200", "10:00"), ("401", "11:00"))]
    assert "eyJ" not in " ".join(login_log.login_warnings(result(*events)))


def test_the_gate_counts_the_newly_refused() -> None:
    assert fail_on_error(result(event("200", "10:00")), "breaks") is None
    failed = fail_on_error(result(event("200", "10:00"), event("401", "11:00")), "breaks")
    assert failed
    assert "1 client is newly refused" in failed.error_msg
    quiet = {"breaks": 0, "works": 0, "unknown": 0, "consumers": []}
    assert fail_on_error({"registries": [quiet], "incomplete": []}, "breaks") is None
