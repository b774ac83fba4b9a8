"""Queries of Resource Graph: all rows, or a sentence on why there may be more."""

from typing import Any, cast

import pytest
from azure.cli.core.azclierror import AzureResponseError

from azext_acrscope.arm import errors, resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError, Reply, parse_arm_error
from azext_acrscope.arm.graph_quota import GraphQuota

ROW = {"id": "/subscriptions/s", "name": "one"}


class Graph:
    """Answers one query after the other; an answer of another status is raised."""

    endpoint, tenant = "https://arm.example", "t"

    def __init__(self, *answers: Any) -> None:
        self.graph_quota = GraphQuota()
        self.answers, self.bodies = list(answers), list[Any]()

    def post(self, _path: str, _version: str, body: Any) -> Reply:
        self.bodies.append({**body, "options": dict(body["options"])})
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return Reply(200, {}, answer)


def page(rows: list[Any], **more: Any) -> dict[str, Any]:
    return {"data": rows, "count": len(rows), "totalRecords": len(rows), "resultTruncated": "false", **more}


def ask(*answers: Any) -> resource_graph.GraphRows:
    return resource_graph.query_graph(cast(ArmClient, Graph(*answers)), "resources")


def test_all_pages_are_one_answer() -> None:
    found = ask(page([ROW], totalRecords=2, **{"$skipToken": "more"}), page([ROW], totalRecords=2))
    assert (len(found.rows), found.incomplete) == (2, [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page([], count=3, totalRecords=3), errors.GRAPH_SHORT),
        (page([ROW], count=2), errors.GRAPH_SHORT),
        (page([ROW], totalRecords=2), errors.GRAPH_SHORT),
        (page([ROW], count=None), errors.GRAPH_SHORT),
        (page([ROW], totalRecords="1"), errors.GRAPH_SHORT),
        ({"data": [], "resultTruncated": "false"}, errors.GRAPH_SHORT),
        (page([ROW], resultTruncated="true"), errors.GRAPH_CUT),
        (page([ROW], resultTruncated=5), errors.GRAPH_CUT),
        (page([ROW, None, {}, {"id": 5}, {"id": "text"}, {"id": "/x"}]), "5 rows of Resource Graph could not be read."),
    ],
)
def test_what_may_be_missing_is_said(answer: Any, said: str) -> None:
    assert ask(answer).incomplete == [said]


@pytest.mark.parametrize("answer", [None, [], {}, {"data": None}, page([], **{"$skipToken": 5}), "text", 5])
def test_what_is_no_page_is_an_error(answer: Any) -> None:
    with pytest.raises(AzureResponseError, match="not a list"):
        ask(answer)


SUPPORT = "Please provide below info when asking for support: timestamp = 2026-11-28, correlationId = 1."


def test_the_reason_of_a_refusal_is_in_its_details() -> None:
    details = [{"code": "InvalidQuery", "message": "Query is invalid."}, {"code": "ParserFailure", "message": "Odd."}]
    body = {"error": {"code": "BadRequest", "message": SUPPORT, "details": details}}
    error = parse_arm_error(400, {}, "", body)
    assert error.message == "Query is invalid. Odd."
    assert str(error) == "BadRequest, InvalidQuery, ParserFailure (HTTP 400)"


def too_large() -> Exception:
    details = [{"code": "ResponsePayloadTooLarge", "message": "Response payload size is too large."}]
    return parse_arm_error(400, {}, "", {"error": {"code": "BadRequest", "message": SUPPORT, "details": details}})


def test_a_page_that_is_too_large_is_halved_and_the_query_goes_on() -> None:
    graph = Graph(
        page([ROW], totalRecords=3, **{"$skipToken": "a"}),
        too_large(),
        too_large(),
        page([ROW], totalRecords=3, **{"$skipToken": "b"}),
        page([ROW], totalRecords=3),
    )
    found = resource_graph.query_graph(cast(ArmClient, graph), "resources")
    assert (len(found.rows), found.incomplete) == (3, [])
    sent = [(each["options"]["$top"], each["options"].get("$skipToken")) for each in graph.bodies]
    assert sent == [(1000, None), (1000, "a"), (500, "a"), (250, "a"), (250, "b")]


def test_one_row_that_is_too_large_is_an_error() -> None:
    with pytest.raises(ArmError, match="ResponsePayloadTooLarge"):
        ask(*(too_large() for _ in range(20)))


@pytest.mark.parametrize("failure", [ArmError(500, "x", "x", "c"), KeyboardInterrupt()])
def test_a_query_that_ends_in_an_error_is_not_under_way_any_more(failure: BaseException) -> None:
    graph = Graph(*[failure] * 40)
    for _ in range(40):  # of which 15 may be under way
        with pytest.raises(type(failure)):
            resource_graph.query_graph(cast(ArmClient, graph), "resources")
