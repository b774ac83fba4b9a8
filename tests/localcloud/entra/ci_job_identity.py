"""Where CI jobs get their own identity tokens: GitHub's and Azure DevOps' endpoints.

Documented at docs.github.com/actions/reference/security/oidc and in the REST API reference of Azure DevOps
(distributedtask, Oidctoken - Create, 7.1). Host names have the form that the real systems hand to their jobs.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world.identities import ServicePrincipal, new_id
from tests.localcloud.world.world import World

GITHUB_HOST = "run-actions-1-azure-eastus.actions.githubusercontent.com"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
DEVOPS_HOST = "dev.azure.com"
DEVOPS_ISSUER = "https://vstoken.dev.azure.com/"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass
class Job:
    """A running job: the path of its endpoint, the token it may ask with, and whom it speaks for."""

    host: str
    path: str
    request_token: str
    issuer: str
    subject: str
    service_connection: str = ""


class JobIdentity:
    """Both endpoints. A job's own token is checked, and so is all else that the real ones insist on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._organization = new_id()
        self._jobs: dict[tuple[str, str], Job] = {}

    def start_github_job(self, principal: ServicePrincipal) -> Job:
        """A job of a repository that the principal trusts (a trust is added if it has none in GitHub)."""
        trust = next((one for one in principal.federated if one.issuer == GITHUB_ISSUER), None)
        if trust is None:
            trust = principal.add_federated_credential(GITHUB_ISSUER, "repo:contoso/app:ref:refs/heads/main")
        path = f"/{secrets.randbelow(90) + 10}//idtoken/{new_id()}/{new_id()}"
        return self._start(Job(GITHUB_HOST, path, self._request_token(), trust.issuer, trust.subject))

    def start_devops_job(self, principal: ServicePrincipal) -> Job:
        """A job of a pipeline whose service connection the principal trusts."""
        issuer = DEVOPS_ISSUER + self._organization
        trust = next((one for one in principal.federated if one.issuer == issuer), None)
        if trust is None:
            trust = principal.add_federated_credential(issuer, "sc://contoso/app/azure")
        path = f"/contoso/{new_id()}/_apis/distributedtask/hubs/build/plans/{new_id()}/jobs/{new_id()}/oidctoken"
        return self._start(Job(DEVOPS_HOST, path, self._request_token(), trust.issuer, trust.subject, new_id()))

    def _request_token(self) -> str:
        return self._world.issue_assertion("https://jobs.example/", "job", "https://jobs.example/")

    def _start(self, job: Job) -> Job:
        self._jobs[job.host, job.path] = job
        return job

    def is_job(self, request: Request) -> bool:
        """Whether a request is for the endpoint of a job, known or not: other services have the same host."""
        return "/_apis/distributedtask/hubs/" in request.path

    def answer(self, request: Request) -> Answer:
        job = self._jobs.get((request.host, request.path))
        if job is None:
            return json_answer(404, {"message": "not found"})
        if request.host == GITHUB_HOST:
            return self._github(request, job)
        return self._devops(request, job)

    def _github(self, request: Request, job: Job) -> Answer:
        if request.method != "GET" or request.query.get("api-version") != "2.0":
            return json_answer(400, {"message": "bad request"})
        if request.bearer() != job.request_token:
            return json_answer(401, {"message": "Bad credentials"})
        token = self._world.issue_assertion(
            job.issuer, job.subject, request.query.get("audience", "https://github.com/contoso")
        )
        return json_answer(200, {"count": len(token), "value": token})

    def _devops(self, request: Request, job: Job) -> Answer:
        if request.bearer() != job.request_token:
            if request.headers.get("X-TFS-FedAuthRedirect") == "Suppress":
                return Answer(401)
            return Answer(302, b"", {"Location": "https://spsprodweu1.vssps.visualstudio.com/_signin"})
        if request.method != "POST" or request.query.get("api-version") != "7.1":
            return json_answer(400, {"message": "bad request"})
        if request.query.get("serviceConnectionId") != job.service_connection:
            return json_answer(404, {"message": "The service connection does not exist or may not be used."})
        return json_answer(200, {"oidcToken": self._world.issue_assertion(job.issuer, job.subject, AUDIENCE)})
