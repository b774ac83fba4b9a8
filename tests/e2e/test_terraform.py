"""docs/terraform.md: its templates read by a parser, and the command in them run as Terraform's provider runs it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.az import ROOT, Az
from tests.localcloud import LocalCloud, Registry

PYTHON = ROOT / ".venvs/templates/bin/python"
PARSER = ROOT / "tests/unit/policy/parse_templates.py"


@pytest.fixture(scope="module")
def templates() -> list[dict[str, Any]]:
    text = (ROOT / "docs/terraform.md").read_text(encoding="utf-8")
    blocks = [["terraform", block] for block in re.findall(r"```hcl\n(.*?)```", text, re.DOTALL)]
    done = subprocess.run([PYTHON, PARSER], input=json.dumps(blocks), capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def unquoted(node: Any) -> Any:
    """What the parser found, without the quotes that it leaves."""
    if isinstance(node, dict):
        return {unquoted(key): unquoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [unquoted(each) for each in node]
    return node.strip('"') if isinstance(node, str) else node


def run_program(az: Az, registry: Registry, program: list[str]) -> subprocess.CompletedProcess[str]:
    """As the provider does: the query on standard input, the result on standard output."""
    command = [word.replace("contoso.azurecr.io", registry.login_server) for word in program]
    env = {**az.env, "PATH": f"{az.program.parent}:{az.env['PATH']}"}
    return subprocess.run(command, input='{"a":"b"}', env=env, capture_output=True, text=True, check=False)


def test_the_data_source_gets_texts_that_pull_and_no_more(
    az: Az, cloud: LocalCloud, registry_name: str, templates: list[dict[str, Any]], tmp_path: Path
) -> None:
    registry = cloud.world.add_registry(registry_name, policy_status="disabled", backend=True)
    (source,) = [unquoted(each)["data"] for each in templates if "data" in each]
    program = source[0]["external"]["registry"]["program"]
    done = run_program(az, registry, program)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert {type(value) for value in result.values()} == {str}
    auth = tmp_path / "auth.json"
    auth.write_text(result["dockerconfigjson"])
    for repository, answer in (("team/app", "404 (Not Found)"), ("team/other", "unauthorized")):
        image = f"docker://{result['login_server']}/{repository}"
        listed = az.tool("skopeo", "list-tags", "--authfile", str(auth), image)
        assert answer in listed.stderr, listed
    registry.firewall = "203.0.113.9"
    failed = run_program(az, registry, program)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "refuses this machine's network" in failed.stderr


def test_the_variable_takes_what_is_printed(az: Az, registry: Registry, templates: list[dict[str, Any]]) -> None:
    page = (ROOT / "docs/terraform.md").read_text(encoding="utf-8")
    (command,) = re.findall(r'TF_VAR_registry="\$\(az (.*)\)"', page)
    printed = az.ok(*command.replace("contoso.azurecr.io", registry.login_server).split())
    (variable,) = [unquoted(each)["variable"] for each in templates if "variable" in each]
    declared = variable[0]["registry"]
    assert declared["ephemeral"] is True
    assert set(re.findall(r"(\w+)['\"]?\s*[:=]\s*['\"]?\$?\{?string", str(declared["type"]))) == set(printed)


def test_templates_use_what_there_is(templates: list[dict[str, Any]]) -> None:
    used = set(re.findall(r"(?:var\.registry|registry\.result)\.(\w+)", json.dumps(templates)))
    assert used == {"login_server", "username", "password", "dockerconfigjson"}
