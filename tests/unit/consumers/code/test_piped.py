import io
import json
import sys
from typing import Any

import pytest
import yaml
from azure.cli.core.azclierror import RequiredArgumentMissingError

from azext_acrscope.consumers.code import piped
from azext_acrscope.consumers.code.counts import WalkCounts

_OBJECTS: list[dict[str, Any]] = [
    {"kind": "ServiceAccount", "imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
    {"kind": "Pod", "spec": {"items": [{"deep": [{"er": "---"}]}]}, "text": "first\n- second\n--- third\n"},
    {"kind": "ConfigMap", "data": {"x": "items:\n- a\n"}},
]


def pipe(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> tuple[list[tuple[int, str, bytes]], WalkCounts]:
    """What is read where this is piped in."""
    stream = io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    counts = WalkCounts()
    return list(piped.read_objects(counts)), counts


def objects(found: list[tuple[int, str, bytes]]) -> list[Any]:
    """The objects among what was read: pieces around a list are none."""
    read = []
    for _, _, text in found:
        try:
            read.append(yaml.safe_load(text))
        except yaml.YAMLError:
            continue
    return [
        each for each in read if isinstance(each, dict) and each.get("kind") in ("ServiceAccount", "Pod", "ConfigMap")
    ]


def test_each_item_of_a_list_in_json_is_read_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"apiVersion": "v1", "items": _OBJECTS, "kind": "List", "metadata": {"resourceVersion": ""}}
    text = json.dumps(listed, indent=4)
    found, counts = pipe(monkeypatch, text)
    assert objects(found) == _OBJECTS
    assert counts.files == 1
    lines = text.split("\n")
    for begin, name, part in found:
        assert name == "piped.json"
        assert lines[begin] == part.decode().split("\n")[0]


def test_each_item_of_a_list_in_yaml_is_read_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = yaml.safe_dump({"apiVersion": "v1", "items": _OBJECTS, "kind": "List"}, sort_keys=False)
    found, _ = pipe(monkeypatch, text)
    assert objects(found) == _OBJECTS
    assert [text.split("\n")[begin][:7] for begin, _, part in found if b"kind: P" in part] == ["- kind:"]


def test_each_document_of_a_chart_is_read_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"---\n# Source: chart/{each['kind']}.yaml\n{yaml.safe_dump(each)}" for each in _OBJECTS)
    found, _ = pipe(monkeypatch, text.replace("\n", "\r\n"))
    assert objects(found) == _OBJECTS
    assert {name for _, name, _ in found} == {"piped.yaml"}


def test_one_object_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in _OBJECTS:
        for text in (json.dumps(each, indent=4), yaml.safe_dump(each)):
            found, _ = pipe(monkeypatch, text)
            assert [yaml.safe_load(part) for _, _, part in found] == [each]


def test_an_object_that_is_too_large_is_counted_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    large = 50_000
    monkeypatch.setattr(piped, "MAX_FILE_BYTES", large)
    lines = "x: y\n" * (large // 5 + 1)
    long = "z" * (3 * large)
    found, counts = pipe(monkeypatch, f"a: b\n---\n{lines}---\n{long}\n---\nkind: Pod\n")
    assert [part.splitlines()[-1] for _, _, part in found] == [b"a: b", b"kind: Pod"]
    assert counts.large.names == ["stdin, line 2", f"stdin, line {lines.count(chr(10)) + 3}"]


@pytest.mark.parametrize("text", ["", "\n", "\ufeff\n"])
def test_a_program_that_printed_nothing_is_no_search(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(RequiredArgumentMissingError, match="nothing is"):
        pipe(monkeypatch, text)


@pytest.mark.parametrize(
    "text",
    [
        "NAME     READY   STATUS    RESTARTS   AGE\nweb-5d   1/1     Running   0          3d\n",
        'resource "azurerm_container_registry" "apps" {\n  name = "contoso"\n}\n',
        "# kind: Pod\nFROM contoso.azurecr.io/base:1\n",
    ],
)
def test_what_is_no_object_does_not_pass_for_clean(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found, counts = pipe(monkeypatch, text)
    assert (found, counts.files) == ([], 0)
    assert counts.unreadable.names == ["stdin, line 1 (it is neither YAML nor JSON of objects)"]


@pytest.mark.parametrize(
    "text",
    [
        "# only a comment\n---\n# Source: a.yaml\n",
        '\ufeff{"kind": "Pod"}',
        "[]",
        "- image: a\n",
        '"kind": Pod\n',
        "'kind': Pod\n",
        "#!/bin/sh\naz acr login -n contoso\n",
        "on:\n  push\n",
    ],
)
def test_whatever_is_an_object_is_read(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found, counts = pipe(monkeypatch, text)
    assert found
    assert counts.unreadable.number == 0


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(RequiredArgumentMissingError, match="nothing is"):
        list(piped.read_objects(WalkCounts()))
