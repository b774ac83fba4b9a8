"""Log Analytics: which workspace is meant, and one query of it.

Wire format (learn.microsoft.com/azure/azure-monitor/logs/api): ``POST https://HOST/v1/workspaces/GUID/query`` with
``{query, timespan}``, GUID being the workspace's `customerId`; the answer is ``{tables: [{name, columns: [{name,
type}], rows: [[…]]}]}``. With 200 it may also hold ``error`` beside the tables: they are then a part of the result.
Other errors have ``{error: {code, message, innererror: {code, message, innererror …}}}``. Host and token audience are
one and the same endpoint of the CLI's cloud: https://api.loganalytics.io, in China .azure.cn, in US Government .us.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from azext_acrscope.arm import errors
from azext_acrscope.arm.paths import check_resource_id, is_resource_id
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import (
    UnexpectedShape,
    as_name,
    as_rows,
    find_list,
    find_object,
    find_text,
    find_value,
)
from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.base.tokens import is_guid, safe_word

SERVICE_NAME = "Log Analytics"
WORKSPACES_API_VERSION = "2023-09-01"
LOG_READER_ROLE = "Log Analytics Reader"  # the role that reads a workspace and queries it
_READ_SECONDS = 190  # a query has three minutes at the service unless it asks for more (documented)
_TOTAL_SECONDS = 400.0  # with all tries and waits, whatever the server does
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; the service sends 100 MB at most, our queries ask for far less
_WORKSPACE_TYPE = "Microsoft.OperationalInsights/workspaces"
_WORKSPACE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class WorkspaceRef:
    """A workspace as its user named it: by its ID (a GUID, the `customerId`), or by its resource ID."""

    guid: str = ""
    resource_id: str = ""
    subscription_id: str | None = None


@dataclass
class LogRows:
    """The rows of a query by column. `incomplete` holds a sentence for each reason why there may be more."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


def parse_workspace(text: str) -> WorkspaceRef:
    """Understand what was typed for a workspace.

    :raises InvalidArgumentValueError: it is neither a GUID nor a workspace's resource ID.
    """
    text = text.strip()
    if is_guid(text):
        return WorkspaceRef(text.lower())
    found = parse_resource_id(text)
    if not (is_resource_id(text) and found.is_in_group(_WORKSPACE_TYPE) and _WORKSPACE_NAME.fullmatch(found.name)):
        raise errors.bad_workspace(text)
    return WorkspaceRef("", found.text, found.subscription)


class LogAnalytics:  # pylint: disable=too-few-public-methods  # a connection, made once
    """The logs of one workspace, read as the CLI's account."""

    def __init__(self, cli_ctx: Any, workspace: WorkspaceRef) -> None:
        """A workspace that was named by its resource ID is looked up, with one request to Azure Resource Manager.

        :raises ResourceNotFoundError, ForbiddenError …: the workspace could not be looked up.
        :raises InvalidArgumentValueError: the cloud has no Log Analytics.
        :raises AuthenticationError: not signed in.
        """
        from azure.cli.core._profile import Profile

        from azext_acrscope.arm.pipeline import Pipeline, ServiceEndpoint
        from azext_acrscope.hops.entra import account_for_subscription

        endpoint = _log_endpoint(cli_ctx.cloud)
        self.workspace = workspace
        self.guid = workspace.guid or _find_workspace_guid(cli_ctx, workspace)
        profile = Profile(cli_ctx=cli_ctx)
        account = account_for_subscription(profile, cli_ctx, workspace.subscription_id)
        self._service = ServiceEndpoint(SERVICE_NAME, endpoint, endpoint, _READ_SECONDS, _LARGEST_ANSWER)
        self._pipeline = Pipeline(cli_ctx, self._service, profile, account)

    def query(self, kql: str, table: str, days: int) -> LogRows:
        """Return what a query over one table found in the last days; with bounded retries and in bounded time.

        :raises ResourceNotFoundError, ForbiddenError, AzureResponseError …: Log Analytics refused.
        :raises AzureConnectionError: it could not be reached, or did not come to an end.
        """
        url = f"{self._service.endpoint}/v1/workspaces/{self.guid}/query"
        body = {"query": kql, "timespan": f"P{days}D"}
        try:
            reply = threads.run_with_deadline(lambda: self._pipeline.send("POST", url, {}, body), _TOTAL_SECONDS)
        except threads.DeadlineExceeded:
            raise errors.log_slow(self._service.endpoint, _TOTAL_SECONDS) from None
        return read_log_answer(reply.status, reply.body, table, self.guid, self._service.endpoint)


def read_log_answer(status: int, body: Any, table: str, guid: str, endpoint: str) -> LogRows:
    """Return an answer of the service.

    :raises ResourceNotFoundError, ForbiddenError, AzureResponseError …: as its status and code say.
    """
    failures = list(_error_chain(body))
    if status == 400 and any("resolve table" in message and table in message for _, message in failures):
        return LogRows()  # nothing was ever sent to it
    codes = [safe_word(code) for code, _ in failures if code]
    if status != 200:
        raise errors.log_refused(guid, endpoint, status, codes)
    answer = LogRows(_read_rows(body, endpoint))
    if find_value(body, "error"):
        answer.incomplete.append(errors.log_partial(codes))
    return answer


def _error_chain(body: Any) -> Iterator[tuple[str, str]]:
    """The code and message of an answer's error and of those inside it, from the outside in."""
    error = find_object(body, "error")
    for _ in range(5):
        if not error:
            return
        yield find_text(error, "code"), find_text(error, "message")
        inner = error.get("innererror") or error.get("innerError") or next(iter(find_list(error, "details")), None)
        error = find_object(inner)


def _read_rows(body: Any, endpoint: str) -> list[dict[str, Any]]:
    """The rows of the first table, the only one that a query without `fork` makes."""
    try:
        first = as_rows(find_value(body, "tables"))[0]
        names = [as_name(column.get("name")) for column in as_rows(first.get("columns"))]
        rows = first["rows"]
        if not isinstance(rows, list) or not all(isinstance(each, list) and len(each) == len(names) for each in rows):
            raise UnexpectedShape("rows")
    except (UnexpectedShape, KeyError, IndexError):
        raise errors.not_an_answer(endpoint) from None
    return [dict(zip(names, each, strict=True)) for each in rows]


def _log_endpoint(cloud: Any) -> str:
    """The cloud's endpoint for logs, which is also the audience of its tokens: https and a host, nothing more."""
    known = cloud.endpoints.has_endpoint_set("log_analytics_resource_id")
    endpoint = str(cloud.endpoints.log_analytics_resource_id).rstrip("/") if known else ""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or not parts.hostname or parts.netloc != parts.hostname or parts.path or parts.query:
        raise errors.no_log_endpoint(cloud.name)
    return endpoint


def _find_workspace_guid(cli_ctx: Any, workspace: WorkspaceRef) -> str:
    from azext_acrscope.arm.client import ArmClient, ArmError

    try:
        arm = ArmClient(cli_ctx, workspace.subscription_id)
        answer = arm.get(check_resource_id(workspace.resource_id, _WORKSPACE_TYPE), WORKSPACES_API_VERSION).body
    except ArmError as error:
        if error.status == 404:
            raise errors.workspace_not_found(workspace.resource_id, error.code) from error
        raise error.as_cli_error(f"workspace {workspace.resource_id}", LOG_READER_ROLE) from error
    found = find_text(answer, "properties", "customerId")
    if not is_guid(found):
        raise errors.not_a_workspace(workspace.resource_id)
    return found.lower()
