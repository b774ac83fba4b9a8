"""What every part of the cloud speaks: one Request that was received, one Answer that is sent."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict


@dataclass(eq=False)
class Request:
    """One received HTTP request; `status` is filled in when it has been answered (None: the connection was cut)."""

    host: str
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes = b""
    query_string: str = ""
    scheme: str = "https"
    status: int | None = None
    time: float = field(default_factory=time.time)
    answered: bytes = b""
    """The body of its answer, if a fault was told to keep it."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def form(self) -> dict[str, str]:
        """The fields of an application/x-www-form-urlencoded body; the first of several equal names counts."""
        return {name: values[0] for name, values in urllib.parse.parse_qs(self.text, keep_blank_values=True).items()}

    @property
    def scopes(self) -> list[str]:
        """Every `scope` field of the form, or of the query; a client may send several."""
        fields = urllib.parse.parse_qs(self.text if self.method == "POST" else self.query_string)
        return fields.get("scope", [])

    def json(self) -> Any:
        return json.loads(self.body)

    def bearer(self) -> str | None:
        """The bearer token in the Authorization header, or None."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" and value.strip() else None

    def summary(self) -> dict[str, Any]:
        """A form for people and for the control endpoint, without headers and body: those hold secrets."""
        return {
            "time": self.time,
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
        }


@dataclass
class Answer:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def encode(value: Any) -> bytes:
    """Compact JSON, as Azure sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, encode(value), {"Content-Type": "application/json; charset=utf-8", **(headers or {})})
