"""How a guide is read, so that one whose output has changed cannot pass."""

import pytest

from tests import guide

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
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(shown: str, printed: str, same: bool) -> None:
    assert guide.alike(shown, printed) is same
