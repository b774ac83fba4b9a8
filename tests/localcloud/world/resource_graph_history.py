"""What Resource Graph knew a while ago: it lags behind Azure Resource Manager by `lag` seconds.

Each registry's body is kept as often as it was seen to change: when the cloud itself changes it, when a test gives it
another body or policy status, when the world's clock moves, and when somebody queries. What was there when the lag was
set counts as having been there always.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.localcloud.world.registries import Body, Registry


@dataclass
class _Past:
    """The states of one registry, oldest first; None: it does not exist."""

    states: list[tuple[float, Body | None]] = field(default_factory=list)

    def at(self, moment: float) -> Body | None:
        return next((body for time, body in reversed(self.states) if time <= moment), None)


class GraphHistory:
    def __init__(self, registries: Callable[[], list[Registry]], now: Callable[[], float]) -> None:
        self._registries = registries
        self._now = now
        self._lag = 0.0
        self._pasts: dict[Registry, _Past] = {}

    @property
    def lag(self) -> float:
        return self._lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        if seconds <= 0:
            self._pasts.clear()
        elif self._lag <= 0:
            self._pasts = {one: _Past([(float("-inf"), copy.deepcopy(one.body))]) for one in self._registries()}
        self._lag = seconds

    def observe(self, registry: Registry) -> None:
        """Keeps a registry's body if it is another than before."""
        if self._lag <= 0:
            return
        states = self._pasts.setdefault(registry, _Past()).states
        if not states or states[-1][1] != registry.body:
            states.append((self._now(), copy.deepcopy(registry.body)))

    def observe_all(self) -> None:
        if self._lag <= 0:
            return
        present = self._registries()
        for registry in present:
            self.observe(registry)
        for gone in self._pasts.keys() - set(present):
            if self._pasts[gone].states[-1][1] is not None:
                self._pasts[gone].states.append((self._now(), None))

    def bodies(self) -> list[Body]:
        """The registries as Resource Graph shows them now."""
        if self._lag <= 0:
            return [registry.body for registry in self._registries()]
        self.observe_all()
        moment = self._now() - self._lag
        found = (past.at(moment) for past in list(self._pasts.values()))
        return [body for body in found if body is not None]
