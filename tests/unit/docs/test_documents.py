"""The documentation: a page for each command, links that lead somewhere, and tests that exist."""

import re
from pathlib import Path

import pytest
from knack.help_files import helps

import azext_acrscope._help  # noqa: F401

ROOT = Path(__file__).parents[3]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = [name for name, text in helps.items() if name.startswith("acr scope ") and "type: command" in text]


def prose(file: Path) -> str:
    """The text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(file: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(file), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_is_a_landing_page() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_page_that_runs_it(command: str) -> None:
    page = ROOT / "docs/commands" / f"{command.removeprefix('acr scope ').replace(' ', '-')}.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# az {command}\n")
    assert f"\n$ az {command}" in text
    for heading in ("## Exit codes and errors", "## What it never does"):
        assert f"\n{heading}\n" in text
    assert f"({page.name})" in (ROOT / "docs/commands/README.md").read_text(encoding="utf-8")


def test_there_is_no_page_of_a_command_that_is_gone() -> None:
    pages = {page.stem for page in (ROOT / "docs/commands").glob("*.md")} - {"README"}
    assert pages == {command.removeprefix("acr scope ").replace(" ", "-") for command in COMMANDS}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(file: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(file)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path).resolve() if path else file
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_tests_that_a_page_names_are_there(file: Path) -> None:
    text = prose(file)
    assert [name for name in re.findall(r"`(tests/[\w/.]+)`", text) if not (ROOT / name).exists()] == []
    named = set(re.findall(r"`(test_\w+)`", text))
    defined = set(re.findall(r"^def (test_\w+)", _all_tests(), re.M)) if named else set()
    assert named - defined == set()


def _all_tests() -> str:
    return "\n".join(each.read_text(encoding="utf-8") for each in (ROOT / "tests").rglob("test_*.py"))


def test_an_extension_is_added_so_that_a_newer_one_replaces_it() -> None:
    """Without --upgrade the CLI keeps the older one and ends with 0."""
    for file in DOCUMENTS:
        for line in re.findall(r"az extension add .*", file.read_text(encoding="utf-8")):
            assert "--upgrade" in line or "`az extension add`" in line, (file, line)
