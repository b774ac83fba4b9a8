"""The component for GitLab: what it declares, and which inputs GitLab refuses by it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.factories.pipelines import HOSTILE
from tests.factories.versions import VERSION

ROOT = Path(__file__).parents[3]
SPEC, CONFIGURATION = yaml.safe_load_all((ROOT / "templates/sign-in/template.yml").read_text(encoding="utf-8"))
INPUTS: dict[str, dict[str, Any]] = SPEC["spec"]["inputs"]
JOB = CONFIGURATION[".acr-sign-in"]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]

GOOD = {
    "registry": ("contoso.azurecr.io", "contoso-abc123.westeurope.geo.azurecr.io"),
    "repository": ("", "app", "team/base-image", "a.b/c__d e/f"),
    "permission": ("", "pull", "pull push metadata-write"),
    "client-id": ("", "11111111-2222-3333-4444-555555555555"),
    "tenant-id": ("", "contoso.onmicrosoft.com"),
    "version": (VERSION, "2.10.3"),
    "wheel": (
        "",
        f"dist/acrscope-{VERSION}-py3-none-any.whl",
        "/opt/acrscope.whl",
        "https://files.example/acrscope.whl",
    ),
}


def accepts(name: str, value: str) -> bool:
    """Return whether GitLab takes a value; in its expressions `$` is the very end."""
    return re.search(INPUTS[name]["regex"].replace("$", r"\Z"), value) is not None


@pytest.mark.parametrize("name", GOOD)
def test_an_input_has_the_form_of_what_it_names(name: str) -> None:
    assert [value for value in GOOD[name] if not accepts(name, value)] == []
    assert [value for value in HOSTILE if accepts(name, value)] == []


def test_each_input_is_limited() -> None:
    assert [name for name, each in INPUTS.items() if "regex" not in each] == ["credential"]
    assert INPUTS["credential"]["default"] in INPUTS["credential"]["options"]


def test_inputs_are_those_of_the_action() -> None:
    assert set(INPUTS) == set(ACTION)
    assert [name for name, each in INPUTS.items() if "default" not in each] == ["registry"]
    assert INPUTS["version"]["default"] == ACTION["version"]["default"]


def test_no_text_of_a_script_is_made_of_an_input() -> None:
    given = {f"ACRSCOPE_{name.upper().replace('-', '_')}": f"$[[ inputs.{name} ]]" for name in INPUTS}
    assert JOB["variables"] == given | {"DOCKER_CONFIG": "/tmp/acrscope-$CI_JOB_ID"}
    script = "\n".join([*JOB["before_script"], *JOB["after_script"]])
    assert "$[[" not in script
    assert set(re.findall(r"ACRSCOPE_[A-Z_]+", script)) == set(given)
