"""The step templates for Azure Pipelines: what they declare, and which parameters their script refuses."""

import re
from pathlib import Path

import pytest
import yaml

from tests.factories.pipelines import HOSTILE, start_job

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "pipelines"
SIGN_IN = yaml.safe_load((FOLDER / "azure-pipelines/sign-in.yml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
PARAMETERS = {each["name"]: each for each in SIGN_IN["parameters"]}
(STEP,) = SIGN_IN["steps"]
SCRIPT = STEP["inputs"]["inlineScript"]
CHECKED = [name for name in PARAMETERS if name != "serviceConnection"]


def variable(name: str) -> str:
    return f"ACRSCOPE_{name.upper()}"


@pytest.mark.parametrize("name", CHECKED)
def test_a_hostile_parameter_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    job = start_job(tmp_path)
    values = {variable(each): PARAMETERS[each].get("default", "contoso.azurecr.io") for each in CHECKED}
    for value in HOSTILE:
        done = job.run("bash", "-c", SCRIPT, **values | {variable(name): value}, AGENT_TEMPDIRECTORY=str(tmp_path))
        assert done.returncode == 1, value
        refused = f"acrscope: The parameter '{name}' has characters that it cannot have."
        assert done.stdout == f"##vso[task.logissue type=error]{refused}\n"
    assert job.calls() == []
    assert list(tmp_path.glob("**/pwned")) == []


def test_parameters_are_the_inputs_of_the_action_and_what_only_this_system_has() -> None:
    assert set(PARAMETERS) - set(ACTION) == {"serviceConnection"}
    assert set(ACTION) - set(PARAMETERS) == {"client-id", "tenant-id"}
    assert [name for name, each in PARAMETERS.items() if "default" not in each] == ["serviceConnection", "registry"]
    assert PARAMETERS["version"]["default"] == ACTION["version"]["default"]


def test_no_text_of_a_script_is_made_of_a_parameter() -> None:
    given = {variable(name): f"${{{{ parameters.{name} }}}}" for name in CHECKED}
    assert STEP["env"] == given | {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}
    assert "${{" not in SCRIPT
    assert set(re.findall(r"ACRSCOPE_[A-Z_]+", SCRIPT)) == set(given)


def test_the_agent_finds_no_variable_of_its_own_in_the_script() -> None:
    """It would replace `$(name)` by a variable of that name."""
    assert re.findall(r"\$\([\w.]+\)", SCRIPT) == []


def test_what_the_action_checks_and_does_for_a_folder_of_the_job_is_done_here_too() -> None:
    """A template is one file, so it cannot call the script of the action."""
    action = (FOLDER / "github/sign-in.sh").read_text(encoding="utf-8").replace("RUNNER_TEMP", "AGENT_TEMPDIRECTORY")
    action = action.replace("The input", "The parameter")
    for start, end in (("    LC_ALL=C\n", ")\n"), ("case ${DOCKER_CONFIG", "    done\n"), ("secrets=$(", "\n")):
        shared = action[action.index(start) :]
        assert shared[: shared.index(end) + len(end)] in SCRIPT
