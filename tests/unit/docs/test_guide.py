"""How a guide is read, so that one whose output has changed cannot pass."""

from pathlib import Path

import pytest

from tests import guide
from tests.az import Az

TEXT = """# A guide

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


def test_a_document_may_be_a_guide_in_parts() -> None:
    text = f"{TEXT}\n<!-- followed -->\n```console\n$ az five\n```\n<!-- end -->\n{TEXT}"
    [step] = guide.steps(text)
    assert step.command == "az five"
    assert text[slice(*step.span)] == ""


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
        ("Kubernetes 1.31.4\n", "Kubernetes 1.33.4\n", False),
        ("from 20.31.7.112\n", "from 20.31.8.112\n", False),
        ("after 0.2.\n", "after 12.9.\n", True),
        ("A  B    C\na       c\n", "A  B    C\na  c\n", False),
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(shown: str, printed: str, same: bool) -> None:
    assert guide.Reader().alike(shown, printed) is same


def test_an_identifier_stands_for_the_same_thing_in_all_of_a_guide() -> None:
    one, two, here, there = (f"6c419362-0eb6-4484-8cba-1247a91e4a4{digit}\n" for digit in "0123")
    for shown, printed, same in ((one, here, True), (two, there, True), (one, there, False), (two, here, False)):
        reader = guide.Reader()
        assert reader.alike(one, here)
        assert reader.alike(shown, printed) is same


@pytest.mark.parametrize(
    "text",
    [
        "<!-- followed -->\n```console\n$ az one\n```\n",
        "```console\n$ az one\n```\n<!-- end -->\n",
        "<!-- meanwile: it_rains -->\n```console\n$ az one\n```\n",
        "<!-- meanwhile: it_rains-->\n```console\n$ az one\n```\n",
        "```console\nA\n$ az one\n```\n",
        "  ```console\n  $ az one\n  ```\n",
        "```console\n$ az one\n",
    ],
)
def test_what_would_be_left_out_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        guide.steps(text)


def test_a_document_without_commands_is_no_guide(tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text("```sh\n$ az one\n```\n")
    with pytest.raises(AssertionError, match="no commands"):
        guide.follow(file, guide.Runner(Az(tmp_path / "home", tmp_path, {}), lambda name: None))
