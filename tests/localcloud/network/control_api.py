"""The plain-http endpoints by which another process looks at the cloud and makes it fail: /localcloud/…"""

from __future__ import annotations

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.network.faults import Faults
from tests.localcloud.network.journal import Journal
from tests.localcloud.world.world import World

PREFIX = "/localcloud/"


class Control:
    def __init__(self, world: World, faults: Faults, journal: Journal) -> None:
        self._world = world
        self._faults = faults
        self._journal = journal

    def answer(self, request: Request) -> Answer:
        what = request.method, request.path.removeprefix(PREFIX)
        if what == ("GET", "requests"):
            return json_answer(200, [one.summary() for one in self._journal.requests])
        if what == ("GET", "registries"):
            return json_answer(200, [registry.body for registry in self._world.registries])
        if what == ("POST", "faults"):
            return self._add_fault(request)
        if what == ("DELETE", "faults"):
            self._faults.clear()
            return Answer(204)
        return json_answer(404, {"error": "GET requests, GET registries, POST faults, DELETE faults"})

    def _add_fault(self, request: Request) -> Answer:
        try:
            self._faults.add(**request.json())
        except (TypeError, ValueError) as error:
            return json_answer(400, {"error": str(error)})
        return Answer(204)
