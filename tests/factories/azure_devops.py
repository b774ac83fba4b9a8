"""An organization of Azure DevOps in this process: asked as the command asks it, with a clock that a test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from azure.cli.core.azclierror import AzureConnectionError
from multidict import CIMultiDict

from azext_acrscope.arm.azure_devops import AzureDevOps
from azext_acrscope.arm.pipeline import Reply
from azext_acrscope.base.foreign_json import parse_json
from tests.localcloud import Answer, Principal, Request, World
from tests.localcloud.azure_devops.rest_api import AzureDevOpsApi
from tests.localcloud.world.azure_devops import Organization, Scheme
from tests.localcloud.world.world import DEVOPS_AUDIENCE

Change = Callable[[Request, Answer], "Answer | None"]


class Bench:
    """A member's connection to an organization. `requests` has what was sent, `waited` each pause in seconds.

    change: makes another answer of a right one; None breaks the connection.
    """

    def __init__(self, world: World | None = None, name: str = "contoso", change: Change | None = None) -> None:
        self.world = world or World()
        self.organization: Organization = self.world.devops.add_organization(name)
        self.member: Principal = self.world.add_service_principal("member")
        self.organization.admit(self.member)
        self.requests: list[tuple[float, Request]] = []
        self.waited: list[float] = []
        self.change = change
        self._time = 1000.0
        self._lock = threading.Lock()
        self._api = AzureDevOpsApi(self.world, self.now)
        self.token = self.world.mint(self.member, DEVOPS_AUDIENCE)

    def now(self) -> float:
        return self._time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.waited.append(seconds)
            self._time += seconds

    def connect(self) -> AzureDevOps:
        return AzureDevOps(self.organization.name, self.send, self.now, self.sleep)

    def send(self, url: str, query: dict[str, str]) -> Reply:
        parts = urlsplit(url)
        headers = CIMultiDict({"Authorization": f"Bearer {self.token}", "X-TFS-FedAuthRedirect": "Suppress"})
        request = Request(str(parts.hostname), "GET", parts.path, dict(query), headers, query_string=urlencode(query))
        with self._lock:
            self.requests.append((self._time, request))
            answer: Answer | None = self._api.answer(request)
            if self.change and answer:
                answer = self.change(request, answer)
        if answer is None:
            raise AzureConnectionError("The connection broke.")
        return Reply(answer.status, CIMultiDict(answer.headers), parse_json(answer.body))

    def count(self, ending: str) -> int:
        """How many requests were for paths with this end."""
        return sum(request.path.endswith(ending) for _, request in self.requests)


def fill(world: World, organization: Organization, projects: int = 300, connections: int = 2000) -> None:
    """Projects with connections to ten registries, each used by one pipeline; one connection is shared by all."""
    registries = [world.add_registry(f"{organization.name}{each}") for each in range(10)]
    places = [organization.add_project(f"project{each:03}") for each in range(projects)]
    pipelines = [organization.add_pipeline(each, f"deploy {each.name}") for each in places]
    shared = organization.add_acr_connection(places[0], "shared", registries[0])
    for place in places[1:]:
        organization.add_connection(place, "shared", shared)
    schemes: tuple[Scheme, ...] = ("ManagedServiceIdentity", "WorkloadIdentityFederation", "ServicePrincipal")
    for number in range(connections - 1):
        place, pipeline = places[number % projects], pipelines[number % projects]
        if number % 2:
            made = organization.add_azure_connection(place, f"azure{number}")
        else:
            registry = registries[number % 10]
            made = organization.add_acr_connection(place, f"acr{number}", registry, schemes[number % 3])
        organization.run(place, pipeline, made)
