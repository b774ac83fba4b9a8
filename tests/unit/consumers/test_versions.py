"""What holds for some versions of a tool only."""

from typing import Any

import pytest

from azext_acrscope.consumers.knowledge import VERDICTS
from azext_acrscope.consumers.versions import (
    describe_versions,
    find_versions_fault,
    judge_version,
    reason_with_versions,
    version_key,
)

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


RIGHTS = {"action": "Microsoft.ContainerRegistry/registries/read", "with": "works", "without": "breaks"}


def test_a_range_that_depends_on_rights_says_what_holds_with_and_without_them() -> None:
    entry = {"versions": [{"from": "2.40.0", "verdict": "unknown", "why": "rights", "rights": RIGHTS}]}
    right = "Microsoft.ContainerRegistry/registries/read"
    assert describe_versions(entry) == f"2.40.0 and newer: works with the right {right}, breaks without it"


def test_a_reason_has_the_ranges_only_where_there_are_some() -> None:
    assert reason_with_versions({"why": "It asks."}) == "It asks."
    ranges = describe_versions(ENTRY)
    for why in ("it depends", "it depends."):
        assert reason_with_versions({**ENTRY, "why": why}) == f"it depends. By version: {ranges}."


def test_ranges_in_order_with_and_without_ends_are_right() -> None:
    with_rights = {"from": "3", "verdict": "unknown", "why": "rights", "rights": RIGHTS}
    for versions in (ENTRY["versions"], [{"verdict": "works", "why": "x"}], [with_rights]):
        assert find_versions_fault(versions, VERDICTS) == ""


@pytest.mark.parametrize(
    "versions",
    [
        [], {}, "2.82", [1],
        [{"verdict": "works"}],
        [{"why": "x"}],
        [{"verdict": "maybe", "why": "x"}],
        [{"verdict": ["works"], "why": "x"}],
        [{"verdict": "works", "why": "x", "until": "2"}],
        [{"verdict": "works", "why": "x", "from": ""}],
        [{"verdict": "works", "why": "x", "from": "latest"}],
        [{"verdict": "works", "why": "x", "below": 2}],
        [{"verdict": "works", "why": "x", "from": "2", "below": "2"}],
        [{"verdict": "works", "why": "x", "from": "2.1", "below": "2.0"}],
        [{"verdict": "works", "why": "x", "from": "2"}, {"verdict": "breaks", "why": "x", "from": "3"}],
        [{"verdict": "works", "why": "x", "below": "2"}, {"verdict": "breaks", "why": "x", "from": "1.9"}],
        [{"verdict": "works", "why": "x", "below": "2"}, {"verdict": "breaks", "why": "x"}],
        [{"verdict": "unknown", "why": "x", "rights": "read"}],
        [{"verdict": "unknown", "why": "x", "rights": {**RIGHTS, "action": ""}}],
        [{"verdict": "unknown", "why": "x", "rights": {**RIGHTS, "with": "maybe"}}],
        [{"verdict": "unknown", "why": "x", "rights": {"action": "read", "with": "works"}}],
    ],
)  # fmt: skip
def test_ranges_that_would_mislead_are_refused(versions: Any) -> None:
    assert find_versions_fault(versions, VERDICTS)
