"""A stand-in for the agent of Azure Pipelines, of which no package has one: what its documentation says of scripts.

It expands templates and their parameters, maps variables to the environment (no secret unless a step asks for it),
plays the task AzureCLI@2 without its own `az login`, reads the logging commands that scripts write to either stream,
hides secrets, and empties the temporary folder after the job. Anything else in a pipeline is an error.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.az import ROOT, Az

NAME = "a stand-in for the agent"
_COMMAND = re.compile(r"^##vso\[(?P<action>[a-z.]+)(?: (?P<properties>[^\]]*))?\](?P<value>.*)$", re.MULTILINE)
_STEP = {"task", "bash", "displayName", "inputs", "env", "condition"}


@dataclass
class Agent:
    """A job on an agent.

    :ivar connections: what AzureCLI@2 sets for a service connection, by its name.
    :ivar variables: of the pipeline; scripts add to them.
    """

    az: Az
    folder: Path
    connections: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]
    secrets: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    log: str = ""
    failed: bool = False
    _masks: set[str] = field(default_factory=set)

    def run(self, pipeline: Any) -> None:
        """Run the steps of a pipeline in `folder`; `log` has what a reader sees."""
        assert set(pipeline) <= {"resources", "pool", "steps"}, pipeline
        resources = pipeline.get("resources", {}).get("repositories", [])
        aliases = {each["repository"] for each in resources if each["name"] == "acrscope/acrscope"}
        self._masks |= set(self.secrets.values())
        self.temp.mkdir()
        try:
            for step in [each for written in pipeline["steps"] for each in expand(written, aliases)]:
                if "checkout" not in step:
                    self._run_step(step)
        finally:
            shutil.rmtree(self.temp)

    @property
    def temp(self) -> Path:
        return self.folder.parent / "_temp"

    def _run_step(self, step: dict[str, Any]) -> None:
        assert set(step) <= _STEP, step
        assert step.get("condition", "succeeded()") in ("succeeded()", "always()")
        if self.failed and step.get("condition") != "always()":
            return
        env = {name.upper().replace(".", "_"): value for name, value in self.variables.items()}
        env |= {name: self._replace_macros(value) for name, value in step.get("env", {}).items()}
        script = step.get("bash", "")
        if "task" in step:
            assert step["task"] == "AzureCLI@2"
            inputs = step["inputs"]
            assert (inputs["scriptType"], inputs["scriptLocation"]) == ("bash", "inlineScript")
            env |= {
                **self.connections[inputs["azureSubscription"]],
                "AZURE_CONFIG_DIR": str(self.temp / ".azclitask-x"),
            }
            script = inputs["inlineScript"]
        file = self.temp / "script.sh"
        file.write_text(self._replace_macros(script))
        command = ["bash", "--noprofile", "--norc", str(file)]
        own = {"AGENT_TEMPDIRECTORY": str(self.temp), "TF_BUILD": "True", **self.environment}
        done = self.az.tool("env", "--chdir", str(self.folder), *command, env={**own, **env})
        self._read_output(done.stdout + done.stderr)
        self.failed |= done.code != 0

    def _replace_macros(self, text: str) -> str:
        """Replace `$(name)` where a variable has that name, as the agent does before a task runs."""
        known = {name.lower(): value for name, value in {**self.variables, **self.secrets}.items()}
        return re.sub(r"\$\(([\w.]+)\)", lambda found: known.get(found[1].lower(), found[0]), text)

    def _read_output(self, text: str) -> None:
        for command in _COMMAND.finditer(text):
            properties = dict(each.split("=", 1) for each in (command["properties"] or "").split(";") if each)
            self._obey(command["action"], properties, command["value"])
        shown = _COMMAND.sub("", text)
        for secret in sorted(filter(None, self._masks), key=len, reverse=True):
            shown = shown.replace(secret, "***")
        self.log += shown

    def _obey(self, action: str, properties: dict[str, str], value: str) -> None:
        if action == "task.setsecret":
            self._masks.add(value)
        elif action == "task.setvariable" and set(properties) == {"variable"}:
            self.variables[properties["variable"]] = value
        elif action == "task.logissue":
            self.log += f"{properties['type']}: {value}\n"
        else:
            raise AssertionError(f"the stand-in does not know ##vso[{action}]")


def expand(step: dict[str, Any], aliases: set[str]) -> list[dict[str, Any]]:
    """Return a step, or the steps of a template in this repository, which the pipeline names."""
    if "template" not in step:
        return [step]
    path, _, repository = step["template"].partition("@")
    assert repository in aliases
    template = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    declared = {each["name"]: each for each in template.get("parameters", [])}
    given = step.get("parameters", {})
    assert set(given) <= set(declared), "a parameter that the template does not have"
    missing = [name for name, each in declared.items() if "default" not in each and name not in given]
    assert missing == [], "a parameter without a value"
    values = {name: str(given.get(name, each.get("default"))) for name, each in declared.items()}
    return [_fill_in(each, values) for each in template["steps"]]


def _fill_in(node: Any, values: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _fill_in(value, values) for name, value in node.items()}
    if not isinstance(node, str):
        return node
    return re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda found: values[found[1]], node)
