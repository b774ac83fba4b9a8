"""docs/architecture.md names every room of the package, in the order of its layers, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# A folder of the face, whose files have one concern.
FACE = {"_params"}


def rooms_in_the_package() -> set[str]:
    return {each.parent.name for each in (ROOT / "azext_acrscope").glob("*/__init__.py")} - FACE


def test_every_room_is_in_the_table_and_no_other() -> None:
    assert set(re.findall(r"^\| `(\w+)/` \|", TEXT, re.M)) == rooms_in_the_package()


def test_the_drawing_has_the_rooms_of_the_table_in_the_same_layers() -> None:
    drawn = re.findall(r"^ +│ (\w+)  .*│$", TEXT, re.M)
    assert drawn == re.findall(r"^\| `(\w+)/` \|", TEXT, re.M)[::-1]
