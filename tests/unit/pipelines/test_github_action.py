"""The action of this repository: its scripts with an `az` that keeps what it is called with, and what it declares."""

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.factories.pipelines import HOSTILE, Job, start_job
from tests.factories.versions import VERSION

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
LOGOUT = yaml.safe_load((ROOT / "logout/action.yml").read_text(encoding="utf-8"))
INPUTS = tuple(ACTION["inputs"])


def inputs(**given: str) -> dict[str, str]:
    """Return the variables that action.yml makes of inputs, with its defaults."""
    values = {name: each.get("default", "") for name, each in ACTION["inputs"].items()}
    values |= {name.replace("_", "-"): value for name, value in given.items()}
    return {variable(name): value for name, value in values.items()}


def variable(name: str) -> str:
    return "ACRSCOPE_" + name.upper().replace("-", "_")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return start_job(tmp_path)


def run(job: Job, script: str, **others: str) -> subprocess.CompletedProcess[str]:
    return job.run("sh", str(ROOT / "pipelines/github" / script), **others)


def ok(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, done
    return done


def sign_in(job: Job, **others: str) -> subprocess.CompletedProcess[str]:
    return run(job, "sign-in.sh", **inputs(registry="contoso.azurecr.io"), **others)


# What the step does


def test_the_release_of_its_own_version_is_installed_and_the_job_signs_in(job: Job) -> None:
    ok(sign_in(job))
    release = f"https://github.com/acrscope/acrscope/releases/download/v{VERSION}/acrscope-{VERSION}-py3-none-any.whl"
    add, login = job.calls()
    assert add == ["extension", "add", "--upgrade", "--yes", "--only-show-errors", "--source", release]
    assert login[:7] == ["acr", "scope", "login", "--name", "contoso.azurecr.io", "--credential", "github-actions"]
    assert set(login[7:]) == {"--query", "[loginServer, expiresOn]", "--output", "tsv"}
    assert job.variables("GITHUB_OUTPUT") == {
        "login-server": "contoso.azurecr.io",
        "expires-on": "2026-11-28T17:00:54Z",
    }


def test_every_input_reaches_the_command(job: Job) -> None:
    wheel = job.folder / "a folder" / "acrscope.whl"
    wheel.parent.mkdir()
    wheel.touch()
    given = inputs(
        registry="contoso.azurecr.io",
        repository="team/app team/base",
        permission="push delete",
        client_id="11111111-2222-3333-4444-555555555555",
        tenant_id="contoso.onmicrosoft.com",
        credential="workload-identity",
        wheel=str(wheel),
    )
    assert set(given) - {name for name, value in given.items() if value} == set()
    ok(run(job, "sign-in.sh", **given))
    add, login = job.calls()
    assert add[-1] == str(wheel)
    assert login[3:-4] == [
        *("--name", "contoso.azurecr.io", "--credential", "workload-identity"),
        *("--client-id", "11111111-2222-3333-4444-555555555555", "--tenant", "contoso.onmicrosoft.com"),
        *("--repository", "team/app", "team/base", "--permission", "push", "delete"),
    ]


def test_the_credential_is_in_a_folder_of_the_job_and_earlier_logins_stay_in_use(job: Job) -> None:
    docker = job.folder / "home/.docker"
    (docker / "cli-plugins").mkdir(parents=True)
    (docker / "cli-plugins/docker-buildx").touch()
    (docker / "config.json").write_text("before")
    ok(sign_in(job))
    folder = Path(job.variables("GITHUB_ENV")["DOCKER_CONFIG"])
    assert folder.parent == job.folder / "temp"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "config.json").stat().st_mode & 0o077 == 0
    assert (folder / "cli-plugins/docker-buildx").exists()
    assert (docker / "config.json").read_text() == "before"


def test_a_second_registry_goes_to_the_same_folder_and_one_step_signs_out_of_both(job: Job) -> None:
    ok(sign_in(job))
    first = job.variables("GITHUB_ENV")
    ok(sign_in(job))
    assert job.variables("GITHUB_ENV") == first
    assert len(Path(job.env["GITHUB_ENV"]).read_text().splitlines()) == 1
    ok(run(job, "sign-out.sh"))
    assert job.calls()[-1] == ["acr", "scope", "logout", "--name", *["contoso.azurecr.io"] * 2, "--output", "none"]
    number = len(job.calls())
    ok(run(job, "sign-out.sh"))
    assert len(job.calls()) == number


def test_nothing_is_signed_out_of_where_nothing_was_signed_in_to(job: Job) -> None:
    assert sign_in(job, FAILS="3").returncode == 3
    assert job.variables("GITHUB_OUTPUT") == {}
    number = len(job.calls())
    ok(run(job, "sign-out.sh"))
    ok(run(job, "sign-out.sh", DOCKER_CONFIG=str(job.folder / "home/.docker")))
    assert len(job.calls()) == number


def test_what_is_stored_is_masked_in_every_form(job: Job) -> None:
    auth = base64.b64encode(b"00000000-0000-0000-0000-000000000000:a.jwt").decode()
    job.env["STORED"] = json.dumps({"auths": {"a": {"auth": auth}, "b": {"auth": "Og==", "identitytoken": "b.jwt"}}})
    done = ok(sign_in(job))
    masks = [line.removeprefix("::add-mask::") for line in done.stdout.splitlines()]
    assert masks == [auth, "a.jwt", "Og==", "b.jwt"]


# What it refuses


@pytest.mark.parametrize("name", INPUTS)
def test_a_hostile_input_is_refused_before_anything_runs(job: Job, name: str) -> None:
    for value in HOSTILE:
        done = run(job, "sign-in.sh", **inputs(registry="contoso.azurecr.io") | {variable(name): value})
        assert done.returncode == 1, value
        assert done.stdout == f"::error title=acrscope::The input '{name}' has characters that it cannot have.\n"
    assert job.calls() == []
    assert job.variables("GITHUB_ENV") == {}
    assert list(job.folder.glob("**/pwned")) == []


def test_a_missing_input_or_file_or_program_is_named(job: Job) -> None:
    assert "'registry' is missing" in run(job, "sign-in.sh", **inputs()).stdout
    given = inputs(registry="contoso.azurecr.io", wheel="acrscope.whl")
    assert "'wheel' names no file" in run(job, "sign-in.sh", **given).stdout
    (job.folder / "bin/az").unlink()
    assert "no Azure CLI" in sign_in(job).stdout


# What the action declares


def steps() -> list[dict[str, Any]]:
    return [*ACTION["runs"]["steps"], *LOGOUT["runs"]["steps"]]


def test_no_text_of_a_script_is_made_of_an_input() -> None:
    for step in steps():
        assert "${{" not in step["run"]
    for script in (ROOT / "pipelines/github").iterdir():
        text = script.read_text(encoding="utf-8")
        assert "INPUT_" not in text, "GitHub gives no such variable to a step of a composite action"
        assert "eval" not in text


def test_every_input_has_a_variable_and_every_variable_an_input() -> None:
    (step,) = ACTION["runs"]["steps"]
    assert step["env"] == {variable(name): f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    script = (ROOT / "pipelines/github/sign-in.sh").read_text(encoding="utf-8")
    assert set(re.findall(r"ACRSCOPE_[A-Z_]+", script)) == {variable(name) for name in INPUTS}
    assert [name for name in INPUTS if f"check {name} " not in script] == []


def test_the_outputs_are_what_the_script_writes() -> None:
    outputs = {name: f"${{{{ steps.sign-in.outputs.{name} }}}}" for name in ("login-server", "expires-on")}
    assert {name: each["value"] for name, each in ACTION["outputs"].items()} == outputs
    assert ACTION["runs"]["steps"][0]["id"] == "sign-in"


def test_its_version_is_that_of_the_extension() -> None:
    assert ACTION["inputs"]["version"]["default"] == VERSION


def test_a_script_that_a_step_names_is_there() -> None:
    for folder, step in zip((ROOT, ROOT / "logout"), steps(), strict=True):
        (path,) = re.findall(r'"\$GITHUB_ACTION_PATH/(.*?)"', step["run"])
        assert (folder / path).is_file()
