"""Hosts that a test adds: they keep all they are sent, and answer what the test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.world.registries import CertificateKind


@dataclass(eq=False)
class Hostile:
    name: str
    answer: Answer | Callable[[Request], Answer] = field(default_factory=lambda: json_answer(200, {}))
    requests: list[Request] = field(default_factory=list)
    certificate: CertificateKind = "valid"

    def take(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answer(request) if callable(self.answer) else self.answer
