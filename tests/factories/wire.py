"""The recorded traffic of the real services reads as what it is. It lies beside the checkout, never in it."""

import json
import os
from pathlib import Path
from typing import Any

from urllib3 import HTTPHeaderDict

WIRE = Path(os.environ.get("ACRSCOPE_WIRE") or Path(__file__).parents[3] / "shared" / "wire")


def pairs(pattern: str) -> list[dict[str, Any]]:
    """All request/response pairs of the files that match; the pattern must match something."""
    found: list[dict[str, Any]] = []
    for file in sorted(WIRE.glob(pattern)):
        content = json.loads(file.read_text())
        found += content if isinstance(content, list) else [content]
    assert found, f"no recording matches {pattern}"
    return found


def headers(pair: dict[str, Any]) -> HTTPHeaderDict:
    recorded = pair["response"].get("headers") or {}
    return HTTPHeaderDict({name: value if isinstance(value, str) else value[-1] for name, value in recorded.items()})
