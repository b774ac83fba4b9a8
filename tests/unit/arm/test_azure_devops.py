"""Azure DevOps: which organization is meant, pages, what is no answer, limits that are heeded, and who gets a token."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.cli.core import azclierror
from azure.cli.core.azclierror import AzCLIError, InvalidArgumentValueError
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.arm import azure_devops
from azext_acrscope.arm.azure_devops import DevOpsError, devops_path, parse_organization, read_rows, seconds_to_wait
from azext_acrscope.arm.pipeline import Reply
from tests.factories.azure_devops import Bench
from tests.localcloud import Answer, Request, json_answer

GUID = "11111111-2222-3333-4444-555555555555"
JSON = {"Content-Type": "application/json; charset=utf-8; api-version=7.1"}


@pytest.mark.parametrize(
    "text",
    ["contoso", " Contoso ", "https://dev.azure.com/contoso", "https://dev.azure.com/Contoso/",
     "https://contoso.visualstudio.com", "HTTPS://contoso.visualstudio.com/"],
)  # fmt: skip
def test_an_organization_is_a_name_or_the_address_of_its_pages(text: str) -> None:
    assert parse_organization(text) == "contoso"


@pytest.mark.parametrize(
    "text",
    ["", "-contoso", "contoso-", "a" * 51, "con toso", "contoso/_apis", "..", "contoso?x", "contoso#x", "contoso%2f",
     "http://dev.azure.com/contoso", "https://dev.azure.com/contoso/project", "https://evil.example/contoso",
     "https://user@dev.azure.com/contoso", "https://dev.azure.com/..", "https://dev.azure.com/contoso?x=y",
     "https://a.b.visualstudio.com", "https://dev.azure.com.evil.example/contoso", "cöntoso", "con\ntoso",
     "contoso\x00"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="cannot be the name"):
        parse_organization(text)


@given(st.text())
def test_whatever_is_taken_for_an_organization_is_one_plain_segment(text: str) -> None:
    try:
        name = parse_organization(text)
    except InvalidArgumentValueError:
        return
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    assert 0 < len(name) <= 50


@given(st.text(), st.sampled_from(["project", "connection"]))
def test_what_is_no_guid_becomes_no_segment(text: str, kind: str) -> None:
    with pytest.raises(DevOpsError, match="not a GUID"):
        devops_path(f"/x/{{{kind}}}", **{kind: text})


# --- answers -------------------------------------------------------------------------------------------------------


def test_rows_are_the_values_of_a_list() -> None:
    assert read_rows(Reply(200, JSON, {"count": 1, "value": [{"a": 1}]})) == [{"a": 1}]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/html"}, {"value": []}),
        ({}, {"value": []}),
        (JSON, None),
        (JSON, []),
        (JSON, {}),
        (JSON, {"value": None}),
        (JSON, {"value": {}}),
        (JSON, {"value": ["x"]}),
        (JSON, {"count": 2, "value": [{}]}),
    ],
)
def test_what_is_no_whole_list_is_an_error(headers: dict[str, str], body: Any) -> None:
    with pytest.raises(DevOpsError):
        read_rows(Reply(200, headers, body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (203, azclierror.UnauthorizedError),
        (302, azclierror.UnauthorizedError),
        (401, azclierror.UnauthorizedError),
        (403, azclierror.ForbiddenError),
        (404, azclierror.ResourceNotFoundError),
        (429, azclierror.AzureResponseError),
        (400, azclierror.AzureResponseError),
        (204, azclierror.AzureResponseError),
        (503, azclierror.AzureInternalError),
    ],
)
def test_every_status_but_200_is_an_error_with_a_next_step(status: int, kind: type[AzCLIError]) -> None:
    body = {"value": [], "typeKey": "SomeException", "message": "words of a server"}
    with pytest.raises(DevOpsError) as caught:
        read_rows(Reply(status, {**JSON, "X-VSS-ResourceTenant": GUID}, body))
    error = caught.value.as_cli_error("contoso")
    assert isinstance(error, kind)
    assert f"[HTTP {status}, SomeException]" in error.error_msg
    assert "words of a server" not in error.error_msg
    assert error.recommendations
    assert (GUID in error.error_msg) == (kind is azclierror.UnauthorizedError)


@pytest.mark.parametrize(
    "tenant", ["", "00000000-0000-0000-0000-000000000000", "evil; rm -rf ~", "eyJhbGciOiJSUzI1NiJ9"]
)
def test_only_a_tenant_is_repeated(tenant: str) -> None:
    with pytest.raises(DevOpsError) as caught:
        read_rows(Reply(401, {"X-VSS-ResourceTenant": tenant}, {"typeKey": "eyJhbGciOiJSUzI1NiJ9.e30.x" * 9}))
    assert caught.value.tenant == ""
    assert "eyJ" not in str(caught.value)


def test_a_tenant_of_any_digits_is_named() -> None:
    with pytest.raises(DevOpsError) as caught:
        read_rows(Reply(401, {"X-VSS-ResourceTenant": GUID}, None))
    assert caught.value.tenant == GUID


# --- pages ---------------------------------------------------------------------------------------------------------


def filled(number: int, page_size: int = 100, last_page_tells: bool = False) -> Bench:
    bench = Bench()
    bench.world.devops.page_size, bench.world.devops.last_page_tells = page_size, last_page_tells
    for each in range(number):
        bench.organization.add_project(f"project{each}")
    return bench


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 25])
def test_all_projects_are_read_whatever_the_size_of_a_page(number: int, tells: bool) -> None:
    bench = filled(number, 10, tells)
    assert [row["name"] for row in bench.connect().projects()] == [f"project{each}" for each in range(number)]
    assert len(bench.requests) <= number // 10 + 2


def test_a_service_that_ignores_where_to_go_on_is_read_once() -> None:
    bench = filled(3)
    first = bench.connect().projects()
    bench.change = lambda request, answer: json_answer(200, {"count": 3, "value": first})
    assert bench.connect().projects() == first


@pytest.mark.parametrize("token", ["1", "x" * 5000, "ü", "https://evil.example/"])
def test_pages_without_an_end_are_an_error(token: str) -> None:
    bench = filled(3)

    row = {"id": GUID, "name": "x"}
    bench.change = lambda request, answer: json_answer(
        200, {"count": 1, "value": [row]}, {"x-ms-continuationtoken": token}
    )
    with pytest.raises(DevOpsError, match="without an end"):
        bench.connect().projects()
    with pytest.raises(DevOpsError, match="without an end"):
        bench.connect().connections(bench.organization.projects[0].id)
    assert {request.host for _, request in bench.requests} == {"dev.azure.com"}


def test_pages_that_never_repeat_end_all_the_same() -> None:
    bench = filled(1)
    row = {"id": GUID, "name": "x"}
    bench.change = lambda request, answer: json_answer(
        200, {"count": 1, "value": [row]}, {"x-ms-continuationtoken": str(len(bench.requests))}
    )
    with pytest.raises(DevOpsError, match="without an end"):
        bench.connect().connections(GUID)
    assert len(bench.requests) == 100


def test_a_list_of_connections_that_has_pages_is_read_whole() -> None:
    bench = filled(1)
    project = bench.organization.projects[0]
    pages = {"": ("a", "2"), "2": ("b", "3"), "3": ("c", "")}

    def paged(request: Request, answer: Answer) -> Answer:
        name, following = pages[request.query.get("continuationToken", "")]
        return json_answer(200, {"count": 1, "value": [{"name": name}]}, {"x-ms-continuationtoken": following})

    bench.change = paged
    assert [row["name"] for row in bench.connect().connections(project.id)] == ["a", "b", "c"]


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "100000"}, 300),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "Fri, 07 Nov 2014 23:59:59 GMT"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"}, 30),
        ({"X-RateLimit-Remaining": "0.000", "X-RateLimit-Reset": "1030"}, 30),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999"}, 60),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 0),
        ({"X-RateLimit-Remaining": "0"}, 0),
        ({"X-RateLimit-Remaining": "10", "X-RateLimit-Reset": "1030"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030", "Retry-After": "2"}, 2),
    ],
)
def test_what_an_answer_says_of_limits_is_heeded_within_bounds(headers: dict[str, str], seconds: float) -> None:
    assert seconds_to_wait(headers, 1000.0) == seconds


@given(st.dictionaries(st.sampled_from(["Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"]), st.text()))
def test_no_header_makes_it_wait_for_long_or_fail(headers: dict[str, str]) -> None:
    assert 0 <= seconds_to_wait(headers, 1000.0) <= 300


def test_nothing_is_sent_before_the_time_that_an_answer_of_200_named() -> None:
    bench = filled(1)
    asked = [json_answer(200, {"value": []}, {"Retry-After": "30"}), json_answer(200, {"value": []})]
    bench.change = lambda request, answer: asked.pop(0)
    service = bench.connect()
    for _ in range(2):
        service.connections(bench.organization.projects[0].id)
    (first, _), (second, _) = bench.requests
    assert second - first >= 30


def test_a_request_that_is_refused_is_sent_again_when_it_may() -> None:
    bench = filled(2)
    answers = [Answer(429, b"", {"Retry-After": "20"})] * 2
    bench.change = lambda request, answer: answers.pop() if answers else answer
    assert len(bench.connect().projects()) == 2
    times = [time for time, _ in bench.requests]
    assert times[1] - times[0] >= 20
    assert times[2] - times[1] >= 20


def test_a_service_that_refuses_for_good_is_given_up_in_bounded_time() -> None:
    bench = filled(2)
    bench.change = lambda request, answer: Answer(429, b"", {"Retry-After": "300"})
    service, started = bench.connect(), bench.now()
    for _ in range(5):
        with pytest.raises(DevOpsError) as caught:
            service.projects()
        assert isinstance(caught.value.as_cli_error("contoso"), azclierror.AzureResponseError)
    assert bench.now() - started <= 1800
    assert len(bench.requests) < 12


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, None])
def test_what_passes_is_tried_again_and_what_does_not_pass_is_told(status: int | None) -> None:
    bench = filled(2)
    failures = [status] * 2
    bench.change = lambda request, answer: _failed(failures.pop()) if failures else answer
    assert len(bench.connect().projects()) == 2
    bench.change = lambda request, answer: _failed(status)
    before = len(bench.requests)
    with pytest.raises((DevOpsError, azclierror.AzureConnectionError)):
        bench.connect().projects()
    assert len(bench.requests) - before == 5


def test_a_connection_that_is_lost_is_not_tried_again_and_again_for_each_project() -> None:
    bench = filled(50)
    service = bench.connect()
    bench.change = lambda request, answer: None
    for project in bench.organization.projects:
        with pytest.raises(azclierror.AzureConnectionError):
            service.connections(project.id)
    assert len(bench.requests) == 5 + 49
    bench.change = None
    assert service.connections(project.id) == []


def _failed(status: int | None) -> Answer | None:
    return None if status is None else Answer(status, b"oops", {"Content-Type": "text/html"})


@pytest.mark.parametrize("status", [203, 302, 400, 401, 403, 404, 501])
def test_what_does_not_pass_is_asked_once(status: int) -> None:
    bench = filled(2)
    bench.change = lambda request, answer: Answer(status, b"{}", dict(JSON))
    with pytest.raises(DevOpsError, match=f"HTTP {status}"):
        bench.connect().projects()
    assert len(bench.requests) == 1


# --- who gets a token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authority", ["https://login.chinacloudapi.cn", "https://login.microsoftonline.us", "x", ""])
def test_an_account_of_another_cloud_sends_no_token(authority: str) -> None:
    endpoints = SimpleNamespace(active_directory=authority)
    context = SimpleNamespace(cloud=SimpleNamespace(name="TheCloud", endpoints=endpoints))
    with pytest.raises(InvalidArgumentValueError, match="TheCloud"):
        azure_devops.connect_devops(context, "contoso")


def test_a_member_of_the_wrong_tenant_is_told_which_one_is_right() -> None:
    bench = filled(1)
    bench.organization.tenant_id = GUID
    with pytest.raises(DevOpsError) as caught:
        bench.connect().projects()
    assert (caught.value.status, caught.value.tenant) == (401, GUID)
    assert json.dumps(caught.value.as_cli_error("contoso").recommendations).count(f"az login --tenant {GUID}") == 1
