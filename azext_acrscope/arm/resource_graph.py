"""Azure Resource Graph: queries over many subscriptions in few requests.

Wire format: ``POST /providers/Microsoft.ResourceGraph/resources`` with ``{query, subscriptions | managementGroups,
options{$top, $skipToken, resultFormat}}``; the answer has ``data``, ``resultTruncated`` (a string) and, if there is
more and `id` was projected, ``$skipToken``. A user's queries are paced by what the answers tell of their quota; a 429
carries Retry-After, which the ARM pipeline waits out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope.arm import errors
from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.paths import arm_path
from azext_acrscope.base.foreign_json import find_text, find_value, is_whole_number
from azext_acrscope.base.resource_ids import is_arm_name, parse_resource_id

API_VERSION = "2022-10-01"
PAGE_SIZE = 1000  # rows; the service's maximum
_NO_SUBSCRIPTION = "NoValidSubscriptionsInQueryRequest"  # in the details of a 400 (recorded in clients' output)
_TOO_LARGE = "ResponsePayloadTooLarge"  # in the details of a 400: the answer had over 16,777,216 bytes


@dataclass
class GraphRows:
    """What a query found: objects whose `id` is a resource ID.

    :ivar incomplete: a sentence for each reason why there may be more.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    odd: int = 0

    def add_page(self, page: list[Any]) -> None:
        """Add the rows of a page; those whose ID is none do not say what they are about, and are only counted."""
        whole = [row for row in page if parse_resource_id(find_text(row, "id")).type]
        self.rows += whole
        self.odd += len(page) - len(whole)

    def told(self) -> "GraphRows":
        """Return itself, with a sentence on the rows that are only counted."""
        if self.odd:
            _add_once(self.incomplete, errors.graph_rows_unread(self.odd))
        return self


def query_graph(
    arm: ArmClient,
    kql: str,
    *,
    subscriptions: list[str] | None = None,
    management_group: str | None = None,
    inherited: bool = False,
) -> GraphRows:
    """Run a query, which must project `id`, over subscriptions, a management group, or all the account can see.

    :param inherited: of authorizations, also those that are given above the scope.
    :raises ForbiddenError: the account sees no subscription there.
    :raises ArmError: Resource Graph refused it for another reason.
    """
    options: dict[str, Any] = {"$top": PAGE_SIZE, "resultFormat": "objectArray"}
    if inherited:
        options["authorizationScopeFilter"] = "AtScopeAboveAndBelow"
    body: dict[str, Any] = {"query": kql, "options": options}
    if management_group:
        body["managementGroups"] = [management_group]
    elif subscriptions:
        body["subscriptions"] = subscriptions
    found, seen, received = GraphRows(), set[str](), 0
    while True:
        reply = _post_fitting_query(arm, body)
        page = find_value(reply.body, "data")
        token = find_value(reply.body, "$skipToken") or ""
        if not isinstance(page, list) or not isinstance(token, str) or token in seen:
            raise errors.not_a_list(arm.endpoint)
        seen.add(token)
        received += len(page)
        found.add_page(page)
        if str(reply.headers.get("x-ms-tenant-subscription-limit-hit", "")).lower() == "true":
            _add_once(found.incomplete, errors.GRAPH_LEFT_OUT)
        if _is_short(reply.body, len(page), received, last=not token):
            _add_once(found.incomplete, errors.GRAPH_SHORT)
        if not token:
            if str(find_value(reply.body, "resultTruncated")).lower() != "false":
                _add_once(found.incomplete, errors.GRAPH_CUT)
            return found.told()
        body["options"] = {**body["options"], "$skipToken": token}


def _is_short(answer: Any, rows: int, received: int, last: bool) -> bool:
    """Whether an answer counts more rows than came, or nothing that can be counted with."""
    count, total = find_value(answer, "count"), find_value(answer, "totalRecords")
    if not (is_whole_number(count) and is_whole_number(total)):
        return True
    return rows < count or (last and received < total)


def _post_fitting_query(arm: ArmClient, body: dict[str, Any]) -> Reply:
    """Send a query; while its answer would be too large, ask for half as many rows, in this page and those after it.

    `$top` goes before the size of a page that is in a token (documented).
    """
    while True:
        try:
            return _post_query(arm, body)
        except ArmError as error:
            rows = body["options"]["$top"]
            if _TOO_LARGE not in error.reasons or rows == 1:
                raise
            body["options"] = {**body["options"], "$top": rows // 2}


def _post_query(arm: ArmClient, body: dict[str, Any]) -> Reply:
    before, reply = arm.graph_quota.admit(), None
    try:
        reply = arm.post(arm_path("/providers/Microsoft.ResourceGraph/resources"), API_VERSION, body)
        return reply
    except ArmError as error:
        if _NO_SUBSCRIPTION in error.reasons:
            raise errors.no_subscription_in_graph(arm.tenant, error.correlation) from error
        raise
    finally:
        arm.graph_quota.answered(before, reply.headers if reply else None)


def _add_once(sentences: list[str], sentence: str) -> None:
    if sentence not in sentences:
        sentences.append(sentence)


def group_names_above(chain: object) -> list[str] | None:
    """Return the names in a subscription's `managementGroupAncestorsChain`; None if they cannot all be read.

    A name that can be none is not that of a group with assignments, which would be lost in silence.
    """
    names = [find_text(each, "name") for each in chain] if isinstance(chain, list) else [""]
    return names if all(is_arm_name("management_group", each) for each in names) else None


def quote_kql(text: str) -> str:
    """Return text inside a string literal in single quotes, which never holds the end of a line."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def list_kql(texts: Iterable[str]) -> str:
    """Return what stands between the parentheses of `in (…)`."""
    return ", ".join(f"'{quote_kql(text)}'" for text in texts)
