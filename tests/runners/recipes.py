"""The recipes of docs/ci.md: blocks with a name and with a line below that says what ran them."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.az import ROOT

PAGE = ROOT / "docs/ci.md"
# A name in a comment, the block, and what ran it in a line of its own.
_BLOCK = re.compile(r"^<!-- recipe: ([a-z-]+) -->\n```(yaml|sh)\n(.*?)^```\n\n\*(.*?)\*$", re.MULTILINE | re.DOTALL)


class _Loader(yaml.SafeLoader):
    """YAML with GitLab's own tag, as the list that follows it."""


_Loader.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))


@dataclass
class Recipe:
    """A block of the page. `ran_by` is what has run it so far, as the line below names it."""

    name: str
    language: str
    text: str
    mark: str
    ran_by: str = ""

    @property
    def content(self) -> Any:
        return yaml.load(self.text, _Loader)  # noqa: S506  # a safe loader

    @property
    def is_run(self) -> bool:
        """Whether the page says that something ran it."""
        return self.mark.startswith("Run by ")


@cache
def _blocks() -> list[tuple[str, str, str, str]]:
    return [(name, language, text, mark.replace("\n", " ")) for name, language, text, mark in _BLOCK.findall(_page())]


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def all_recipes() -> dict[str, Recipe]:
    """Return the recipes by their names."""
    return {name: Recipe(name, *others) for name, *others in _blocks()}


def unmarked_blocks() -> list[str]:
    """Return the blocks of code that have no name or no line about what ran them."""
    named = {text for _name, _language, text, _mark in _blocks()}
    blocks = re.findall(r"^```\w+\n(.*?)^```$", _page(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if block not in named]
