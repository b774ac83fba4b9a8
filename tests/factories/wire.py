"""Requests and responses of the real services, for tests of how they are read.

The files in tests/unit/wire/recordings are our own: the shapes that the services send, with made-up names, IDs and
times. Where recordings of real traffic are at hand, beside the checkout or in $ACRSCOPE_WIRE, the same tests run on
those, too.
"""

import json
import os
from pathlib import Path
from typing import Any

from urllib3 import HTTPHeaderDict

OWN = Path(__file__).parents[1] / "unit/wire/recordings"
RECORDED = Path(os.environ.get("ACRSCOPE_WIRE") or Path(__file__).parents[3] / "shared" / "wire")
Pair = dict[str, Any]


class Recordings:
    """The files below one folder. Each holds a pair of `request` and `response`, or a list of pairs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pairs(self, pattern: str) -> list[Pair]:
        """Return all pairs of the files that match; the pattern must match something."""
        found: list[Pair] = []
        for file in sorted(self.folder.glob(pattern)):
            content = json.loads(file.read_text(encoding="utf-8"))
            found += content if isinstance(content, list) else [content]
        assert found, f"no recording matches {pattern}"
        for pair in found:
            for side in ("request", "response"):
                _as_sent(pair.get(side, {}))
        return found


def _as_sent(message: Pair) -> None:
    """Turn a body that our own files hold as an object into the text that goes over the wire."""
    if isinstance(message.get("body"), dict):
        message["body"] = json.dumps(message["body"], separators=(",", ":"))


def headers(pair: Pair) -> HTTPHeaderDict:
    """Return the headers of a pair's response."""
    recorded = pair["response"].get("headers") or {}
    return HTTPHeaderDict({name: value if isinstance(value, str) else value[-1] for name, value in recorded.items()})
