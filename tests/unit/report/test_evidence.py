"""What `az acr scope check` printed is proof; nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError, InvalidArgumentValueError

from azext_acrscope.report import evidence

ROW: dict[str, Any] = {
    "name": "contoso",
    "id": "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/Contoso",
    "loginServer": "contoso.azurecr.io",
    "status": "disabled",
    "statusIsDefault": False,
    "enforcedInEffect": "yes",
    "verdict": "ok",
    "observations": ["It refuses."],
    "actions": [],
    "probe": {"time": "2026-11-25T10:00:00Z", "acr": {}, "arm": {}},
    "network": None,
    "credentials": [],
}


def written(tmp_path: Path, content: Any, name: str = "evidence.json") -> str:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


def test_one_object_and_a_list_are_both_read(tmp_path: Path) -> None:
    for content in (ROW, [ROW]):
        found = evidence.read_check_files([written(tmp_path, content)])
        assert list(found) == [ROW["id"].lower()]
        proof = evidence.evidence_of_check(found[ROW["id"].lower()])
        assert (proof.in_effect, proof.verdict, proof.time) == ("yes", "ok", "2026-11-25T10:00:00Z")
        assert proof.seen == ("It refuses.",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_of_windows_is_read(tmp_path: Path, encoding: str) -> None:
    """As Windows PowerShell writes what is redirected, and others."""
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(ROW), encoding=encoding)
    assert evidence.read_check_files([str(file)])


def test_a_token_in_evidence_is_not_repeated() -> None:
    token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJhcm0ifQ.c2lnbmF0dXJl"
    assert evidence.evidence_of_check({**ROW, "observations": [f"It was sent {token} twice."]}).seen == (
        "It was sent *** twice.",
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_checks_the_latest_counts(tmp_path: Path, order: int) -> None:
    later = {**ROW, "enforcedInEffect": "no", "probe": {"time": "2026-11-25T11:00:00Z"}}
    files = [written(tmp_path, ROW, "a.json"), written(tmp_path, {**later, "id": ROW["id"].upper()}, "b.json")]
    [found] = evidence.read_check_files(files[::order]).values()
    assert found["enforcedInEffect"] == "no"


def test_a_registry_that_could_not_be_read_is_no_proof(tmp_path: Path) -> None:
    unread = {**ROW, "id": None, "enforcedInEffect": "unknown", "verdict": "failed", "probe": {"time": None}}
    assert evidence.read_check_files([written(tmp_path, [unread])]) == {}


@pytest.mark.parametrize(
    "content",
    [
        "not JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '"text"',
        json.dumps([ROW, 1]),
        json.dumps({**ROW, "enforcedInEffect": "maybe"}),
        json.dumps({**ROW, "verdict": []}),
        json.dumps({**ROW, "observations": "text"}),
        json.dumps({**ROW, "probe": None}),
        json.dumps({**ROW, "probe": {"time": "yesterday"}}),
        json.dumps({**ROW, "probe": {"time": 7}}),
        json.dumps({**ROW, "id": 7}),
        json.dumps({key: value for key, value in ROW.items() if key != "id"}),
    ],
)
def test_anything_else_is_refused_with_the_command_that_makes_it(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidArgumentValueError) as refusal:
        evidence.read_check_files([written(tmp_path, content)])
    assert "az acr scope check" in " ".join(refusal.value.recommendations)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileOperationError, match=r"missing\.json"):
        evidence.read_check_files([str(tmp_path / "missing.json")])


def test_nobodys_folder_is_not_there() -> None:
    with pytest.raises(FileOperationError, match="~nobody-of-this-name"):
        evidence.read_check_files(["~nobody-of-this-name/evidence.json"])
