"""Log Analytics on api.loganalytics.io: POST /v1/workspaces/GUID/query.

Documented (learn.microsoft.com/azure/azure-monitor/logs/api, pages overview, errors and response-format): the request,
the tables of the answer, `error` beside them for a result in part, the codes of refusals and their odd status 403 for
tokens that are not valid. The text of a table that is not known was found in clients' logs; other texts are guesses.
"""

from __future__ import annotations

import datetime
import re
import uuid
from typing import Any

from tests.localcloud import kql
from tests.localcloud.base.json_web_tokens import BadToken
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.kql import ParserFailure, Result, Table, as_text
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.login_events import COLUMNS, LOGIN_EVENTS, Workspace
from tests.localcloud.world.world import LOG_AUDIENCES, World

_TYPES = {**dict.fromkeys(COLUMNS, "VARCHAR"), "_BilledSize": "DOUBLE", "TimeGenerated": "TIMESTAMP"}
HOST = "api.loganalytics.io"
_PATH = re.compile(r"/v1/workspaces/([^/]+)/query")
_TIMESPAN = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, *inner: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner = status, code, message, inner

    def answer(self) -> Answer:
        error: dict[str, Any] = {}
        for code, message in reversed(((self.code, self.message), *self.inner)):
            error = {"message": message, "code": code, **({"innererror": error} if error else {})}
        return json_answer(self.status, {"error": {**error, "correlationId": str(uuid.uuid4())}})


class LogAnalytics:
    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request) -> Answer:
        try:
            principal = self._authenticate(request)
            return json_answer(200, self._query(request, principal))
        except Refusal as refusal:
            return refusal.answer()

    def _authenticate(self, request: Request) -> Principal:
        token = request.bearer()
        if token is None:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise Refusal(401, "AuthenticationFailed", message)
        try:
            claims = self._world.entra_key.verify(token)
        except BadToken:
            raise Refusal(403, "InvalidAuthenticationToken", "The access token is invalid.") from None
        if claims.get("aud") not in LOG_AUDIENCES:
            message = f"The access token has been obtained from wrong audience or resource '{claims.get('aud')}'."
            raise Refusal(403, "InvalidAuthenticationTokenAudience", message)
        principal = self._world.principals.get(str(claims.get("oid")))
        if principal is None or not claims.get("nbf", 0) <= self._world.now() < claims.get("exp", 0):
            raise Refusal(403, "InvalidAuthenticationToken", "The access token is invalid.")
        return principal

    def _query(self, request: Request, principal: Principal) -> dict[str, Any]:
        match = _PATH.fullmatch(request.path)
        workspace = self._world.logs.by_customer_id(match[1]) if match else None
        if workspace is None or request.method != "POST":
            raise Refusal(404, "PathNotFoundError", "The requested path does not exist")
        action = f"Microsoft.OperationalInsights/workspaces/query/{LOGIN_EVENTS}/read"
        if not self._world.allowed(principal, action, workspace.id):
            message = "The provided credentials have insufficient access to perform the requested operation"
            raise Refusal(403, "InsufficientAccessError", message)
        query, since = _content(request, self._world.now())
        answer: dict[str, Any] = {"tables": [_table(self._run(workspace, query, since))]}
        if self._world.logs.partial:
            details = [{"code": self._world.logs.partial, "message": "There is more."}]
            message = "There were some errors when processing your query."
            answer["error"] = {"code": "PartialError", "message": message, "details": details}
        return answer

    def _run(self, workspace: Workspace, query: str, since: datetime.datetime) -> Result:
        def tables(name: str) -> Table | None:
            if name != LOGIN_EVENTS.lower() or not workspace.has_table:
                return None
            rows = [row for row in self._world.logs.visible(workspace) if row["TimeGenerated"] >= since]
            return Table(COLUMNS, rows, _TYPES)

        now = datetime.datetime.fromtimestamp(self._world.now(), datetime.timezone.utc)
        try:
            return kql.run(query, tables, now=now)
        except ParserFailure as failure:
            raise _not_understood(failure) from failure


def _content(request: Request, now: float) -> tuple[str, datetime.datetime]:
    """The query, and the time from which on events count."""
    try:
        content = request.json()
        query, timespan = content["query"], content.get("timespan")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _bad_argument("InvalidJsonBody", "Request body should contain a valid json") from None
    span = _TIMESPAN.fullmatch(str(timespan or "P3650D"))
    if not isinstance(query, str) or span is None:
        raise _bad_argument("InvalidParameter", "A value of the request is invalid.")
    days, hours, minutes = (int(part or 0) for part in span.groups())
    past = datetime.timedelta(days=days, hours=hours, minutes=minutes)
    return query, datetime.datetime.fromtimestamp(now, datetime.timezone.utc) - past


def _bad_argument(*inner: str) -> Refusal:
    pairs = [(inner[at], inner[at + 1]) for at in range(0, len(inner), 2)]
    return Refusal(400, "BadArgumentError", "The request had some invalid properties", *pairs)


def _not_understood(failure: ParserFailure) -> Refusal:
    if failure.reason.startswith("there is no table"):
        message = f"'where' operator: Failed to resolve table or column expression named '{failure.token}'"
        return _bad_argument("SemanticError", "A semantic error occurred.", "SEM0100", message)
    return _bad_argument("SyntaxError", "A syntax error occurred.", "SYN0002", str(failure))


def _table(page: Result) -> dict[str, Any]:
    columns = [{"name": name, "type": _type(name, page)} for name in page.columns]
    rows = [[as_text(row[name]) for name in page.columns] for row in page.rows]
    return {"name": "PrimaryResult", "columns": columns, "rows": rows}


def _type(name: str, page: Result) -> str:
    value = next((row[name] for row in page.rows if row[name] is not None), None)
    known = {str: "string", bool: "bool", int: "long", float: "real", datetime.datetime: "datetime"}
    return "string" if value is None else known.get(type(value), "dynamic")
