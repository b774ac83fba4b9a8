"""The rules of the index of extensions, each broken once."""

import copy
from typing import Any

import pytest

from release.index import broken_rules

URL = "https://github.com/example/example/releases/download/v0.9.0b1/"
FILE = "acrscope-0.9.0b1-py3-none-any.whl"
METADATA = {
    "name": "acrscope",
    "version": "0.9.0b1",
    "azext.minCliCoreVersion": "2.75.0",
    "azext.isPreview": True,
}
ENTRY = {"downloadUrl": URL + FILE, "filename": FILE, "sha256Digest": "0f" * 32, "metadata": METADATA}
RAW = "https://raw.githubusercontent.com/example/example/main/"


def index(*entries: dict[str, Any], name: str = "acrscope") -> dict[str, Any]:
    return {"formatVersion": "1", "extensions": {name: [copy.deepcopy(each) for each in entries]}}


def test_an_entry_that_keeps_the_rules_is_taken() -> None:
    assert broken_rules(index(ENTRY)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"filename": "acrscope-0.9.0b1.tar.gz"}, "is no wheel for every system"),
        ({"filename": "acrscope-0.9.0b1-cp311-cp311-linux_x86_64.whl"}, "is no wheel for every system"),
        ({"filename": "acrscope-0.9.0b1-py2-none-any.whl"}, "is no wheel for every system"),
        ({"filename": "acrscope-0.9.0b2-py3-none-any.whl"}, "is not of version 0.9.0b1"),
        ({"downloadUrl": URL}, "does not end with the file's name"),
        ({"downloadUrl": RAW + FILE}, "at a place that the index refuses"),
        ({"downloadUrl": "https://pypi.python.org/packages/" + FILE}, "at a place that the index refuses"),
        ({"downloadUrl": "http://example.com/" + FILE}, "at a place that the index refuses"),
        ({"sha256Digest": "0F" * 32}, "is no SHA-256"),
        ({"sha256Digest": "0f" * 20}, "is no SHA-256"),
        ({"metadata": METADATA | {"name": "acr"}}, "the metadata's name is acr"),
        ({"metadata": METADATA | {"azext.isPreview": False}}, "azext.isPreview is not what the version says"),
        ({"metadata": {"name": "acrscope", "version": "0.9.0b1", "azext.isPreview": True}}, "minCliCoreVersion"),
    ],
)
def test_a_broken_rule_is_said(change: dict[str, Any], said: str) -> None:
    assert said in "; ".join(broken_rules(index(ENTRY | change)))


def test_a_stable_version_that_calls_itself_a_preview_is_refused() -> None:
    stable = ENTRY | {
        "filename": "acrscope-1.0.0-py3-none-any.whl",
        "downloadUrl": f"{URL}acrscope-1.0.0-py3-none-any.whl",
    }
    assert broken_rules(index(stable | {"metadata": METADATA | {"version": "1.0.0"}})) == [
        "azext.isPreview is not what the version says"
    ]
    metadata = {name: value for name, value in METADATA.items() if name != "azext.isPreview"} | {"version": "1.0.0"}
    assert broken_rules(index(stable | {"metadata": metadata})) == []


def test_a_file_that_is_there_twice_is_refused() -> None:
    assert broken_rules(index(ENTRY, ENTRY)) == [f"{FILE} is there twice"]


def test_the_name_of_an_extension_has_no_underscore() -> None:
    entry = ENTRY | {"metadata": METADATA | {"name": "acr_scope"}}
    assert broken_rules(index(entry, name="acr_scope")) == ["the name acr_scope has an underscore"]


def test_another_format_is_refused() -> None:
    assert broken_rules(index(ENTRY) | {"formatVersion": "2"}) == ["formatVersion is not 1"]
