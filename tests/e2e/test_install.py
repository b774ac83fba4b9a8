"""The wheel, its installation, its help, and its weight on every other `az acr` command."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml
from knack.help_files import helps

import azext_acrscope._help  # noqa: F401
from tests.az import ROOT, Az, package_index
from tests.factories.versions import VERSION
from tests.localcloud import LocalCloud, Registry

COMMANDS = [
    *("show", "list", "consumers", "enforce", "check", "report", "login", "logout", "configure-docker"),
    *("policy assign", "policy unassign", "policy show", "policy remediate"),
]
HEAVY = ("azure.mgmt", "azure.core", "azure.identity", "requests", "msal", "jwt", "urllib3", "cryptography", "aiohttp")
NEWER = f"{VERSION}.post1"


def test_the_wheel_holds_the_extension_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"azext_acrscope", f"acrscope-{VERSION}.dist-info"}
    assert "azext_acrscope/azext_metadata.json" in names


def test_the_wheel_depends_on_azure_identity_alone(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"acrscope-{VERSION}.dist-info/METADATA").decode()
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: azure-identity<2,>=1.19"
    ]


def test_az_lists_the_extension_as_a_preview(az: Az) -> None:
    (extension,) = [item for item in az.ok("extension", "list") if item["name"] == "acrscope"]
    assert extension["version"] == VERSION
    assert extension["preview"] is True


def test_the_offline_recipe_works(wheel: Path, tmp_path: Path) -> None:
    """The two blocks of docs/install.md: one where the package index is, one where nothing can be reached."""
    section = (ROOT / "docs/install.md").read_text(encoding="utf-8").split("\n## Offline\n")[1].split("\n## ")[0]
    online, offline = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    az = Az(tmp_path / "home", tmp_path / "extensions", {})
    shutil.copy(wheel, az.home)
    path = {"PATH": f"{az.program.parent}:{az.env['PATH']}"}
    downloaded = az.tool("sh", "-ec", online, env=path | package_index(), timeout=280)
    assert downloaded.code == 0, downloaded
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
    added = az.tool("sh", "-ec", offline, env=path | nowhere | {"PIP_NO_COMPILE": "1"}, timeout=280)
    assert added.code == 0, added
    assert [each["name"] for each in az.ok("extension", "list")] == ["acrscope"]


def test_the_group_stands_beside_the_core_commands(az: Az) -> None:
    result = az("acr", "-h")
    assert result.code == 0
    assert "scope-map" in result.stdout
    assert [line for line in result.stdout.splitlines() if line.strip().startswith("scope ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_two_examples(az: Az, command: str) -> None:
    result = az("acr", "scope", *command.split(), "-h")
    assert result.code == 0
    assert result.stdout.count(f"az acr scope {command}") >= 2
    assert "WARNING: Unable" not in result.stderr


def examples() -> list[str]:
    """The example commands of our help texts, without the leading `az`, and without the rest of a pipe."""
    texts = [yaml.safe_load(text) for name, text in helps.items() if name.startswith("acr scope")]
    found = [example["text"].strip() for text in texts for example in text.get("examples", [])]
    alone = [re.sub(r"^(?:kubectl|helm) [^|]*\|\s*|\| kubectl .*", "", text, flags=re.DOTALL) for text in found]
    return [text.removeprefix("az ") for text in alone]


# Runs the real command line up to, but not into, the command functions.
PARSE = """
import functools, inspect, os, shlex, sys
from azure.cli.core import get_default_cli
sys.path.append(os.path.join(os.environ["AZURE_EXTENSION_DIR"], "acrscope"))
from azext_acrscope import custom, custom_policy, custom_sign_in
for module in (custom, custom_policy, custom_sign_in):
    for name, real in list(vars(module).items()):
        if inspect.isfunction(real) and list(inspect.signature(real).parameters)[:1] == ["cmd"]:
            setattr(module, name, functools.wraps(real)(lambda cmd, **_: print("parsed")))
for example in sys.argv[1:]:
    code = get_default_cli().invoke(shlex.split(example))
    assert code == 0, (example, code)
"""


def test_every_example_of_the_help_parses(az: Az) -> None:
    found = examples()
    assert len(found) >= 2 * len(COMMANDS)
    for folder in ("app", "infra"):  # that an example searches
        (az.home / folder).mkdir()
    result = az.tool(str(az.python()), "-c", PARSE, *found)
    assert result.code == 0, result
    assert result.stdout.splitlines() == ["parsed"] * len(found)


def imported(az: Az, *arguments: str) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [az.python(), "-X", "importtime", "-m", "azure.cli", *arguments],
        env=az.env,
        cwd=az.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [("acr", "-h"), ("acr", "scope", "-h")])
def test_help_imports_nothing_heavy_because_of_the_extension(
    az: Az, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "none").mkdir()
    bare = Az(tmp_path / "bare", tmp_path / "none", {})
    imported(bare, "acr", "-h")  # both have built their command index
    imported(az, "acr", "-h")
    added = imported(az, *arguments) - imported(bare, "acr", "-h")
    assert any(name.startswith("azext_acrscope") for name in added)
    assert not [name for name in added if name.startswith(HEAVY)]


def test_azure_identity_is_not_imported_by_any_command_yet(az: Az, registry: Registry) -> None:
    modules = imported(az, "acr", "scope", "login", "-n", registry.login_server, "--expose-token")
    assert "azext_acrscope.hops.exchange" in modules
    assert not [name for name in modules if name.startswith("azure.identity")]


def test_no_module_of_the_extension_reaches_into_the_core_acr_commands() -> None:
    sources = (ROOT / "azext_acrscope").rglob("*.py")
    assert not [file.name for file in sources if "command_modules" in file.read_text()]


def newer_wheel(wheel: Path, folder: Path) -> Path:
    """The same wheel as a later version."""
    folder.mkdir()
    newer = folder / wheel.name.replace(VERSION, NEWER)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if ".dist-info/" in name:
                content = content.replace(VERSION.encode(), NEWER.encode())
            new.writestr(name.replace(VERSION, NEWER), content)
    return newer


def test_an_upgrade_leaves_nothing_to_be_repeated(
    az: Az, cloud: LocalCloud, registry: Registry, extensions: Path, wheel: Path, tmp_path: Path
) -> None:
    """The first version as `az extension add` left it, then `--upgrade` with another one."""
    shutil.copytree(extensions, tmp_path / "extensions", symlinks=True)
    bin_dir = tmp_path / "bin"
    az.env |= {"AZURE_EXTENSION_DIR": str(tmp_path / "extensions"), "PATH": f"{bin_dir}:{az.env['PATH']}"}
    az.ok("acr", "scope", "configure-docker", "--yes", "--name", registry.login_server, "--bin-dir", str(bin_dir))

    def helper(verb: str) -> str:
        program = str(bin_dir / "docker-credential-acrscope")
        return subprocess.run(
            [program, verb], env=az.env, input=registry.login_server, capture_output=True, text=True, check=True
        ).stdout

    secret = helper("get")
    assert helper("version").endswith(f" {VERSION}\n")
    program = (bin_dir / "docker-credential-acrscope").read_text()
    newer = newer_wheel(wheel, tmp_path / "newer")
    online = Az(az.home, tmp_path / "extensions", package_index())
    upgraded = online("extension", "add", "--upgrade", "--yes", "--source", str(newer), timeout=280)
    assert upgraded.code == 0, upgraded
    cloud.clear_requests()
    assert helper("version").endswith(f" {NEWER}\n")
    assert helper("get") == secret
    assert not cloud.requests
    shown = az.ok("acr", "scope", "configure-docker", "--show")
    assert (shown["launcher"]["version"], shown["hosts"][0]["works"]) == (NEWER, True)
    again = az("acr", "scope", "configure-docker", "--yes", "--name", registry.login_server)
    assert (again.code, again.stderr, again.json["hosts"][0]["result"]) == (0, "", "unchanged")
    assert (bin_dir / "docker-credential-acrscope").read_text() == program
    helper("erase")
    assert helper("get") != secret
