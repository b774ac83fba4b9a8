"""The recipes of docs/ci.md, in what runs pipelines on one machine; see `tests.runners`.

A test named after a recipe runs it. Where no program can, its own scripts run, with what the system puts into a job's
environment, up to the lines that need a container engine or a cluster.
"""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.az import ROOT, Az, Result
from tests.clients import Desk, engine
from tests.factories.files import write
from tests.factories.versions import VERSION
from tests.localcloud import Answer, LocalCloud, Registry, ServicePrincipal
from tests.localcloud.scenarios.images import write_oci_layout
from tests.runners import act, azure_pipelines
from tests.runners import gitlab as gitlab_ci_local
from tests.runners.recipes import Recipe, all_recipes, unmarked_blocks

_ELSEWHERE = re.compile(r"^(az extension add|docker (build|push)|buildah|kubectl) .*$", re.MULTILINE)
NewAz = Callable[..., Az]
Github = Callable[..., Result]


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> Iterator[Recipe]:
    """The recipe that the test is named after. What the page says that it is run by must have run it."""
    name = request.node.name.removeprefix("test_recipe_").replace("_", "-")
    found = all_recipes()[name]
    yield found
    assert found.is_run == bool(found.ran_by)
    assert found.mark.startswith(f"Run by {found.ran_by} in the tests") or not found.is_run


def recipe_of(name: str) -> Any:
    return all_recipes()[name].content


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


@pytest.fixture
def stored(new_az: NewAz, cloud: LocalCloud, registry: Registry, job: ServicePrincipal) -> Callable[[str], list[str]]:
    """The tags of a repository, as somebody else sees them."""

    def tags(repository: str) -> list[str]:
        az = new_az(name="observer")
        file = str(az.home / "auth.json")
        login = ["acr", "scope", "login", "--name", registry.login_server, "--credential", "workload-identity"]
        assert az(*login, "--auth-file", file, env=cloud.workload_identity_env(job)).code == 0
        listed = az.tool("skopeo", "list-tags", "--authfile", file, f"docker://{registry.login_server}/{repository}")
        return list(listed.json["Tags"])

    return tags


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository of a pipeline."""
    folder = tmp_path / "checkout"
    write(folder / "Dockerfile", "FROM scratch\nCOPY app /app\n")
    write(folder / "app", "an application")
    write(folder / "chart/Chart.yaml", "apiVersion: v2\nname: tiny\nversion: 0.1.0\n")
    return folder


@pytest.fixture
def github(
    new_az: NewAz, cloud: LocalCloud, job: ServicePrincipal, registry: Registry, checkout: Path, tmp_path: Path
) -> Github:
    """Runs a recipe in act, each time in a new checkout of a repository that the application trusts."""
    numbers = itertools.count(1)

    def run(
        recipe: Recipe,
        az: Az | None = None,
        env: dict[str, str] | None = None,
        actions: dict[str, Path] | None = None,
        event: str = "push",
    ) -> Result:
        folder = tmp_path / f"job-{next(numbers)}"
        shutil.copytree(checkout, folder / "checkout")
        identity = cloud.github_actions_env(job)
        recipe.ran_by = act.version()
        return act.run_workflow(
            az or new_az(),
            folder,
            recipe.text.replace("contoso.azurecr.io", registry.login_server),
            variables={name: identity.pop(name) for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")},
            env={**identity, **(env or {})},
            actions={f"acrscope/acrscope@v{VERSION}": act.own_action(folder / "action"), **(actions or {})},
            event=event,
        )

    return run


def narrow(cloud: LocalCloud) -> bool:
    """Whether Azure Resource Manager was never asked."""
    return cloud.requests_to("management.azure.com") == []


def test_recipe_github_build(
    github: Github, recipe: Recipe, cloud: LocalCloud, new_az: NewAz, registry: Registry,
    stored: Callable[[str], list[str]], tmp_path: Path,
) -> None:  # fmt: skip
    """docker's own client signs in, builds and pushes, with podman as its engine."""
    az = new_az()
    with engine(Desk(az, registry.login_server, tmp_path)) as address:
        done = github(recipe, az=az, env={"DOCKER_HOST": address})
    assert done.code == 0, done
    (tag,) = stored("app")
    assert re.fullmatch(r"[0-9a-f]{40}", tag)
    assert narrow(cloud)


def test_a_job_that_fails_is_signed_out_and_shows_no_credential(
    github: Github, cloud: LocalCloud, registry: Registry, tmp_path: Path
) -> None:
    recipe = all_recipes()["github-build"]
    # Two steps, each with a last newline: act may lose the end of what a step writes that fails, or that has none.
    show = 'cat "$DOCKER_CONFIG/config.json"; echo'
    text, found = re.subn(r"docker build .*\n.*docker push .*", f"{show}\n      - run: exit 1", recipe.text)
    assert found == 1
    recipe.text = f"{text}      - run: {show}\n        if: always()\n"
    done = github(recipe)
    assert done.code != 0
    before, after = re.findall(r"\{.*?\n\}", "\n".join(act.said(done)), re.DOTALL)
    (entry,) = json.loads(before)["auths"].values()
    assert set(entry.values()) == {"***"}
    assert json.loads(after) == {"auths": {}}
    assert not [secret for secret in cloud.secrets if secret in done.stdout + done.stderr]


def test_recipe_github_pull(
    github: Github, recipe: Recipe, cloud: LocalCloud, job: ServicePrincipal, registry: Registry,
    shell: Callable[[dict[str, str]], Shell], tmp_path: Path,
) -> None:  # fmt: skip
    observer = shell(cloud.workload_identity_env(job))
    observer.run("az acr scope login --name contoso.azurecr.io --credential workload-identity")
    assert observer.copy(f"oci:{tmp_path / 'image'}", "docker://contoso.azurecr.io/team/base:v1").code == 0
    cloud.clear_requests()
    done = github(recipe)
    assert done.code == 0, done
    asked = [scope for request in cloud.requests_to(registry.login_server) for scope in request.scopes]
    assert set(asked) == {"repository:team/base:pull"}
    assert narrow(cloud)


def test_the_action_installs_its_own_release(
    cloud: LocalCloud, new_az: NewAz, registry: Registry, wheel: Path, tmp_path: Path
) -> None:
    """By the real `az extension add`, without what the extension depends on, so no further than that."""
    github = cloud.hostile("github.com")
    github.answer = Answer(200, wheel.read_bytes())
    az = new_az()
    extensions = tmp_path / "extensions"
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    env = {f"ACRSCOPE_{name.upper().replace('-', '_')}": each.get("default", "") for name, each in inputs.items()}
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_ENV": str(tmp_path / "env"), "PIP_NO_DEPS": "1"}
    env |= {"ACRSCOPE_REGISTRY": registry.login_server, "AZURE_EXTENSION_DIR": str(extensions), **runner}
    env["PATH"] = f"{az.program.parent}:{az.env['PATH']}"
    done = az.tool("sh", str(ROOT / "pipelines/github/sign-in.sh"), env=env)
    (asked,) = github.requests
    assert asked.path == f"/acrscope/acrscope/releases/download/v{VERSION}/{wheel.name}"
    assert (extensions / "acrscope/azext_acrscope").is_dir(), done


def test_recipe_github_token(
    github: Github, recipe: Recipe, cloud: LocalCloud, stored: Callable[[str], list[str]]
) -> None:
    done = github(recipe)
    assert done.code == 0, done
    assert stored("charts/tiny") == ["0.1.0"]
    assert not [secret for secret in cloud.secrets if secret in done.stdout + done.stderr]
    assert narrow(cloud)


@pytest.fixture
def agent(
    new_az: NewAz, cloud: LocalCloud, job: ServicePrincipal, registry: Registry, checkout: Path, extensions: Path,
    tmp_path: Path,
) -> azure_pipelines.Agent:  # fmt: skip
    """An agent in a checkout. Its `az extension add` copies the extension that is installed for all tests."""
    az = new_az()
    add = f'cp -r {extensions}/acrscope "$AZURE_EXTENSION_DIR"/'
    script = f'#!/bin/sh\nif [ "$1 $2" = "extension add" ]; then mkdir -p "$AZURE_EXTENSION_DIR"; {add}; exit; fi\n'
    write(tmp_path / "programs/az", f'{script}exec {az.program} "$@"\n').chmod(0o755)
    identity = cloud.azure_pipelines_env(job)
    environment = {
        "PATH": f"{tmp_path / 'programs'}:{az.env['PATH']}",
        "SYSTEM_OIDCREQUESTURI": identity.pop("SYSTEM_OIDCREQUESTURI"),
        "AZURE_EXTENSION_DIR": str(tmp_path / "of the agent"),
    }
    return azure_pipelines.Agent(
        az,
        checkout,
        connections={"contoso-connection": {name: identity[name] for name in identity if name.startswith("AZURE")}},
        environment=environment,
        secrets={"System.AccessToken": identity["SYSTEM_ACCESSTOKEN"]},
        variables={"Build.BuildId": "7"},
    )


def for_registry(recipe: Recipe, registry: Registry) -> Any:
    return yaml.safe_load(recipe.text.replace("contoso.azurecr.io", registry.login_server))


def test_recipe_azure_pipelines_build(
    agent: azure_pipelines.Agent, recipe: Recipe, cloud: LocalCloud, registry: Registry,
    stored: Callable[[str], list[str]], tmp_path: Path,
) -> None:  # fmt: skip
    recipe.ran_by = azure_pipelines.NAME
    with engine(Desk(agent.az, registry.login_server, tmp_path)) as address:
        agent.environment = {**agent.environment, "DOCKER_HOST": address}
        agent.run(for_registry(recipe, registry))
    assert not agent.failed, agent.log
    assert stored("app") == ["7"]
    assert agent.variables["ACR_LOGIN_SERVER"] == registry.login_server
    assert narrow(cloud)


def test_a_job_of_azure_pipelines_that_fails_is_signed_out_and_shows_no_credential(
    agent: azure_pipelines.Agent, cloud: LocalCloud, registry: Registry
) -> None:
    pipeline = for_registry(all_recipes()["azure-pipelines-build"], registry)
    show = 'cat "$DOCKER_CONFIG/config.json"'
    build = next(step for step in pipeline["steps"] if "bash" in step)
    build["bash"] = f"{show}; exit 1"
    pipeline["steps"].append({"bash": show, "condition": "always()"})
    agent.run(pipeline)
    assert agent.failed
    before, after = re.findall(r"\{.*?\n\}", agent.log, re.DOTALL)
    (entry,) = json.loads(before)["auths"].values()
    assert set(entry.values()) == {"***"}
    assert json.loads(after) == {"auths": {}}
    assert not [secret for secret in cloud.secrets if secret in agent.log]
    assert not agent.temp.exists()


def test_recipe_azure_pipelines_script(
    agent: azure_pipelines.Agent, recipe: Recipe, cloud: LocalCloud, registry: Registry, checkout: Path,
    stored: Callable[[str], list[str]],
) -> None:  # fmt: skip
    recipe.ran_by = azure_pipelines.NAME
    write_oci_layout(checkout / "image", marker=registry.name)
    agent.run(for_registry(recipe, registry))
    assert not agent.failed, agent.log
    assert stored("app") == ["7"]
    assert narrow(cloud)


@pytest.fixture
def gitlab(
    new_az: NewAz, cloud: LocalCloud, job: ServicePrincipal, registry: Registry, checkout: Path, tmp_path: Path
) -> Callable[[str], Result]:
    """Runs a pipeline in gitlab-ci-local, with a component of a repository on its server and no image's programs."""
    identity = cloud.workload_identity_env(job)
    variables = {name: identity[name] for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")}
    variables["AZURE_ID_TOKEN"] = Path(identity["AZURE_FEDERATED_TOKEN_FILE"]).read_text()
    store = {"driver": "vfs", "graphroot": str(tmp_path / "store"), "runroot": str(tmp_path / "run")}
    lines = [f'{name} = "{value}"\n' for name, value in store.items()]
    variables["CONTAINERS_STORAGE_CONF"] = str(write(tmp_path / "storage.conf", "".join(["[storage]\n", *lines])))
    programs = tmp_path / "programs"
    for name in ("dnf", "python3"):
        write(programs / name, '#!/bin/sh\necho "not run: $*"\n').chmod(0o755)

    def run(pipeline: str) -> Result:
        text = pipeline.replace("contoso.azurecr.io", registry.login_server)
        server = gitlab_ci_local.own_component(tmp_path, f"v{VERSION}")
        return gitlab_ci_local.run_pipeline(new_az(), checkout, text, server, variables, programs)

    return run


def test_recipe_gitlab_build(
    gitlab: Callable[[str], Result], recipe: Recipe, cloud: LocalCloud, stored: Callable[[str], list[str]]
) -> None:
    recipe.ran_by = gitlab_ci_local.version()
    done = gitlab(recipe.text)
    assert done.code == 0, done
    assert len(re.findall(r"build > not run: ", done.stdout)) == 2
    (tag,) = stored("app")
    assert re.fullmatch(r"[0-9a-f]{40}", tag)
    assert narrow(cloud)


def test_a_job_of_gitlab_is_signed_out_after_a_failure(gitlab: Callable[[str], Result], cloud: LocalCloud) -> None:
    """The folder that held the credential is gone, and nothing of it is in the log."""
    text = all_recipes()["gitlab-build"].text
    text, found = re.subn(r"- buildah build .*", '- echo "folder=$DOCKER_CONFIG"; ls -A "$DOCKER_CONFIG"; exit 3', text)
    assert found == 1
    done = gitlab(text)
    assert done.code != 0
    (folder,) = re.findall(r"folder=(/tmp/\S+)", done.stdout)
    assert "build > config.json" in done.stdout
    assert not Path(folder).exists()
    assert not [secret for secret in cloud.secrets if secret in done.stdout + done.stderr]
    assert narrow(cloud)


def test_a_pod_with_workload_identity(
    cloud: LocalCloud, job: ServicePrincipal, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    pod = recipe_of("kubernetes-pod")
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


def test_recipe_virtual_machine(
    recipe: Recipe, cloud: LocalCloud, registry: Registry, shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    identity = cloud.world.add_managed_identity(f"machine of {registry.name}", system_assigned=True)
    cloud.world.grant(identity, registry.id, "AcrPush")
    machine = shell(cloud.managed_identity_env)
    programs = machine.az.home / ".local/bin"
    programs.mkdir(parents=True)
    machine.env["PATH"] = f"{programs}:{machine.env['PATH']}"
    machine.run(recipe.text)
    recipe.ran_by = "a shell"
    pushed = machine.copy(f"oci:{tmp_path / 'image'}", "docker://contoso.azurecr.io/app:v1")
    del cloud.world.principals[identity.object_id]
    assert pushed.code == 0, pushed
    assert narrow(cloud)


def stand_in(folder: Path, script: str, *inputs: str) -> Path:
    """An action of somebody else: a script that has some of its inputs as variables."""
    env = {"WITH_" + name.upper().replace("-", "_"): f"${{{{ inputs.{name} }}}}" for name in inputs}
    runs = {"using": "composite", "steps": [{"shell": "bash", "run": script, "env": env}]}
    write(folder / "action.yml", json.dumps({"name": folder.name, "inputs": dict.fromkeys(inputs, {}), "runs": runs}))
    return folder


def test_recipe_github_nightly(
    github: Github, recipe: Recipe, cloud: LocalCloud, registry: Registry, job: ServicePrincipal, new_az: NewAz,
    tmp_path: Path,
) -> None:  # fmt: skip
    subscription = cloud.world.add_subscription(f"Nightly {registry.name}")
    cloud.world.grant(job, subscription.scope, "Reader")
    cloud.world.add_registry(f"{registry.name}done", "rg-nightly", subscription, policy_status="disabled")
    cloud.world.add_registry(f"{registry.name}open", "rg-nightly", subscription, policy_status="enabled")
    cloud.clear_requests()
    shown = tmp_path / "shown"
    shown.mkdir()
    actions = {
        "azure/login@v3": stand_in(tmp_path / "login", _AZURE_LOGIN, "client-id", "tenant-id"),
        "github/codeql-action@v4": tmp_path / "codeql",
        "actions/upload-artifact@v7": stand_in(tmp_path / "artifact", f'cp "$WITH_PATH" {shown}', "path"),
    }
    stand_in(tmp_path / "codeql/upload-sarif", f'cp "$WITH_SARIF_FILE" {shown}', "sarif_file")
    ended = github(recipe, actions=actions, event="schedule")
    assert re.findall(r"Failure - Main (.*?) \[", ended.stdout) == [recipe.content["jobs"]["look"]["steps"][-1]["run"]]
    assert f"{registry.name}done" in (shown / "registries.html").read_text()
    (finding,) = json.loads((shown / "registries.sarif").read_text())["runs"][0]["results"]
    assert f"{registry.name}open" in json.dumps(finding)
    assert not [request for request in cloud.requests if request.host.endswith(".azurecr.io")]


# What azure/login does with these inputs, by the same requests.
_AZURE_LOGIN = """
answer=$(curl --silent --show-error --fail --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=api://AzureADTokenExchange")
token=$(printf %s "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["value"])')
az login --service-principal --username "$WITH_CLIENT_ID" --tenant "$WITH_TENANT_ID" --federated-token "$token" \
  --allow-no-subscriptions --output none
"""


def test_each_recipe_says_what_ran_it() -> None:
    run = [name.removeprefix("test_recipe_").replace("_", "-") for name in globals() if name.startswith("test_recipe_")]
    assert sorted(each.name for each in all_recipes().values() if each.is_run) == sorted(run)
    assert [
        each.mark for each in all_recipes().values() if not each.mark.startswith(("Run by", "Syntax checked"))
    ] == []
    assert unmarked_blocks() == []


def test_a_workflow_has_the_permissions_that_its_steps_need() -> None:
    """What act does not enforce."""
    for name in ("github-build", "github-pull", "github-token", "github-nightly"):
        workflow = recipe_of(name)
        assert workflow["permissions"]["id-token"] == "write"
        (job,) = workflow["jobs"].values()
        checks_out = any(step.get("uses", "").startswith("actions/checkout@") for step in job["steps"])
        assert workflow["permissions"].get("contents") == ("read" if checks_out else None)
    # github/codeql-action's README: what upload-sarif needs in a private repository.
    nightly = recipe_of("github-nightly")["permissions"]
    assert nightly | {"security-events": "write", "actions": "read"} == nightly


def test_a_job_of_gitlab_has_what_its_script_runs() -> None:
    text = all_recipes()["gitlab-build"].text
    used = set(re.findall(r"^    - (buildah|podman|docker|skopeo) ", text, re.MULTILINE))
    (image,) = re.findall(r"image: (\S+)", text)
    assert [client for client in used if client not in image] == []
    assert "pip install --quiet azure-cli" in text
