"""The recipes of docs/ci.md: their own scripts, with what each system puts into a job's environment.

Left out are the lines that need a container engine, a cluster or the package's address; whether the credential that the
script leaves behind is good for a push or a pull is tried with skopeo.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.az import ROOT, Az, Result
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.scenarios.images import write_oci_layout

_ELSEWHERE = re.compile(r"^(az extension add|docker (build|push)|buildah|kubectl) .*$", re.MULTILINE)
NewAz = Callable[..., Az]


def recipes(title: str) -> list[Any]:
    """The YAML blocks of a section of docs/ci.md."""
    text = (ROOT / "docs/ci.md").read_text()
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, title
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section[1], re.DOTALL)]


@pytest.fixture
def registry(cloud: LocalCloud, registry_name: str) -> Registry:
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", backend=True)


@pytest.fixture
def job(cloud: LocalCloud, registry: Registry) -> ServicePrincipal:
    """What the job signs in as: it may push to this registry."""
    principal = cloud.world.add_service_principal(f"job of {registry.name}")
    cloud.world.grant(principal, registry.id, "AcrPush")
    return principal


class Shell:
    """A job's shell: a new home, no `az login`, the variables of its system."""

    def __init__(self, az: Az, registry: Registry, env: dict[str, str]) -> None:
        self.az, self.registry = az, registry
        self.env = {"PATH": f"{az.program.parent}:{az.env['PATH']}", **env}

    def run(self, script: str) -> Result:
        own = _ELSEWHERE.sub("true", script.strip()).replace("contoso.azurecr.io", self.registry.login_server)
        result = self.az.tool("bash", "-ec", own, env=self.env)
        assert result.code == 0, result
        return result

    def copy(self, source: str, target: str, *options: str) -> Result:
        """An image from here to there, with docker's configuration or what the options name."""
        names = [name.replace("contoso.azurecr.io", self.registry.login_server) for name in (source, target)]
        return self.az.tool("skopeo", "copy", "--quiet", "--insecure-policy", *options, *names, env=self.env)


@pytest.fixture
def shell(new_az: NewAz, registry: Registry, tmp_path: Path) -> Callable[[dict[str, str]], Shell]:
    write_oci_layout(tmp_path / "image", marker=registry.name)
    return lambda env: Shell(new_az(), registry, env)


def narrow(cloud: LocalCloud) -> bool:
    """Whether Azure Resource Manager was never asked."""
    return cloud.requests_to("management.azure.com") == []


def test_github_actions(
    cloud: LocalCloud, job: ServicePrincipal, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    build, pull_only, exposed = recipes("GitHub Actions")
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_ENV": str(tmp_path / "github-env")}
    runner = shell({**cloud.github_actions_env(job), **variables})
    *steps, last = [step["run"] for step in build["jobs"]["build"]["steps"] if "run" in step]
    for script in steps:
        runner.run(script)
    push = (f"oci:{tmp_path / 'image'}", "docker://contoso.azurecr.io/team/base:v1")
    assert runner.copy(*push).code == 0
    runner.run(last)
    assert runner.copy(*push).code != 0

    runner.run(pull_only["steps"][0]["run"])
    assert runner.copy(*reversed(push)).code == 0
    assert runner.copy(push[0], "docker://contoso.azurecr.io/team/other:v1").code != 0

    said = runner.run(exposed["steps"][0]["run"])
    lines = (tmp_path / "github-env").read_text().splitlines()
    token = dict(line.split("=", 1) for line in lines)["ACR_REFRESH_TOKEN"]
    assert f"::add-mask::{token}\n" in said.stderr
    assert said.stdout == ""
    assert narrow(cloud)


def test_azure_pipelines(
    cloud: LocalCloud, job: ServicePrincipal, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    (pipeline,) = recipes("Azure Pipelines")
    sign_in, _, sign_out = pipeline["steps"]
    assert sign_in["env"] == {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}
    agent = shell({**cloud.azure_pipelines_env(job), "TF_BUILD": "True"})
    agent.run(sign_in["inputs"]["inlineScript"])
    push = (f"oci:{tmp_path / 'image'}", "docker://contoso.azurecr.io/app:v1")
    assert agent.copy(*push).code == 0
    agent.run(sign_out["bash"])
    assert agent.copy(*push).code != 0
    assert narrow(cloud)


def test_gitlab(
    cloud: LocalCloud, job: ServicePrincipal, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    (pipeline,) = recipes("GitLab")
    build = pipeline["build"]
    identity = cloud.workload_identity_env(job)
    project = tmp_path / "project"
    file = build["variables"]["AZURE_FEDERATED_TOKEN_FILE"].replace("$CI_PROJECT_DIR", str(project))
    runner = shell(
        {
            "AZURE_CLIENT_ID": identity["AZURE_CLIENT_ID"],
            "AZURE_TENANT_ID": identity["AZURE_TENANT_ID"],
            "AZURE_ID_TOKEN": Path(identity["AZURE_FEDERATED_TOKEN_FILE"]).read_text(),
            "AZURE_FEDERATED_TOKEN_FILE": file,
            "CI_PROJECT_DIR": str(project),
        }
    )
    runner.run("\n".join(build["script"]))
    auth_file = f"{project}.tmp/auth.json"
    push = (f"oci:{tmp_path / 'image'}", "docker://contoso.azurecr.io/app:v1", "--authfile", auth_file)
    assert runner.copy(*push).code == 0
    runner.run("\n".join(build["after_script"]))
    assert json.loads(Path(auth_file).read_text())["auths"] == {}
    assert narrow(cloud)


def test_a_pod_with_workload_identity(
    cloud: LocalCloud, job: ServicePrincipal, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    (pod,) = recipes("Kubernetes pod with workload identity")
    assert pod["metadata"]["labels"] == {"azure.workload.identity/use": "true"}
    (sign_in,) = pod["spec"]["initContainers"]
    container = shell(cloud.workload_identity_env(job))
    (script,) = sign_in["args"]
    (tmp_path / "registry").mkdir()
    container.run(script.replace("/registry/config.json", str(tmp_path / "registry/config.json")))
    image = f"oci:{tmp_path / 'image'}"
    auth = ("--authfile", str(tmp_path / "registry/config.json"))
    assert container.copy(image, "docker://contoso.azurecr.io/team/app:v1", *auth).code == 0
    assert container.copy(image, "docker://contoso.azurecr.io/team/other:v1", *auth).code != 0
    assert narrow(cloud)


def test_the_fleet_every_night(cloud: LocalCloud, registry: Registry, new_az: NewAz) -> None:
    """With `azure/login` played by an account that may read one subscription."""
    (nightly,) = recipes("The fleet, every night")
    reader = cloud.world.add_service_principal(f"nightly reader of {registry.name}")
    subscription = cloud.world.add_subscription(f"Nightly {registry.name}")
    cloud.world.grant(reader, subscription.scope, "Reader")
    done = cloud.world.add_registry(f"{registry.name}done", "rg-nightly", subscription, policy_status="disabled")
    runner = Shell(new_az(reader), done, {})
    cloud.clear_requests()
    steps = nightly["jobs"]["look"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    for command in commands:
        runner.run(command)
    settings = {name: value for step in steps for name, value in step.get("with", {}).items()}
    assert done.name in (runner.az.home / settings["path"]).read_text()
    assert json.loads((runner.az.home / settings["sarif_file"]).read_text())["runs"][0]["results"] == []
    assert not [request for request in cloud.requests if request.host.endswith(".azurecr.io")]
    cloud.world.add_registry(f"{registry.name}open", "rg-nightly", subscription)
    assert runner.az.tool("bash", "-ec", commands[-1], env=runner.env).code == 1


def test_a_recipe_has_what_its_steps_need() -> None:
    """Permissions, files and clients without which the real system refuses: what the scripts above cannot notice."""
    build, nightly = recipes("GitHub Actions")[0], recipes("The fleet, every night")[0]
    for workflow in (build, nightly):
        (job,) = workflow["jobs"].values()
        wheel = next(index for index, step in enumerate(job["steps"]) if ".whl" in step.get("run", ""))
        assert any(step.get("uses", "").startswith("actions/checkout@") for step in job["steps"][:wheel])
        assert workflow["permissions"]["contents"] == "read"
    # github/codeql-action's README: what upload-sarif needs in a private repository.
    assert nightly["permissions"] | {"security-events": "write", "actions": "read"} == nightly["permissions"]
    (gitlab,) = recipes("GitLab")
    used = {line.split()[0] for line in gitlab["build"]["script"]} & {"buildah", "podman", "docker", "skopeo"}
    assert [client for client in used if client not in gitlab["build"]["image"]] == []
    assert any("azure-cli" in line for line in gitlab["build"]["before_script"])
