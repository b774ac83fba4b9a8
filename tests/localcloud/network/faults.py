"""Faults on demand: the first active rule that matches a request decides what goes wrong with it."""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.localcloud.base.messages import Answer, Request, encode


@dataclass
class Fault:
    """One rule. Without status, reset, truncate and redirect it only delays."""

    host: str = "*"
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    reset: bool | Literal["after"] = False
    truncate: bool = False
    redirect: str | None = None
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    bad_chunk: bool = False
    change: Callable[[Answer], Answer] | None = None
    asked: bytes | None = None
    keep: bool = False
    used: int = 0
    """How often it has struck."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  (repeatable on purpose)

    def matches(self, request: Request) -> bool:
        return (
            fnmatch.fnmatchcase(request.host.lower(), self.host.lower())
            and fnmatch.fnmatchcase(request.method, self.method.upper())
            and fnmatch.fnmatchcase(request.path.lower(), self.path.lower())
            and self.asked in (None, request.body)
        )

    def strikes(self) -> bool:
        """Whether it strikes this matching request; counts down `after` and `times`."""
        if self.times is not None and self.used >= self.times:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self._random.random() >= self.probability:
            return False
        self.used += 1
        return True

    @property
    def breaks_answer(self) -> bool:
        """The request is answered, but not to the end."""
        return self.truncate or self.bad_chunk or self.reset == "after"

    def answer(self) -> Answer | None:
        """The answer that replaces the real one, if there is one."""
        if self.redirect is not None:
            return Answer(self.status or 307, self.body, {"Location": self.redirect, **self.headers})
        if self.status is not None:
            return Answer(self.status, self.body, dict(self.headers))
        return None


class Faults:
    """All rules, in the order of their adding; safe to change from the test's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(
        self,
        host: str = "*",
        method: str = "*",
        path: str = "*",
        times: int | None = 1,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | str | dict[str, Any] | list[Any] | None = None,
        delay: float = 0.0,
        reset: bool | Literal["after"] = False,
        truncate: bool = False,
        redirect: str | None = None,
        after: int = 0,
        probability: float = 1.0,
        seed: int = 0,
        bad_chunk: bool = False,
        change: Callable[[Answer], Answer] | None = None,
        asked: bytes | None = None,
        keep: bool = False,
    ) -> Fault:
        """Adds a rule; host, method and path are globs, the path one meets the path without its query; asked is the
        whole body of a request.

        times: how often it strikes (None: always); after: so many matching requests pass unharmed first.
        reset True cuts the connection before answering; "after" lets the request do its work, then cuts mid-answer.
        truncate promises more bytes than are sent, then closes; bad_chunk sends half of the body in a chunk and then
        what is no chunk. change makes another answer of the one that the request has; keep notes in the request what
        was answered, and does no harm.
        """
        sent = dict(headers or {})
        if isinstance(body, (dict, list)):
            sent.setdefault("Content-Type", "application/json; charset=utf-8")
            content = encode(body)
        else:
            content = body.encode() if isinstance(body, str) else body or b""
        rule = Fault(
            *(host, method, path, times, status, sent, content, delay, reset, truncate, redirect),
            *(after, probability, seed, bad_chunk, change, asked, keep),
        )
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def match(self, request: Request) -> Fault | None:
        with self._lock:
            return next((rule for rule in self._rules if rule.matches(request) and rule.strikes()), None)
