"""docs/architecture.md names every room of the package, in the order of its layers, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "azext_acrscope"
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# A folder of the face, whose files have one concern.
FACE = {"_params"}


def rooms_in_the_package() -> set[str]:
    return {each.parent.name for each in PACKAGE.glob("*/__init__.py")} - FACE


def test_every_room_is_in_the_table_and_no_other() -> None:
    assert set(re.findall(r"^\| `(\w+)/` \|", TEXT, re.M)) == rooms_in_the_package()


def test_the_page_counts_the_rooms() -> None:
    words = {10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen"}
    assert f"a face and {words[len(rooms_in_the_package())]} rooms" in TEXT


def test_every_file_and_folder_of_the_face_is_named() -> None:
    (paragraph,) = re.findall(r"^The face is (.*?)\n\n", TEXT, re.M | re.S)
    named = {each for pattern in re.findall(r"`([\w*]+\.py|\w+/)`", paragraph) for each in PACKAGE.glob(pattern)}
    assert named == {*PACKAGE.glob("*.py"), *(PACKAGE / each for each in FACE)}


def test_no_file_has_more_than_400_lines() -> None:
    lengths = {str(each.relative_to(PACKAGE)): len(each.read_bytes().splitlines()) for each in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_a_list_has_no_gap_in_the_middle() -> None:
    """GitHub would set the whole list with wide gaps."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    texts = {page: re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S) for page in pages}
    assert [page.name for page, text in texts.items() if re.search(r"^- .*(?:\n  .*)*\n\n- ", text, re.M)] == []


def test_the_drawing_has_the_rooms_of_the_table_in_the_same_layers() -> None:
    drawn = re.findall(r"^ +│ (\w+)  .*│$", TEXT, re.M)
    assert drawn == re.findall(r"^\| `(\w+)/` \|", TEXT, re.M)[::-1]
