"""Trees of code for the tests: a reader that finds its own marks, what it knows of them, and trees that mean harm."""

import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azext_acrscope.consumers.code.patterns.known_patterns import KnownPatterns
from azext_acrscope.consumers.code.place import Place

_SIGN = re.compile(r"sign-in (breaks|works|unknown|enables|weakens)(?: at (\S+))?(?: with (\S+))?")
_SOURCE = {"title": "A page", "url": "https://example.com/page", "read": "2026-11-27"}


class MarkReader:
    """Reads lines such as ``sign-in breaks at contoso.azurecr.io with 2.40``."""

    WORDS = ("sign-in",)
    ENDINGS = None

    def reads(self, name: str) -> bool:
        return not name.endswith(".txt")

    def read_places(self, text: str, name: str) -> Iterable[Place]:
        for number, line in enumerate(text.split("\n"), 1):
            for match in _SIGN.finditer(line):
                yield Place(number, match[1], match[2], match[3])


def places_in(name: str, text: str, readers: Iterable[Any]) -> set[Place]:
    """Return what those readers find that the search would ask: by the file's name, and by the words in it."""
    lowered = text.lower()
    asked = (each for each in readers if each.reads(name.lower()) and any(word in lowered for word in each.WORDS))
    return {place for reader in asked for place in reader.read_places(text, name)}


def known_marks() -> KnownPatterns:
    """What is known of the marks."""
    patterns: dict[str, dict[str, Any]] = {
        verdict: {
            "kind": f"mark that {verdict}",
            "verdict": verdict,
            "why": f"It {verdict}.",
            "source": "page",
            "fix": "Fix it.",
        }
        for verdict in ("breaks", "works", "unknown")
    }
    patterns["unknown"]["versions"] = [{"from": "2.82", "verdict": "works", "why": "It is new."}]
    strengths = {"enables": "explicit", "weakens": "omitted"}
    sets_back = {
        name: {
            "kind": f"mark that {name}",
            "turnsBackOn": True,
            "strength": strength,
            "why": f"It {name}.",
            "fix": "Leave it out.",
        }
        for name, strength in strengths.items()
    }
    return KnownPatterns({**patterns, **sets_back}, {"page": _SOURCE})


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def make_hostile(folder: Path, outside: Path) -> None:
    """Put into a folder what must neither hang a search, nor end it, nor lead it out of the folder.

    :param outside: a folder elsewhere, to which links lead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "out").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(folder / "nowhere")
    (folder / "secret.yml").symlink_to(outside / "secret.yml")
    os.mkfifo(folder / "pipe.yml")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(folder)  # the name of a socket must be short
        try:
            listening.bind("socket.yml")
        finally:
            os.chdir(here)
    with open(folder / "sparse.yml", "wb") as sparse:
        sparse.truncate(1 << 30)
    (folder / "large.yml").write_bytes(b"sign-in breaks\n" * 400_000)
    (folder / "\x1b]0;owned\x07\x1b[31m.yml").write_text("sign-in breaks\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.yml")).write_text("sign-in breaks\n")
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(
        f"{after}: &{after} [{', '.join(['*' + before] * 9)}]\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (folder / "bomb.yml").write_text(f"# az acr login\n{bomb}")
    (folder / "deep.json").write_text("[" * 100_000 + '"az acr login, sign-in works"')
    here, down = os.getcwd(), folder
    try:
        os.chdir(down)
        for _ in range(400):  # deeper than a path may be long
            os.mkdir("deep-and-deeper")
            os.chdir("deep-and-deeper")
        Path("deepest.yml").write_text("sign-in breaks\n")
    finally:
        os.chdir(here)
