"""What the product writes for other programs, collected from the real commands on the stages of the documentation."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.az import ROOT, Az, add_extension, build_wheel
from tests.localcloud import LocalCloud
from tests.localcloud.scenarios.documented_fleets import WORKSPACE, Contoso, Governed, Stage
from tests.runners.recipes import all_recipes

_TERRAFORM = ROOT / "docs/terraform.md"
_KUBERNETES = ROOT / "pipelines/kubernetes"
_KUBECTL = ROOT / ".venvs/helm/bin/kubectl"


@dataclass
class Material:
    """`folder` holds the reports, templates and recipes."""

    folder: Path
    queries: dict[str, str] = field(default_factory=dict)

    def files(self, pattern: str) -> list[Path]:
        """Return the files with names of this kind."""
        return sorted(self.folder.glob(pattern))


def collect(folder: Path) -> Material:
    """Run the commands, and keep what they print and send."""
    found = Material(folder)
    add_extension(build_wheel(folder / "build"), folder / "extensions", folder / "installer")
    for make in (Contoso, Governed):
        with LocalCloud(backend=False) as cloud:
            stage: Stage = make(cloud)
            group = cloud.world.add_management_group(make.__name__)
            cloud.world.move(stage.production, group)
            for role in ("Reader", "Resource Policy Contributor"):
                cloud.world.grant(stage.team, group.id, role)
            az = Az(folder / make.__name__, folder / "extensions", cloud.env)
            team = stage.team
            who = ["--username", team.app_id, "--password", str(team.secret), "--tenant", team.tenant_id]
            assert az("login", "--service-principal", *who).code == 0
            assert az("account", "set", "--subscription", stage.production.id).code == 0
            _run_commands(az, found, make.__name__)
            for request in cloud.requests:
                for text in _queries(request.path, request.text):
                    found.queries.setdefault(text, f"query {len(found.queries) + 1}")
    found.queries = {name: text for text, name in found.queries.items()}
    _extract_recipes(folder)
    _render_manifests(folder)
    for number, block in enumerate(re.findall(r"```hcl\n(.*?)```", _TERRAFORM.read_text(), re.DOTALL)):
        (folder / "terraform").mkdir(exist_ok=True)
        (folder / f"terraform/{number}.tf").write_text(block)
    return found


def _render_manifests(folder: Path) -> None:
    """Write pipelines/kubernetes as kubectl sends it, and the script in it."""
    command = [str(_KUBECTL), "kustomize", str(_KUBERNETES)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (folder / "manifest-pipelines.yml").write_text(rendered)
    (job,) = [each for each in yaml.safe_load_all(rendered) if each["kind"] == "CronJob"]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["initContainers"]
    # LOGIN_SERVERS stands for several words.
    script = f"#!/bin/sh\n# shellcheck disable=SC2086\n{{\n{container['args'][0]}}}\n"
    (folder / "recipe-kubernetes.sh").write_text(script)


def _run_commands(az: Az, found: Material, stage: str) -> None:
    for arguments in (
        ["list"],
        ["list", "--management-group", stage],
        ["list", "--resource-group", "rg-apps"],
        ["consumers", "--all", "--workspace", WORKSPACE],
        ["consumers", "--name", "contosoapps"],
        ["policy", "assign", "--management-group", stage, "--dry-run"],
        ["policy", "show"],
        ["policy", "show", "--management-group", stage],
        ["enforce", "--all", "--dry-run"],
    ):
        az("acr", "scope", *arguments, "--output", "none", timeout=300)
    for ending in ("html", "md", "csv", "sarif"):
        report = az("acr", "scope", "report", "--file", str(found.folder / f"{stage}.{ending}"), "--output", "none")
        assert report.code == 0, report
    secret = az("acr", "scope", "login", "--name", "contosoapps", "--expose-token", "--token-format", "kubernetes")
    assert secret.code == 0, secret
    (found.folder / f"manifest-{stage}.yml").write_text(secret.stdout)
    value = az("acr", "scope", "login", "--name", "contosoapps", "--expose-token", "--token-format", "external")
    assert value.code == 0, value
    (found.folder / "registry.json").write_text(value.stdout)
    elsewhere = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/rg-id/providers"
    identity = f"{elsewhere}/Microsoft.ManagedIdentity/userAssignedIdentities/id-policy"
    for scope in ([], ["--resource-group", "rg-apps"], ["--management-group", stage]):
        for number, effect in enumerate((["deny"], ["modify", "--location", "westeurope", "--identity", identity])):
            for language, ending in (("terraform", "tf"), ("bicep", "bicep")):
                words = [
                    "--effect",
                    *effect,
                    *scope,
                    "--non-compliance-message",
                    'it\'s "new" ${x} %{y}',
                    "--print",
                    language,
                ]
                printed = az("acr", "scope", "policy", "assign", *words)
                assert printed.code == 0, printed
                kind = scope[0].strip("-") if scope else "subscription"
                (found.folder / f"{stage}-{kind}-{number}.{ending}").write_text(printed.stdout)


def _queries(path: str, body: str) -> list[str]:
    """The queries in a request to Resource Graph or Log Analytics."""
    if not path.lower().endswith(("microsoft.resourcegraph/resources", "/query")) or not body:
        return []
    text: Any = json.loads(body).get("query")
    return [text] if isinstance(text, str) else []


def _extract_recipes(folder: Path) -> None:
    """Write the recipes of docs/ci.md, and what pipelines take from here, as the files that real systems see."""
    for recipe in all_recipes().values():
        if recipe.language == "sh":
            (folder / f"recipe-{recipe.name}.sh").write_text(f"#!/bin/sh\n{recipe.text}")
            continue
        content = recipe.content
        kind = (
            "workflow" if "jobs" in content
            else "manifest" if "apiVersion" in content
            else "pipeline" if "steps" in content
            else "gitlab"
        )  # fmt: skip
        (folder / f"{kind}-{recipe.name}.yml").write_text(recipe.text)
        _write_scripts(folder, recipe.name, content)
    for file in sorted((ROOT / "pipelines/azure-pipelines").iterdir()):
        shutil.copy(file, folder / f"pipeline-{file.name}")
        _write_scripts(folder, f"azure-{file.stem}", yaml.safe_load(file.read_text(encoding="utf-8")))
    _declared, job = (ROOT / "templates/sign-in/template.yml").read_text(encoding="utf-8").split("---\n")
    (folder / "gitlab-sign-in.yml").write_text(job)
    _write_scripts(folder, "gitlab-sign-in", yaml.safe_load(job))


def _write_scripts(folder: Path, name: str, content: Any) -> None:
    for place, script in enumerate(_scripts(content)):
        (folder / f"recipe-{name}-{place}.sh").write_text(f"#!/bin/bash\n{script.rstrip()}\n")


def _scripts(node: Any) -> list[str]:
    """The shell scripts in a recipe, with the expressions of the systems taken out, which a shell never sees."""
    if isinstance(node, list):
        return [script for each in node for script in _scripts(each)]
    if not isinstance(node, dict):
        return []
    found = []
    for name, value in node.items():
        if name in ("script", "after_script", "before_script") or (name == "args" and isinstance(value, list)):
            found.append("\n".join(line for line in value if isinstance(line, str)))
        elif name in ("run", "bash", "inlineScript"):
            found.append(str(value))
        else:
            found += _scripts(value)
    return [re.sub(r"\$\{\{.*?\}\}|\$\([\w.]+\)", "value", script) for script in found]
