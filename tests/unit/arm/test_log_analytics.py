"""Log Analytics: which workspace is meant, what an answer holds, and which endpoint may have a token."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.cli.core import azclierror
from azure.cli.core.azclierror import AzCLIError, InvalidArgumentValueError

from azext_acrscope.arm import log_analytics
from azext_acrscope.arm.log_analytics import LogRows, parse_workspace

GUID = "11111111-2222-3333-4444-555555555555"
ID = f"/subscriptions/{GUID}/resourceGroups/rg.logs_(1)/providers/Microsoft.OperationalInsights/workspaces/log-1"
TABLE = "ContainerRegistryLoginEvents"


def test_a_workspace_is_a_guid_or_a_resource_id() -> None:
    assert parse_workspace(f" {GUID.upper()} ").guid == GUID
    named = parse_workspace(f"{ID}/")
    assert (named.guid, named.resource_id, named.subscription_id) == ("", ID, GUID)
    assert parse_workspace(ID.lower()).resource_id == ID.lower()


@pytest.mark.parametrize(
    "text",
    ["", "log-1", GUID[:-1], f"{GUID}/query", f"../{GUID}", f"{ID}/tables/x", f"{ID}?a=b", ID.replace("log-1", "l"),
     ID.replace("Microsoft.OperationalInsights", "Microsoft.Insights"), f"https://management.azure.com{ID}"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_command_that_prints_ids(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError) as caught:
        parse_workspace(text)
    assert "az monitor log-analytics workspace list" in caught.value.recommendations[0]


# --- answers -------------------------------------------------------------------------------------------------------


def read(status: int, body: Any) -> LogRows:
    return log_analytics.read_log_answer(status, body, TABLE, GUID, "https://api.loganalytics.io")


def table(*rows: list[Any]) -> dict[str, Any]:
    columns = [{"name": "Category", "type": "string"}, {"name": "count_", "type": "long"}]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": list(rows)}]}


def test_rows_have_the_names_of_columns() -> None:
    answer = read(200, table(["Alert", 64], [None, 0]))
    assert answer == LogRows([{"Category": "Alert", "count_": 64}, {"Category": None, "count_": 0}])


def test_an_error_beside_the_tables_makes_the_answer_incomplete() -> None:
    error = {"code": "PartialError", "message": "secret words", "details": [{"code": "EngineError", "message": "x"}]}
    answer = read(200, {**table(["Alert", 64]), "error": error})
    assert len(answer.rows) == 1
    assert answer.incomplete == [
        "Log Analytics returned only part of its answer (PartialError, EngineError): there may be more."
    ]
    assert read(200, {**table(), "error": "odd"}).incomplete


@pytest.mark.parametrize(
    "body",
    [None, [], "text", {}, {"tables": None}, {"tables": []}, {"tables": [[]]}, table(["too short"]),
     {"tables": [{"columns": [{"name": "a"}], "rows": ["b"]}]}, {"tables": [{"columns": [1], "rows": []}]},
     {"tables": [{"columns": [], "rows": None}]}],
)  # fmt: skip
def test_what_is_no_table_is_an_error(body: Any) -> None:
    with pytest.raises(azclierror.AzureResponseError, match="not a table"):
        read(200, body)


def missing(name: str) -> dict[str, Any]:
    message = f"'where' operator: Failed to resolve table or column expression named '{name}'"
    semantic = {"code": "SEM0100", "message": message}
    inner = {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": semantic}
    return {"error": {"code": "BadArgumentError", "message": "The request had …", "innererror": inner}}


def test_a_table_that_was_never_sent_to_is_no_error() -> None:
    assert read(400, missing(TABLE)) == LogRows(rows=[], incomplete=[])
    with pytest.raises(azclierror.BadRequestError, match="SEM0100"):
        read(400, missing("UserAgent"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (302, "", azclierror.AzureResponseError),
        (400, "BadArgumentError", azclierror.BadRequestError),
        (401, "AuthenticationFailed", azclierror.UnauthorizedError),
        (403, "InvalidAuthenticationTokenAudience", azclierror.UnauthorizedError),
        (403, "InsufficientAccessError", azclierror.ForbiddenError),
        (404, "PathNotFoundError", azclierror.ResourceNotFoundError),
        (413, "ResponseSizeError", azclierror.AzureResponseError),
        (429, "ThrottledError", azclierror.AzureResponseError),
        (504, "GatewayTimeout", azclierror.AzureInternalError),
    ],
)
def test_refusals_have_types_codes_and_a_next_step(status: int, code: str, kind: type[AzCLIError]) -> None:
    with pytest.raises(kind) as caught:
        read(status, {"error": {"code": code, "message": "words of a server"}} if code else None)
    assert f"HTTP {status}" in caught.value.error_msg
    assert code in caught.value.error_msg
    assert "words of a server" not in caught.value.error_msg
    assert caught.value.recommendations


def test_a_server_cannot_put_words_into_an_error() -> None:
    with pytest.raises(azclierror.AzureResponseError) as caught:
        read(418, {"error": {"code": "eyJhbGciOiJSUzI1NiJ9.e30.x" * 9, "innererror": {"code": ["x"], "innererror": 3}}})
    assert "eyJ" not in caught.value.error_msg
    assert "(unreadable)" in caught.value.error_msg


# --- where the token goes ------------------------------------------------------------------------------------------


def cloud(endpoint: str | None) -> Any:
    endpoints = SimpleNamespace(
        log_analytics_resource_id=endpoint, has_endpoint_set=lambda name: bool(endpoint) and name.startswith("log_")
    )
    return SimpleNamespace(name="TheCloud", endpoints=endpoints)


@pytest.mark.parametrize(
    "endpoint", ["https://api.loganalytics.io", "https://api.loganalytics.us/", "https://api.loganalytics.azure.cn"]
)
def test_the_endpoint_is_the_clouds(endpoint: str) -> None:
    assert log_analytics._log_endpoint(cloud(endpoint)) == endpoint.rstrip("/")


@pytest.mark.parametrize(
    "endpoint",
    [None, "http://api.loganalytics.io", "api.loganalytics.io", "https://", "https://user@api.loganalytics.io",
     "https://api.loganalytics.io/path", "https://api.loganalytics.io?x", "https://api.loganalytics.io:8443"],
)  # fmt: skip
def test_a_cloud_without_an_https_endpoint_gets_no_token(endpoint: str | None) -> None:
    with pytest.raises(InvalidArgumentValueError, match="TheCloud"):
        log_analytics._log_endpoint(cloud(endpoint))
