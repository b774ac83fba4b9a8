"""What holds for some versions of a tool only."""

import pytest

from azext_acrscope.consumers.versions import describe_versions, judge_version, version_key

ENTRY = {
    "verdict": "unknown",
    "why": "it depends",
    "versions": [
        {"below": "2.40.0", "verdict": "breaks", "why": "old"},
        {"from": "2.40.0", "below": "2.82.0", "verdict": "unknown", "why": "rights"},
        {"from": "2.82.0", "verdict": "works", "why": "new"},
    ],
}


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("2.39.0", "old"), ("2.40", "rights"), ("2.81.9", "rights"), ("2.82.0b1", "rights"), ("2.82.0", "new"),
        ("v3", "new"), ("", "it depends"), (None, "it depends"), ("latest", "it depends"), ("2.x", "it depends"),
    ],
)  # fmt: skip
def test_the_range_a_version_is_in_decides(version: str | None, why: str) -> None:
    assert judge_version(ENTRY, version)[1] == why


def test_ways_to_write_a_preview_are_the_same_version() -> None:
    assert version_key("1.1.0b3") == version_key("1.1.0-beta.3") == version_key("v1.1.0-b3")
    ordered = ["1.0", "1.1.0b1", "1.1.0b10", "1.1.0", "1.1.0.1", "1.10"]
    assert sorted({*ordered}, key=lambda text: version_key(text) or ()) == ordered


@pytest.mark.parametrize("text", ["", "x", "1..2", "1.2.3.4.5.6.7", "9" * 40, "1\n2", "${{ inputs.version }}"])
def test_what_is_no_version_has_no_key(text: str) -> None:
    assert version_key(text) is None


def test_ranges_in_words() -> None:
    assert describe_versions(ENTRY) == "below 2.40.0: breaks; 2.40.0 to below 2.82.0: unknown; 2.82.0 and newer: works"
    assert describe_versions({"verdict": "works", "why": ""}) == ""
