"""Pipelines of GitLab in gitlab-ci-local, which runs their jobs on this machine, without containers.

How it differs from GitLab: it gives no job an identity token, so a test gives it; jobs have the environment of the
caller and run in the checkout itself; it masks nothing. Components come from their repository by git, as from a server.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.az import ROOT, Az, Result
from tests.factories.files import write
from tests.factories.projects import git, make_repository
from tests.factories.versions import locked_for_node

_FOLDER = ROOT / ".venvs/runners"
_SERVER = "gitlab.example.com"


def version() -> str:
    """Return the name and version of this runner, as the lock file has it."""
    return f"gitlab-ci-local {locked_for_node('runners', 'gitlab-ci-local')}"


def own_component(folder: Path, tag: str) -> Path:
    """Make the server's repository contoso/acrscope, with the component at a tag; return the server's folder."""
    source = folder / "component"
    for file in (ROOT / "templates").rglob("*.yml"):
        write(source / file.relative_to(ROOT), file.read_text(encoding="utf-8"))
    make_repository(source)
    server = folder / "server"
    git(source, "tag", tag)
    git(source, "clone", "--quiet", "--bare", ".", str(server / "contoso/acrscope.git"))
    return server


def run_pipeline(
    az: Az, checkout: Path, pipeline: str, server: Path, variables: Mapping[str, str], path: Path | None = None
) -> Result:
    """Run all jobs of a pipeline in a checkout, with the `az`, home and local Azure of a test.

    :param server: the folder with the repositories that the pipeline includes components from.
    :param variables: those of the project, and the identity tokens of jobs, by a file.
    :param path: a folder of programs that come before all others.
    """
    write(checkout / ".gitlab-ci.yml", pipeline)
    make_repository(checkout)
    git(checkout, "remote", "add", "origin", f"git@{_SERVER}:contoso/app.git")
    write(az.home / ".gitconfig", f'[url "file://{server}/"]\n  insteadOf = ssh://git@{_SERVER}:22/\n')
    write(az.home / ".gitlab-ci-local/variables.yml", {"global": dict(variables)})
    program = _FOLDER / "node/node_modules/.bin/gitlab-ci-local"
    command = [
        str(_FOLDER / "bin/node"),
        str(program),
        "--force-shell-executor",
        "--cwd",
        os.path.relpath(checkout, az.home),
    ]
    folders = [str(path), str(az.program.parent)] if path else [str(az.program.parent)]
    return az.tool(*command, env={"PATH": ":".join([*folders, az.env["PATH"]])})
