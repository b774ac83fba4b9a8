"""docs/local-azure.md: its commands, in one shell and in their order, print what the page shows.

With ACRSCOPE_WRITE_GUIDES in the environment what they print is written into the page instead (`make guides`).
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.az import ROOT, Az, package_index, run
from tests.guide import Reader

PAGE = ROOT / "docs/local-azure.md"
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_MARK = "--- the end of a block ---"


def blocks(text: str) -> list[tuple[str, tuple[int, int] | None]]:
    """Return each block of commands, and where the output stands that the page shows for it."""
    found: list[tuple[str, tuple[int, int] | None]] = []
    for block in _BLOCK.finditer(text):
        if block[1] == "sh":
            found.append((block[2], None))
        else:
            assert found[-1][1] is None, f"an output without its commands: {block[2]}"
            found[-1] = (found[-1][0], block.span(2))
    return found


def follow(home: Path, extensions: Path, wheel: Path) -> list[str]:
    """Return what each block of the page prints, both streams in their order."""
    az = Az(home, extensions, {})
    for name in (".venv", "tests", "azext_acrscope", "requirements"):
        (home / name).symlink_to(ROOT / name)
    (home / "dist").mkdir()
    shutil.copy(wheel, home / "dist")
    script = ["set -e", "exec 2>&1", "trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for commands, _ in blocks(PAGE.read_text(encoding="utf-8")):
        script += [commands, f"echo '{_MARK}'"]
    env = az.env | package_index() | {"COLUMNS": "140", "PYTHONUNBUFFERED": "1"}
    ended = run(["bash", "-c", "\n".join(script)], env, home, timeout=280)
    assert ended.code == 0, ended
    return [each.removeprefix("\n") for each in ended.stdout.split(f"{_MARK}\n")[:-1]]


def alike(reader: Reader, shown: str, printed: str) -> bool:
    """Tell whether two outputs are the same except for what differs from run to run."""
    one, other = (re.sub(r"/tmp/localcloud-\w+", "/tmp/localcloud-…", text) for text in (shown, printed))
    return reader.alike(one, other)


@pytest.mark.timeout(600)
def test_the_page_shows_what_its_commands_print(tmp_path: Path, extensions: Path, wheel: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    reader, wrong = Reader(), []
    printed = follow(tmp_path / "home", extensions, wheel)
    for (commands, span), out in reversed(list(zip(blocks(text), printed, strict=True))):
        if span and not alike(reader, text[slice(*span)], out):
            wrong.append(f"{commands}--- the page shows:\n{text[slice(*span)]}--- it prints:\n{out}")
            text = text[: span[0]] + out + text[span[1] :]
    if os.environ.get("ACRSCOPE_WRITE_GUIDES"):
        PAGE.write_text(text, encoding="utf-8")
    else:
        assert wrong == []
    assert "Traceback" not in "".join(printed)
