"""docs/architecture.md names every room of the package, and no room that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "azext_acrscope"
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def test_every_room_is_named_and_no_other() -> None:
    rooms = {each.parent.name for each in PACKAGE.glob("*/__init__.py")} - {"_params"}
    assert set(re.findall(r"^\| `([a-z]+)/`", TEXT, re.MULTILINE)) == rooms
