"""Add the wheel to the Azure CLI of this interpreter, and run what needs no Azure: `python -m tests.portable`.

For systems on which the local Azure does not run. It needs nothing but the Azure CLI and a package index.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from azext_acrscope.base.systems import this_system

ROOT = Path(__file__).parent.parent
HOST = "contoso.azurecr.io"
GROUPS = {
    "acr scope": (
        *("show", "list", "consumers", "enforce", "check", "report", "login", "logout", "configure-docker", "policy"),
    ),
    "acr scope policy": ("assign", "show", "remediate", "unassign"),
}


class Failed(Exception):
    """A program ended in another way than it should; the text has all that it printed."""


def run(*command: str, code: int = 0, given: str = "") -> str:
    """Run a program that must end with an exit code, and return what it printed."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=600)
    said = done.stdout + done.stderr
    if done.returncode != code or "Traceback" in said or "Unable to load extension" in said:
        raise Failed(f"$ {' '.join(command)}\nexit code {done.returncode}, not {code}\n{said}")
    return said


def az(*words: str) -> str:
    """Run `az` of this interpreter."""
    return run(sys.executable, "-m", "azure.cli", *words)


def check_installation(place: Path) -> None:
    """Build the wheel and add it."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(ROOT))
    (wheel,) = place.glob("acrscope-*.whl")
    az("extension", "add", "--yes", "--source", str(wheel))
    (extension,) = json.loads(az("extension", "list", "--output", "json", "--only-show-errors"))
    assert extension["name"] == "acrscope", extension


def check_help() -> None:
    """Ask every command for its help."""
    for group, commands in GROUPS.items():
        shown = az(*group.split(), "-h")
        for command in commands:
            assert f"  {command} " in shown, (group, command, shown)
            assert f"az {group} {command}" in az(*group.split(), command, "-h")


def check_search_of_code(place: Path) -> None:
    """Search a folder of code, for which nobody signs in."""
    code = place / "code"
    code.mkdir()
    (code / "deploy.sh").write_text(f"az acr login --name contoso\ndocker push {HOST}/web:1\n", encoding="utf-8")
    found = json.loads(az("acr", "scope", "consumers", "--source", str(code), "--output", "json", "--only-show-errors"))
    assert "deploy.sh" in json.dumps(found), found


def check_helper(place: Path) -> None:
    """Set the credential helper up and ask it as docker does: nobody is signed in, and it says so."""
    programs = place / "bin"
    programs.mkdir()
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    az("acr", "scope", "configure-docker", "--yes", "--name", HOST, "--bin-dir", str(programs))
    helpers = json.loads((place / "docker/config.json").read_text(encoding="utf-8"))["credHelpers"]
    assert helpers == {HOST: "acrscope"}, helpers
    launcher = programs / f"docker-credential-acrscope{this_system().script_suffix}"
    said = run(str(launcher), "get", code=1, given=HOST)
    assert "az login" in said, said
    az("acr", "scope", "configure-docker", "--yes", "--remove")
    assert not launcher.exists()


def main() -> None:
    """Check all, in folders of their own."""
    with tempfile.TemporaryDirectory(prefix="acrscope-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        own = {"AZURE_CONFIG_DIR": "azure", "AZURE_EXTENSION_DIR": "extensions", "DOCKER_CONFIG": "docker"}
        os.environ.update({name: str(place / each) for name, each in own.items()})
        os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"
        check_installation(place)
        check_help()
        check_search_of_code(place)
        check_helper(place)
    print(f"Python {sys.version.split()[0]} on {sys.platform}: the extension works")


if __name__ == "__main__":
    main()
