"""Azure DevOps on dev.azure.com: projects, service connections, usage history and definitions of pipelines.

Documented (vsts-rest-api-specs at adb28786; azure-devops-docs, rate-limits.md of 2025-09-15; issues of clients): paths,
queries, rows, the header x-ms-continuationtoken, limits, and the bodies of 400 and 401. Not documented, so guesses: the
answer for an organization that does not exist (404 with a page), that a preview version is needed nowhere here, that a
missing api-version is refused, the sizes of pages, and that a history has only the uses in the project of the path.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.localcloud.base.json_web_tokens import BadToken
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world.azure_devops import Connection, Organization, Project
from tests.localcloud.world.identities import Principal
from tests.localcloud.world.world import DEVOPS_AUDIENCE, World

HOST = "dev.azure.com"
SIGN_IN_PAGE = b"<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>"
_VERSIONS = ("7.1",)


class Refusal(Exception):
    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.headers = status, kind, message, headers or {}

    def answer(self) -> Answer:
        if not self.kind:
            return Answer(self.status, SIGN_IN_PAGE, {"Content-Type": "text/html; charset=utf-8", **self.headers})
        body = {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"Microsoft.{self.kind}, Microsoft.VisualStudio.Services.WebApi",
            "typeKey": self.kind,
            "errorCode": 0,
            "eventId": 3000,
        }
        return json_answer(self.status, body, self.headers)


class AzureDevOpsApi:
    """:param clock: seconds, for the limits."""

    def __init__(self, world: World, clock: Callable[[], float] = time.monotonic) -> None:
        self._world, self._devops, self._clock = world, world.devops, clock

    def answer(self, request: Request) -> Answer:
        try:
            organization, principal = self._authenticate(request)
            limits = self._take()
            answer = self._route(request, organization, principal)
        except Refusal as refusal:
            return refusal.answer()
        answer.headers |= {**limits, "X-VSS-UserData": f"{principal.object_id}:{principal.name}"}
        return answer

    def _authenticate(self, request: Request) -> tuple[Organization, Principal]:
        name = request.path.strip("/").partition("/")[0]
        organization = self._devops.organization(name)
        if organization is None:
            raise Refusal(404, "", "There is no such organization.")
        tenant = {"X-VSS-ResourceTenant": organization.tenant_id}
        try:
            claims = self._world.entra_key.verify(request.bearer() or "")
        except BadToken:
            claims = {}
        principal = self._world.principals.get(str(claims.get("oid")))
        valid = claims.get("aud") == DEVOPS_AUDIENCE and claims.get("tid") == organization.tenant_id
        now = self._world.now()
        if principal is None or not valid or not claims.get("nbf", 0) <= now < claims.get("exp", 0):
            if request.headers.get("X-TFS-FedAuthRedirect") != "Suppress":
                raise Refusal(203, "", "Sign in.", tenant)
            raise _unauthorized("", tenant)
        if principal.object_id not in organization.members:
            raise _unauthorized(principal.object_id, tenant)
        return organization, principal

    def _take(self) -> dict[str, str]:
        """The headers of a request that is taken."""
        limits, now = self._devops.limits, self._clock()
        if limits.free is None:
            return {}
        if now >= limits.since + limits.seconds:
            limits.used, limits.since = 0, now
        wait = str(max(1, round(limits.since + limits.seconds - now)))
        if limits.used >= limits.free + limits.delayed:
            limits.refused += 1
            message = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
            raise Refusal(429, "RequestBlockedException", f"{message}'ST' in namespace 'IPAddress'.", {
                "Retry-After": wait,
                "X-RateLimit-Resource": "Core/ST",
                "X-RateLimit-Remaining": "0",
            })  # fmt: skip
        limits.used += 1
        left = limits.free - limits.used
        headers = {"X-RateLimit-Limit": str(limits.free), "X-RateLimit-Remaining": str(max(left, 0))}
        if left < 0:
            headers |= {"Retry-After": wait, "X-RateLimit-Delay": "0.001"}
        return headers

    def _route(self, request: Request, organization: Organization, principal: Principal) -> Answer:
        if request.method != "GET":
            raise Refusal(405, "MethodNotAllowed", "Only reading is played here.")
        if request.query.get("api-version") not in _VERSIONS:
            raise Refusal(400, "VssVersionNotSpecifiedException", "No api-version was supplied, or an unknown one.")
        parts = request.path.strip("/").split("/")
        if parts[1:] == ["_apis", "projects"]:
            return self._projects(request, organization, principal)
        project = organization.project(parts[1]) if len(parts) > 2 else None
        if project is None or principal.object_id in project.hidden_from:
            message = f"VS800075: The project with id 'vstfs:///Classification/TeamProject/{parts[1]}' does not exist, "
            raise Refusal(400, "ProjectDoesNotExistException", message + "or you do not have permission to access it.")
        place = "/".join(parts[2:])
        if place == "_apis/serviceendpoint/endpoints":
            return self._connections(request, organization, project, principal)
        if place == "_apis/build/definitions":
            return self._definitions(request, project)
        if found := re.fullmatch(r"_apis/serviceendpoint/([^/]+)/executionhistory", place):
            return self._history(request, project, found[1], principal)
        raise Refusal(404, "", "The page was not found.")

    def _projects(self, request: Request, organization: Organization, principal: Principal) -> Answer:
        seen = [each for each in organization.projects if principal.object_id not in each.hidden_from]
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "url": f"https://{HOST}/{organization.name}/_apis/projects/{each.id}",
                "state": "wellFormed",
                "revision": 1,
                "visibility": "private",
            }
            for each in seen
        ]
        start = _number(request, "continuationToken", _number(request, "$skip", 0))
        end = start + min(_number(request, "$top", 100), self._devops.page_size)
        more = end < len(rows) or (end == len(rows) and self._devops.last_page_tells)
        return _page(rows[start:end], str(end) if more else "")

    def _connections(
        self, request: Request, organization: Organization, project: Project, principal: Principal
    ) -> Answer:
        wanted = request.query.get("type", "").lower()
        seen = [
            each
            for each in project.connections
            if principal.object_id not in each.hidden_from
            and (not wanted or each.type == wanted)
            and (each.is_ready or request.query.get("includeFailed") == "true")
        ]
        return _page([_connection_row(organization, project, each) for each in seen])

    def _history(self, request: Request, project: Project, connection_id: str, principal: Principal) -> Answer:
        found = next((each for each in project.connections if each.id == connection_id.lower()), None)
        if found is None or principal.object_id in found.hidden_from:
            raise Refusal(404, "ServiceEndpointNotFoundException", f"Service endpoint {connection_id} is not there.")
        rows = [record for place, record in found.records if place == project.id]
        start = _number(request, "continuationToken", 0)
        end = start + _number(request, "top", 50)
        return _page(rows[start:end], str(end) if end < len(rows) else "")

    def _definitions(self, request: Request, project: Project) -> Answer:
        wanted = request.query.get("definitionIds", "")
        numbers = {int(each) for each in wanted.split(",") if each.isdecimal()}
        rows: list[dict[str, Any]] = []
        for each in project.pipelines:
            if wanted and each.number not in numbers:
                continue
            row: dict[str, Any] = {"id": each.number, "name": each.name, "type": "build", "queueStatus": "enabled"}
            if request.query.get("includeAllProperties") == "true":
                row["process"] = {"yamlFilename": each.file, "type": 2} if each.file else {"phases": [], "type": 1}
            rows.append(row)
        return _page(rows)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if text and not text.isdecimal():
        raise Refusal(400, "VssServiceException", f"{name} is not a number.")
    return int(text or default)


def _unauthorized(object_id: str, headers: dict[str, str]) -> Refusal:
    message = f"TF400813: The user '{object_id}' is not authorized to access this resource."
    return Refusal(401, "UnauthorizedRequestException", message, headers)


def _page(rows: list[dict[str, Any]], token: str = "") -> Answer:
    return json_answer(200, {"count": len(rows), "value": rows}, {"x-ms-continuationtoken": token} if token else {})


def _connection_row(organization: Organization, project: Project, connection: Connection) -> dict[str, Any]:
    references = [
        {"projectReference": {"id": each.id, "name": each.name}, "name": connection.names[each.id]}
        for each in organization.projects
        if each.id in connection.names
    ]
    return {
        "data": connection.data,
        "id": connection.id,
        "name": connection.names[project.id],
        "type": connection.type,
        "url": connection.url,
        "createdBy": {"displayName": "Chuck Reinhart", "uniqueName": "fabfiber@outlook.example"},
        "description": "",
        "authorization": connection.authorization,
        "isShared": len(references) > 1,
        "isReady": connection.is_ready,
        "owner": "library",
        "serviceEndpointProjectReferences": references,
    }
