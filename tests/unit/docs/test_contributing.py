"""CONTRIBUTING.md names files, make targets and scripts that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACES = ("", "azext_acrscope", "azext_acrscope/consumers")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|json|rst|toml))`", TEXT))))
def test_a_file_that_it_names_is_there(name: str) -> None:
    outside = ("../", ".venv", "dist/")  # the last two are made
    assert name.startswith(outside) or any((ROOT / place / name).exists() for place in PLACES)


def test_it_names_each_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = makefile.partition(":")[0].split()
    assert set(re.findall(r"^\| `make (\w+)` \|", TEXT, re.M)) == set(targets)
    assert all((ROOT / "scripts" / target).exists() for target in targets)


@pytest.mark.parametrize(
    "name", ["cli_error", "READERS_BY_TYPE", "quote_kql", "list_kql", "query_graph", "KNOWN_CLIENTS"]
)
def test_a_name_in_the_code_that_it_names_is_there(name: str) -> None:
    assert f"`{name}`" in TEXT
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "azext_acrscope").rglob("*.py"))
    assert any(re.search(rf"^(def )?{name}\b", source, re.M) for source in sources)


def test_the_readme_names_each_debian_package_that_the_demo_and_the_tests_set_up() -> None:
    common = (ROOT / "scripts/common.sh").read_text(encoding="utf-8")
    choices = re.findall(r'"[\w-]+=([\w.|-]+)"', common)
    unpacked = re.findall(r"--download-only[^>]*archives\" ([\w -]+) >", common)
    wanted = {each.partition("|")[0] for each in choices} | {name for each in unpacked for name in each.split()}
    assert {"skopeo", "docker-cli", "gnome-keyring"} <= wanted
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## For contributors")[2]
    assert [name for name in sorted(wanted) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section)] == []
