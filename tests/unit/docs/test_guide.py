"""How a page with commands is read, so that one whose output has changed cannot pass."""

from pathlib import Path

import pytest

from tests import guide
from tests.az import ROOT, Az
from tests.localcloud.scenarios import documented_fleets as fleets

TEXT = """# A page

<!-- stage: Shop -->

<!-- meanwhile: it_rains -->
<!-- first: 1 -->
```console
$ az one
A
…
$ az two --query "a b"
$ echo $?
0
```

Words, and `$ az three`.

```sh
$ az four
```
"""


def test_commands_and_what_happens_between_them_are_found_in_their_order() -> None:
    found = guide.steps(TEXT)
    assert [(step.meanwhile, step.command, step.output, step.first) for step in found] == [
        ("it_rains", "", "", None),
        ("", "az one", "A\n…\n", 1),
        ("", 'az two --query "a b"', "", 1),
        ("", "echo $?", "0\n", 1),
    ]
    assert [TEXT[slice(*step.span)] for step in found[1:]] == ["A\n…\n", "", "0\n"]


def test_a_page_names_its_stage_once_and_before_its_commands() -> None:
    assert guide.stage_of(TEXT) == "Shop"
    stage = "<!-- stage: Shop -->\n"
    for text in (TEXT.replace(stage, ""), TEXT.replace(stage, stage * 2), TEXT.replace(stage, "") + stage):
        with pytest.raises(AssertionError, match="stage"):
            guide.stage_of(text)


def test_every_page_that_shows_commands_is_run_on_a_stage_that_is_there() -> None:
    pages = guide.pages()
    assert ROOT / "README.md" in pages
    commands = set((ROOT / "docs/commands").glob("*.md")) - {ROOT / "docs/commands/README.md"}
    assert commands <= set(pages)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert issubclass(getattr(fleets, guide.stage_of(text)), fleets.Stage), page
        assert any(step.command for step in guide.steps(text)), page


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("", "WARNING: a\n", False),
        ("at 2026-11-25T10:00:00Z, 0.2 seconds\n", "at 2026-11-25T11:11:11Z, 12.9 seconds\n", True),
        ("6c419362-0eb6-4484-8cba-1247a91e4a40 a\n", "6c419362-0eb6-4484-8cba-1247a91e4a41 a\n", True),
        ("6c419362-0eb6-4484-8cba-1247a91e4a40 a\n", "6c419362-0eb6-4484-8cba-1247a91e4a40 b\n", False),
        ("Seconds    Name\n---------  ----\n      0.2  a\n", "Seconds   Name\n--------  ----\n     12.2  a\n", True),
        ("3 registries\n", "4 registries\n", False),
        ("6c419362-0eb6-4484-8c …  a\n", "7d419362-0eb6-4484-8c …  a\n", True),
        ("6c419362-0eb6-4484-8c …  a\n", "7d419362-0eb6-4484-8c …  b\n", False),
        ("…9362-0eb6-4484-8cba-1247a91e4a40\n", "…9362-0eb6-4484-8cba-1247a91e4a41\n", True),
        ("Kubernetes 1.31.4\n", "Kubernetes 1.33.4\n", False),
        ("from 20.31.7.112\n", "from 20.31.8.112\n", False),
        ("after 0.2.\n", "after 12.9.\n", True),
        ("at 2026-11-25T10:00:00.123Z\n", "at 2026-11-25T10:00:00.4567890Z\n", True),
        ("A  B    C\na       c\n", "A  B    C\na  c\n", False),
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(shown: str, printed: str, same: bool) -> None:
    assert guide.Reader().alike(shown, printed) is same


def test_an_identifier_stands_for_the_same_thing_everywhere_in_a_page() -> None:
    one, two, here, there = (f"6c419362-0eb6-4484-8cba-1247a91e4a4{digit}\n" for digit in "0123")
    for shown, printed, same in ((one, here, True), (two, there, True), (one, there, False), (two, here, False)):
        reader = guide.Reader()
        assert reader.alike(one, here)
        assert reader.alike(shown, printed) is same


@pytest.mark.parametrize(
    "text",
    [
        "<!-- meanwile: it_rains -->\n```console\n$ az one\n```\n",
        "<!-- meanwhile: it_rains-->\n```console\n$ az one\n```\n",
        "```console\nA\n$ az one\n```\n",
        "  ```console\n  $ az one\n  ```\n",
        "```console\n$ az one\n",
    ],
)
def test_what_would_be_left_out_silently_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        guide.steps(text)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> guide.Runner:
    """A runner whose `az` prints the words that it is given, or ends with the exit code that it is given."""
    program = tmp_path / "az"
    program.write_text('#!/bin/sh\n[ "$1" = exit ] && exit $2\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.delenv("ACRSCOPE_WRITE_GUIDES", raising=False)
    return guide.Runner(Az(tmp_path / "home", tmp_path, {}, program), lambda name: None)


def page(folder: Path, block: str) -> Path:
    file = folder / "page.md"
    file.write_text(f"# A page\n\n```console\n{block}```\n")
    return file


def test_a_page_without_commands_is_an_error(tmp_path: Path, runner: guide.Runner) -> None:
    file = tmp_path / "page.md"
    file.write_text("```sh\n$ az one\n```\n")
    with pytest.raises(AssertionError, match="no commands"):
        guide.follow(file, runner)


def test_a_complaint_names_the_command_that_prints_something_else(tmp_path: Path, runner: guide.Runner) -> None:
    file = page(tmp_path, "$ az one\none\n$ az two\n2\n$ az exit 3\n$ echo $?\n1\n")
    before = file.read_text()
    complaints = guide.follow(file, runner)
    assert [complaint.splitlines()[0] for complaint in complaints] == ["$ az two", "$ echo $?"]
    assert file.read_text() == before


def test_writing_changes_only_a_page_that_differs(
    tmp_path: Path, runner: guide.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACRSCOPE_WRITE_GUIDES", "1")
    old, new = "2026-11-25T10:00:00Z", "2026-11-28T11:11:11Z"
    same = page(tmp_path, f"$ az {new}\n{old}\n")
    before = same.read_text()
    assert guide.follow(same, runner) == []
    assert same.read_text() == before
    other = page(tmp_path, f"$ az {new}\n{old}\n$ az two\n2\n")
    assert guide.follow(other, runner) == []
    assert other.read_text() == f"# A page\n\n```console\n$ az {new}\n{new}\n$ az two\ntwo\n```\n"


def test_exit_codes_and_faults_are_never_written(
    tmp_path: Path, runner: guide.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACRSCOPE_WRITE_GUIDES", "1")
    file = page(tmp_path, '$ az exit 3\n$ echo $?\n1\n$ az "Traceback (most recent call last)"\nfine\n')
    before = file.read_text()
    assert [complaint.splitlines()[0] for complaint in guide.follow(file, runner)] == [
        "$ echo $?",
        '$ az "Traceback (most recent call last)"',
    ]
    assert file.read_text() == before
