"""Microsoft.ResourceGraph in Azure Resource Manager: POST …/resources.

Recorded: the order of the answer's members, `resultTruncated` as a string, the headers. Documented
(learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data): a $skipToken comes only when `id` is
among the columns, no limit or take is in the query, and not every column is dynamic; else the answer is "truncated".
"""

from __future__ import annotations

import datetime
from typing import Any

from tests.localcloud import kql
from tests.localcloud.arm import errors
from tests.localcloud.arm.resource_graph import errors as resource_graph_errors
from tests.localcloud.arm.resource_graph import request as resource_graph_request
from tests.localcloud.arm.resource_graph.request import BadRequest, GraphRequest
from tests.localcloud.arm.resource_graph.tables import TEXT_COLUMNS, GraphTables
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.kql import ParserFailure, Result, as_text
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.management_groups import ManagementGroup
from tests.localcloud.world.world import Subscription, World

VERSIONS = ("2021-03-01", "2021-06-01-preview", "2022-10-01", "2024-04-01")
_FULL_QUOTA = 14
"""What the headers say of the quota's rest while there is no throttling (recorded: 11 to 14)."""


class Graph:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(
        self,
        request: Request,
        principal: Principal,
        tenant_id: str,
        segments: list[str],
        version: str,
        headers: dict[str, str],
    ) -> Answer:
        """Answers a path that begins with /providers/Microsoft.ResourceGraph; adds to the headers of the answer."""
        if [segment.lower() for segment in segments[2:]] != ["resources"]:
            raise errors.not_here(request.path)
        if version not in VERSIONS:
            raise errors.unknown_api_version(version, "resources", VERSIONS)
        if request.method != "POST":
            raise errors.method_not_allowed(request.method)
        correlation = headers["x-ms-correlation-request-id"]
        self._take_quota(principal, headers, correlation)
        try:
            wanted = resource_graph_request.read(_content(request))
            tables = self._tables(wanted, principal, tenant_id, correlation)
            if self._world.graph_subscription_limit_hit:
                headers["x-ms-tenant-subscription-limit-hit"] = "true"
            now = datetime.datetime.fromtimestamp(self._world.now(), datetime.timezone.utc)
            result = kql.run(wanted.query, tables, wanted.skip, wanted.top, now)
            answer = json_answer(200, self._page(result, wanted))
            if len(answer.body) > self._world.graph_largest_answer:
                raise resource_graph_errors.too_large(len(answer.body), self._world.graph_largest_answer, correlation)
            return answer
        except BadRequest as error:
            raise resource_graph_errors.bad_request(str(error), correlation) from error
        except ParserFailure as failure:
            raise resource_graph_errors.invalid_query(failure, correlation) from failure

    def _take_quota(self, principal: Principal, headers: dict[str, str], correlation: str) -> None:
        quota = self._world.graph_quota
        wait, left = quota.take(principal.object_id) if self._world.graph_throttling else (0, _FULL_QUOTA)
        headers.update(quota.headers(left))
        if wait:
            raise resource_graph_errors.rate_limited(wait, correlation)

    # Scope

    def _tables(self, wanted: GraphRequest, principal: Principal, tenant_id: str, correlation: str) -> GraphTables:
        """What cannot be seen is left out without a word, unless nothing can be seen."""
        if wanted.bad_ids:
            raise resource_graph_errors.not_guids(wanted.bad_ids, correlation)
        if wanted.subscriptions and wanted.management_groups:
            # What Azure does with both is not known.
            raise BadRequest("subscriptions and managementGroups together")
        visible = [
            one for one in self._world.subscriptions if one.tenant_id == tenant_id and self._reads(principal, one)
        ]
        if wanted.management_groups:
            return self._under_groups(wanted.management_groups, principal, tenant_id, visible, correlation)
        groups: list[ManagementGroup] = []
        if wanted.subscriptions:
            ids = {one.lower() for one in wanted.subscriptions}
            visible = [one for one in visible if one.id in ids]
        else:
            groups = self._world.hierarchy.groups(tenant_id)
        if not visible:
            raise resource_graph_errors.no_subscriptions(wanted.subscriptions or [], correlation)
        return GraphTables(self._world, principal, visible, groups)

    def _under_groups(
        self,
        names: list[str],
        principal: Principal,
        tenant_id: str,
        visible: list[Subscription],
        correlation: str,
    ) -> GraphTables:
        groups: list[ManagementGroup] = []
        for name in names:
            group = self._world.management_group(name)
            if group is None or group.tenant_id != tenant_id:
                raise resource_graph_errors.bad_groups([name], correlation)
            groups += [group, *self._world.hierarchy.below(group)]
        inside = set(groups)
        seen = [one for one in visible if self._world.hierarchy.home(one) in inside]
        if not seen:
            raise resource_graph_errors.no_access(correlation)
        return GraphTables(self._world, principal, seen, list(dict.fromkeys(groups)))

    def _reads(self, principal: Principal, subscription: Subscription) -> bool:
        return self._world.sees(principal, subscription, reading=True)

    # The answer

    def _page(self, result: Result, wanted: GraphRequest) -> dict[str, Any]:
        end = wanted.skip + len(result.rows)
        more = end < result.total
        pages = _can_page(result) and not self._world.graph_truncated
        cut = (more and not pages) or self._world.graph_truncated
        data: Any = _as_table(result) if wanted.as_table else [_plain_row(row) for row in result.rows]
        answer: dict[str, Any] = {
            "totalRecords": result.total,
            "count": len(result.rows),
            "data": data,
            "facets": [],
            "resultTruncated": "true" if cut else "false",
        }
        if more and pages:
            answer["$skipToken"] = resource_graph_request.next_token(wanted.top, end)
        return answer


def _content(request: Request) -> Any:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise errors.not_json(kind)
    try:
        return request.json()
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _can_page(result: Result) -> bool:
    """`id` being a string column, the rule about dynamic columns holds by itself."""
    return "id" in result.columns and not result.limited


# Values as JSON


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: as_text(value) for name, value in row.items()}


def _as_table(page: Result) -> dict[str, Any]:
    columns = [{"name": name, "type": _type(name, page.rows)} for name in page.columns]
    return {"columns": columns, "rows": [[as_text(row[name]) for name in page.columns] for row in page.rows]}


def _type(name: str, rows: list[dict[str, Any]]) -> str:
    """string, object and integer are recorded names; otherwise the first value that there is decides."""
    if name in TEXT_COLUMNS:
        return "string"
    value = next((row[name] for row in rows if row[name] is not None), None)
    known = {str: "string", bool: "boolean", int: "integer", float: "number", datetime.datetime: "datetime"}
    return known.get(type(value), "object")
