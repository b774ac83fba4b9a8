"""docs/architecture.md is a walk through all of the package's files, and through none that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "azext_acrscope"
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# Rooms whose files have one concern, or are named after the commands: the room is told, not each file.
TOLD_AS_ONE = ("_errors", "_params")


def test_every_file_has_its_place() -> None:
    files = [each for each in PACKAGE.rglob("*") if each.suffix in (".py", ".json") and each.name != "__init__.py"]
    missing = [
        str(each.relative_to(PACKAGE))
        for each in files
        if each.parent.name not in TOLD_AS_ONE and not re.search(rf"`{each.name}`|`{each.stem}`", TEXT)
    ]
    assert missing == []


def test_no_file_is_told_of_that_is_gone() -> None:
    there = {each.name for place in (PACKAGE, ROOT / "tests") for each in place.rglob("*")}
    assert [name for name in re.findall(r"`([a-z_]+\.(?:py|json))`", TEXT) if name not in there] == []
