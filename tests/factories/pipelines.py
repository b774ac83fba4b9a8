"""A job of a pipeline with an `az` that keeps what it is called with, and values that no input may have."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

HOSTILE = (
    *("a\nb", "a\n", "a\rb", "a'b", 'a"b', "a;b", "a&b", "a|b", "a*", "é", "a$HOME"),
    *("a..b", "../a", "--help", "a --debug", "$(touch pwned)", "`touch pwned`"),
)

# Keeps its arguments, a line for each and an empty one after them; signs in as docker would.
AZ = r"""#!/bin/sh
printf '%s\n' "$@" '' >>"$CALLS"
[ "$1 $2" != "extension add" ] || exit 0
[ "$3" = login ] || exit 0
[ -z "${FAILS:-}" ] || exit "$FAILS"
printf '%s' "$STORED" >"$DOCKER_CONFIG/config.json"
printf 'contoso.azurecr.io\r\n2026-11-28T17:00:54Z\r\n'
"""


@dataclass
class Job:
    """A job on a runner: its folder, and what has come of its steps so far."""

    folder: Path
    env: dict[str, str]

    def run(self, *command: str, **others: str) -> subprocess.CompletedProcess[str]:
        """Run a program with the environment that GitHub's runner gives to the next step."""
        env = {**self.env, **self.variables("GITHUB_ENV"), **others}
        return subprocess.run(list(command), env=env, cwd=self.folder, capture_output=True, text=True, check=False)

    def variables(self, file: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in Path(self.env[file]).read_text().splitlines())

    def calls(self) -> list[list[str]]:
        """What `az` was called with."""
        text = (self.folder / "calls").read_text()
        return [call.splitlines() for call in text.split("\n\n") if call]


def start_job(folder: Path) -> Job:
    """Return a job on a runner whose folders are in this one."""
    for name in ("bin", "temp", "home"):
        (folder / name).mkdir()
    (folder / "bin/az").write_text(AZ)
    (folder / "bin/az").chmod(0o755)
    env = {
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "RUNNER_TEMP": str(folder / "temp"),
        "CALLS": str(folder / "calls"),
        "STORED": "{}",
    }
    for name in ("GITHUB_ENV", "GITHUB_OUTPUT"):
        env[name] = str(folder / name)
        (folder / name).touch()
    (folder / "calls").touch()
    return Job(folder, env)
