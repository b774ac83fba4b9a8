"""`--source` through the real `az`: what code does with registries, with and without Azure."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.az import Az
from tests.factories.source import make_hostile, write_tree
from tests.localcloud import LocalCloud, Registry, ServicePrincipal

_WORKFLOW = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    container: mcr.microsoft.com/azure-cli:2.45.0
    env:
      PASSWORD: hunter2
    steps:
      - run: az acr login --name {name} --password hunter2
"""


@pytest.fixture
def checkout(tmp_path: Path, registry: Registry) -> Path:
    """A repository whose pipeline signs in to the registry with an old Azure CLI."""
    files = {".github/workflows/build.yml": _WORKFLOW.format(name=registry.name), "README.md": "text", ".git/HEAD": ""}
    return write_tree(tmp_path / "checkout", files)


def test_nobody_signs_in_and_nothing_is_requested_with_source_alone(
    new_az: Callable[..., Az], cloud: LocalCloud, checkout: Path, registry: Registry
) -> None:
    result = new_az()("acr", "scope", "consumers", "--source", str(checkout))
    assert result.code == 0, result
    assert not cloud.requests
    [row] = result.json["code"]
    assert (row["file"], row["line"], row["registry"]) == (".github/workflows/build.yml", 9, registry.login_server)
    assert result.json["registries"] == result.json["incomplete"] == []
    assert result.json["source"]["filesRead"] == 1
    assert result.json["source"]["skipped"]["otherFormats"] == 1  # README.md
    assert result.json["source"]["leftOut"] == {".git": 1}
    assert "hunter2" not in result.stdout + result.stderr


def test_a_hostile_folder_ends_and_fails_the_check_for_what_was_not_read(
    new_az: Callable[..., Az], tmp_path: Path
) -> None:
    outside = write_tree(tmp_path / "outside", {"secret.yml": "az acr login -n secret"})
    make_hostile(tmp_path / "tree", outside)
    result = new_az()("acr", "scope", "consumers", "--source", str(tmp_path / "tree"), "--fail-on", "unknown")
    assert result.code == 1, result
    assert "could not be read" in result.stderr
    assert "\x1b]0" not in result.stdout + result.stderr
    assert "secret.yml" not in result.stdout


def test_the_command_for_the_checks_by_hand_lists_as_many_as_it_says(
    az: Az, checkout: Path, registry: Registry
) -> None:
    said = az("acr", "scope", "consumers", "--name", registry.name, "--source", str(checkout)).stderr
    number, printed = re.search(r"(\d+) kinds .*by hand .*`az (.*)` lists them", said).groups()  # type: ignore[union-attr]
    words = shlex.split(printed)
    assert words[3:7] == ["--name", registry.name, "--source", str(checkout)]
    rows = az(*words).stdout.splitlines()[2:]
    assert len(rows) == int(number) > 0


def test_what_is_piped_in_is_searched(new_az: Callable[..., Az], checkout: Path, registry: Registry) -> None:
    az = new_az()
    text = (checkout / ".github/workflows/build.yml").read_text()
    command = [str(az.program), "acr", "scope", "consumers", "--source", "-", "--only-show-errors"]
    done = subprocess.run(
        command, input=f"---\na: b\n---\n{text}", env=az.env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done
    assert [(row["file"], row["line"]) for row in json.loads(done.stdout)["code"]] == [("stdin", 12)]


def test_a_folder_that_is_not_there_is_an_error_before_anything_is_requested(
    az: Az, cloud: LocalCloud, registry: Registry
) -> None:
    result = az("acr", "scope", "enforce", "--name", registry.name, "--source", "nowhere")
    assert result.code == 1, result
    assert "no folder or file nowhere" in result.stderr
    assert not cloud.requests


def test_of_a_named_registry_code_about_others_is_only_counted(az: Az, checkout: Path, registry: Registry) -> None:
    write_tree(checkout, {"other.sh": "az acr login --name fabrikam\n", "any.sh": 'az acr login --name "$NAME"\n'})
    result = az("acr", "scope", "consumers", "--name", registry.name, "--source", str(checkout))
    assert result.code == 0, result
    assert {row["registry"] for row in result.json["code"]} == {registry.login_server, None}
    assert result.json["source"]["otherRegistries"] == 1
    assert [each["name"] for each in result.json["registries"]] == [registry.name]
    table = az("acr", "scope", "consumers", "--name", registry.name, "--source", str(checkout), "-o", "table")
    assert "build.yml:9" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 120


def test_sarif_has_the_very_line(az: Az, checkout: Path, registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "found.sarif"
    workflows = checkout / ".github/workflows"  # named relative to the repository all the same
    result = az("acr", "scope", "report", "-g", "rg-apps", "--source", str(workflows), "--file", str(file))
    assert result.code == 0, result
    text = file.read_text()
    assert "hunter2" not in text
    places = [
        each["locations"][0]["physicalLocation"]
        for each in json.loads(text)["runs"][0]["results"]
        if each["ruleId"].startswith("code-")
    ]
    assert places == [
        {
            "artifactLocation": {"uri": ".github/workflows/build.yml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 9},
        }
    ]


def test_code_that_breaks_holds_its_registry_back(
    new_az: Callable[..., Az], cloud: LocalCloud, operator: ServicePrincipal, registry: Registry, tmp_path: Path
) -> None:
    az = new_az(operator)
    breaks = write_tree(tmp_path / "breaks", {"main.bicep": _APP.format(server=registry.login_server)})
    refused = az("acr", "scope", "enforce", "--name", registry.name, "--source", str(breaks))
    assert refused.code == 1, refused
    assert "main.bicep:" in refused.stderr
    assert registry.policy_status != "disabled"
    az.ok("acr", "scope", "enforce", "--name", registry.name, "--source", str(breaks), "--yes")
    assert registry.policy_status == "disabled"


_APP = """\
resource app 'Microsoft.App/containerApps@2024-03-01' = {{
  name: 'shop'
  location: 'westeurope'
  identity: {{ type: 'SystemAssigned' }}
  properties: {{
    configuration: {{
      registries: [
        {{
          server: '{server}'
          identity: 'system'
        }}
      ]
    }}
  }}
}}
"""
