"""Organizations of Azure DevOps: what is asked of them, what becomes of the answers, and what could not be read."""

from __future__ import annotations

from typing import Any

import pytest
from azure.cli.core import azclierror

from azext_acrscope.arm.azure_devops import AzureDevOps
from azext_acrscope.consumers import azure_devops, checklist, output, search
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.azure_devops import Bench, fill
from tests.localcloud import Answer, Request, json_answer

KNOWLEDGE = load_knowledge()
SUFFIX = ".azurecr.io"


def ask(
    bench: Bench, registries: dict[str, str] | None = None, names: tuple[str, ...] = ("contoso",)
) -> dict[str, Any]:
    """The result, with the checklist as the command makes it."""
    result = search.no_registries()
    result["registries"] = [{"id": key, "loginServer": host} for key, host in (registries or {}).items()]

    def connect(name: str) -> AzureDevOps:
        service = bench.connect()
        service.organization = name
        return service

    elsewhere = azure_devops.add_service_connections(
        result, connect, names, knowledge=KNOWLEDGE, suffix=SUFFIX, selected=registries is not None
    )
    return {**result, "manualChecks": checklist.checklist_rows(KNOWLEDGE, [elsewhere])}


def short(result: dict[str, Any]) -> list[tuple[str, ...]]:
    return [(row["project"], row["connection"], row["scheme"], row["verdict"]) for row in result["azureDevOps"]]


def test_each_scheme_has_its_verdict_what_breaks_first() -> None:
    bench = Bench()
    registry = bench.world.add_registry("contoso")
    project, shop = bench.organization.add_project("Fabrikam"), bench.organization.add_project("Shop")
    bench.organization.add_acr_connection(project, "wif", registry)
    bench.organization.add_acr_connection(shop, "msi", registry, "ManagedServiceIdentity")
    bench.organization.add_acr_connection(project, "secret", registry, "ServicePrincipal")
    bench.organization.add_password_connection(project, "admin", registry.login_server, "contoso")
    bench.organization.add_password_connection(project, "hub", "index.docker.io", "contoso")
    bench.organization.add_azure_connection(project, "azure")
    result = ask(bench)
    assert short(result) == [
        ("Fabrikam", "wif", "workload identity federation", "breaks"),
        ("Shop", "msi", "managed identity", "breaks"),
        ("Fabrikam", "azure", "workload identity federation", "unknown"),
        ("Fabrikam", "secret", "service principal", "unknown"),
        ("Fabrikam", "admin", "user name and password", "works"),
    ]
    assert result["incomplete"] == []
    assert {row["registry"] for row in result["azureDevOps"]} == {registry.login_server, None}
    assert all(row["source"] and row["sourceDate"] and row["why"] and row["fix"] for row in result["azureDevOps"])
    assert result["organizations"] == ["contoso"]


def test_a_shared_connection_is_one_row_with_all_that_it_is_shared_with() -> None:
    bench = Bench()
    registry = bench.world.add_registry("contoso")
    one, two, hidden = (bench.organization.add_project(name) for name in ("One", "Two", "Hidden"))
    hidden.hidden_from.add(bench.member.object_id)
    made = bench.organization.add_acr_connection(two, "two-acr", registry)
    bench.organization.add_connection(one, "one-acr", made)
    bench.organization.add_connection(hidden, "hidden-acr", made)
    deploy = bench.organization.add_pipeline(two, "Deploy", "ci/deploy.yml")
    bench.organization.run(two, deploy, made, 3)
    bench.organization.run(two, deploy, made, 5)
    bench.organization.run(one, bench.organization.add_pipeline(one, "Designer", None), made, 4)
    bench.organization.release(one, "Ship", made, 6)
    [row] = ask(bench)["azureDevOps"]
    assert (row["project"], row["connection"], row["sharedWith"]) == ("Hidden", "hidden-acr", ["One", "Two"])
    assert row["usedBySince"] is None
    assert row["usedBy"] == [
        used("Ship", "One", "classic release", None, 6),
        used("Deploy", "Two", "YAML pipeline", "ci/deploy.yml", 5),
        used("Designer", "One", "classic pipeline", None, 4),
    ]


def used(pipeline: str, project: str, kind: str, file: str | None, day: int) -> dict[str, Any]:
    time = f"2026-11-{day:02}T11:47:06Z"
    return {"pipeline": pipeline, "project": project, "kind": kind, "file": file, "lastUsed": time}


def test_a_history_that_goes_on_says_since_when_it_was_read() -> None:
    bench = Bench()
    project = bench.organization.add_project("Fabrikam")
    made = bench.organization.add_azure_connection(project, "azure")
    pipeline = bench.organization.add_pipeline(project, "Old")
    for _ in range(600):
        bench.organization.run(project, pipeline, made, 7)
    [row] = ask(bench)["azureDevOps"]
    assert [each["pipeline"] for each in row["usedBy"]] == ["Old"]
    assert row["usedBySince"] == "2026-11-07T11:47:06Z"


def test_only_connections_that_may_reach_the_registries_in_view_are_listed() -> None:
    bench = Bench()
    ours, theirs = bench.world.add_registry("contoso"), bench.world.add_registry("fabrikam")
    project = bench.organization.add_project("Fabrikam")
    bench.organization.add_acr_connection(project, "ours", ours)
    by_id = bench.organization.add_acr_connection(project, "by-id", ours)
    by_id.authorization["parameters"]["loginServer"] = "made-up.azurecr.io"
    by_host = bench.organization.add_acr_connection(project, "by-host", ours)
    by_host.data["registryId"] = by_host.authorization["parameters"]["scope"] = None
    variable = bench.organization.add_acr_connection(project, "variable", theirs)
    variable.data["registryId"] = variable.authorization["parameters"]["scope"] = None
    variable.authorization["parameters"]["loginServer"] = "$(registry)"
    bench.organization.add_acr_connection(project, "theirs", theirs)
    bench.organization.add_password_connection(project, "their-token", theirs.login_server, "builders")
    bench.organization.add_azure_connection(project, "azure")
    result = ask(bench, {ours.id.upper(): ours.login_server})
    found = {row["connection"]: row["registry"] for row in result["azureDevOps"]}
    assert found == {
        "ours": ours.login_server,
        "by-id": ours.login_server,
        "by-host": ours.login_server,
        "variable": None,
        "azure": None,
    }
    assert len(ask(bench)["azureDevOps"]) == 7


def test_a_connection_that_knows_the_name_alone_is_listed_for_a_registry_whose_login_server_has_a_hash() -> None:
    bench = Bench()
    by_name = bench.organization.add_acr_connection(
        bench.organization.add_project("Shop"), "by-name", bench.world.add_registry("contoso")
    )
    by_name.data["registryId"] = by_name.authorization["parameters"]["scope"] = None
    registries = {"/subscriptions/s/contoso": "contoso-d2f3a4b5c6d7e8f9.azurecr.io"}
    assert [row["connection"] for row in ask(bench, registries)["azureDevOps"]] == ["by-name"]
    assert ask(bench, {"/subscriptions/s/other": "northwind-d2f3a4b5c6d7e8f9.azurecr.io"})["azureDevOps"] == []


def test_a_connection_that_is_not_ready_is_listed_too() -> None:
    bench = Bench()
    project = bench.organization.add_project("Fabrikam")
    bench.organization.add_azure_connection(project, "azure").is_ready = False
    assert len(ask(bench)["azureDevOps"]) == 1


# --- what could not be read ----------------------------------------------------------------------------------------


def two_projects() -> Bench:
    bench = Bench()
    registry = bench.world.add_registry("contoso")
    for name in ("One", "Two"):
        project = bench.organization.add_project(name)
        made = bench.organization.add_acr_connection(project, f"{name}-acr", registry)
        bench.organization.run(project, bench.organization.add_pipeline(project, "Deploy"), made)
    return bench


def break_path(bench: Bench, ending: str, answer: Answer | None, project: str = "") -> None:
    def change(request: Request, right: Answer) -> Answer | None:
        return answer if request.path.endswith(ending) and project in request.path else right

    bench.change = change


WRONG = [
    json_answer(403, {"typeKey": "AccessDeniedException"}),
    json_answer(400, {"typeKey": "ProjectDoesNotExistException"}),
    Answer(203, b"<html>", {"Content-Type": "text/html"}),
    Answer(302, b"", {"Location": "https://evil.example/_signin"}),
    Answer(200, b"<html>", {"Content-Type": "text/html"}),
    Answer(200, b"", {"Content-Type": "application/json"}),
    json_answer(200, {"count": 5, "value": []}),
    json_answer(200, [1]),
    None,
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_project_that_cannot_be_read_hides_no_other_and_is_told(wrong: Answer | None) -> None:
    bench = two_projects()
    break_path(bench, "/endpoints", wrong, bench.organization.projects[0].id)
    result = ask(bench)
    assert [row["project"] for row in result["azureDevOps"]] == ["Two"]
    [said] = result["incomplete"]
    assert "The service connections of 1 project of Azure DevOps organization contoso (One) could not be read" in said
    assert {request.host for _, request in bench.requests} == {"dev.azure.com"}


@pytest.mark.parametrize("wrong", WRONG)
def test_uses_that_cannot_be_read_are_null_and_told(wrong: Answer | None) -> None:
    bench = two_projects()
    break_path(bench, "/executionhistory", wrong, bench.organization.projects[0].id)
    result = ask(bench)
    assert [(row["project"], row["usedBy"] is None) for row in result["azureDevOps"]] == [("One", True), ("Two", False)]
    [said] = result["incomplete"]
    assert "What uses 1 service connection of Azure DevOps organization contoso could not be read" in said


@pytest.mark.parametrize("wrong", WRONG)
def test_files_that_cannot_be_read_leave_the_pipelines_and_are_told(wrong: Answer | None) -> None:
    bench = two_projects()
    break_path(bench, "/definitions", wrong, bench.organization.projects[0].id)
    result = ask(bench)
    files = [(row["usedBy"][0]["pipeline"], row["usedBy"][0]["file"]) for row in result["azureDevOps"]]
    assert files == [("Deploy", None), ("Deploy", "azure-pipelines.yml")]
    assert len(result["incomplete"]) == 1


@pytest.mark.parametrize("ending", ["/endpoints", "/executionhistory", "/definitions", "/projects"])
@pytest.mark.parametrize("odd", [{}, {"id": 7, "process": {"type": 2}}, {"id": None, "name": "\x1b[31m"}])
def test_rows_of_another_form_are_told(ending: str, odd: dict[str, Any]) -> None:
    bench = two_projects()
    break_path(bench, ending, json_answer(200, {"count": 1, "value": [odd]}))
    result = ask(bench)
    assert result["incomplete"]
    assert all(text.isprintable() for text in result["incomplete"])
    assert output.fail_on_error(result, "unknown")


def test_an_organization_where_nothing_can_be_seen_is_not_read_as_one_without_connections() -> None:
    bench = Bench()
    assert "sees no project" in ask(bench)["incomplete"][0]
    bench = two_projects()
    for project in bench.organization.projects:
        project.connections[0].hidden_from.add(bench.member.object_id)
    result = ask(bench)
    assert result["azureDevOps"] == []
    assert "shows a service connection of any type" in result["incomplete"][0]
    assert output.fail_on_error(result, "unknown")


_MORE_THAN_ONE_PLACE: list[tuple[dict[str, str] | None, tuple[str, ...]]] = [
    ({}, ("contoso",)),
    (None, ("contoso", "fabrikam")),
]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (Answer(203, b"<html>", {"Content-Type": "text/html"}), azclierror.UnauthorizedError),
        (Answer(401, b"", {}), azclierror.UnauthorizedError),
        (Answer(404, b"<html>", {"Content-Type": "text/html"}), azclierror.ResourceNotFoundError),
        (None, azclierror.AzureConnectionError),
    ],
)
def test_an_organization_fails_the_command_if_nothing_else_was_read_and_is_told_otherwise(
    wrong: Answer | None, kind: type[azclierror.AzCLIError]
) -> None:
    bench = two_projects()
    break_path(bench, "/contoso/_apis/projects", wrong)
    with pytest.raises(kind):
        ask(bench)
    with pytest.raises(kind):
        ask(bench, None, ("contoso", "nobody"))
    bench.world.devops.add_organization("fabrikam").admit(bench.member)
    for registries, names in _MORE_THAN_ONE_PLACE:
        result = ask(bench, registries, names)
        assert "Azure DevOps organization contoso could not be read" in result["incomplete"][0]
        assert "contoso" not in result["organizations"]


def test_an_organization_that_is_named_twice_is_read_once() -> None:
    bench = two_projects()
    assert len(ask(bench, None, ("contoso", "contoso"))["azureDevOps"]) == 2
    assert bench.count("/endpoints") == 2


def searched(result: dict[str, Any]) -> dict[str, tuple[int | None, bool]]:
    """What the checklist says of connections to registries."""
    rows = [row for row in result["manualChecks"] if "ACR service connections" in row["consumer"]]
    return {row["consumer"]: (row["searched"]["found"], row["searched"]["complete"]) for row in rows}


def test_the_checklist_says_what_was_searched_in_organizations_and_whether_all_could_be_read() -> None:
    bench = two_projects()
    whole = searched(ask(bench))
    assert sorted(found for found, _ in whole.values() if found is not None) == [0, 0, 2]
    assert {complete for _, complete in whole.values()} == {True}
    break_path(bench, "/endpoints", Answer(403), bench.organization.projects[0].id)
    part = searched(ask(bench))
    assert sorted(found for found, _ in part.values() if found is not None) == [0, 0, 1]
    assert {complete for _, complete in part.values()} == {False}
    break_path(bench, "/projects", Answer(403))
    assert set(searched(ask(bench, {})).values()) == {(None, False)}


# --- a large organization ------------------------------------------------------------------------------------------


@pytest.mark.stage  # it takes seconds; what is large is smaller in the tests below
def test_a_large_organization_takes_one_request_for_the_connections_of_a_project() -> None:
    bench = Bench()
    fill(bench.world, bench.organization)
    result = ask(bench)
    assert len(result["azureDevOps"]) == 2000
    assert result["incomplete"] == []
    assert all(row["usedBy"] for row in result["azureDevOps"] if row["connection"] != "shared")
    [shared] = [row for row in result["azureDevOps"] if row["connection"] == "shared"]
    assert len(shared["sharedWith"]) == 299
    assert bench.count("/_apis/projects") == 4  # three full pages, and an empty one that ends the list
    assert bench.count("/endpoints") == 300
    assert bench.count("/executionhistory") == 1999 + 300
    assert bench.count("/definitions") == 300


def test_a_large_organization_that_throttles_is_read_whole_and_nothing_is_sent_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With several threads a request may go out between an answer and the moment when its thread notes what it says.
    monkeypatch.setattr(azure_devops, "AT_ONCE", 1)
    bench = Bench()
    fill(bench.world, bench.organization, 60, 200)
    bench.world.devops.limits.free, bench.world.devops.limits.seconds = 50, 10
    told: list[float] = []

    def keep(request: Request, answer: Answer) -> Answer:
        told.append(float(answer.headers.get("Retry-After", 0)))
        return answer

    bench.change = keep
    result = ask(bench)
    assert (len(result["azureDevOps"]), result["incomplete"]) == (200, [])
    sent = [time for time, _ in bench.requests]
    for number, seconds in enumerate(told):
        assert all(time - sent[number] >= seconds for time in sent[number + 1 :])
    assert any(told)


def test_an_organization_that_throttles_for_good_ends_in_bounded_time_and_is_told() -> None:
    bench = Bench()
    fill(bench.world, bench.organization, 60, 200)
    break_path(bench, "/executionhistory", Answer(429, b"", {"Retry-After": "240"}))
    started = bench.now()
    result = ask(bench)
    assert len(result["azureDevOps"]) == 200
    assert all(row["usedBy"] is None for row in result["azureDevOps"])
    assert any("throttled for too long" in text for text in result["incomplete"])
    assert bench.now() - started <= 1800
    assert len(bench.requests) < 150


def test_histories_of_connections_that_everybody_shares_are_bounded_and_those_left_out_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    fill(bench.world, bench.organization, 30, 40)
    monkeypatch.setattr(azure_devops, "_MAX_HISTORIES", 50)
    result = ask(bench)
    assert bench.count("/executionhistory") == 50
    assert "19 usage histories of shared service connections" in result["incomplete"][0]
    assert all(row["usedBy"] for row in result["azureDevOps"] if row["connection"] != "shared")
