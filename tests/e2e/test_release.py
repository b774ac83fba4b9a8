"""`make release` on a checkout of what is there now, and its bundle in the real `az` without any package index."""

import functools
import json
import re
import shutil
import subprocess
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from release.index import broken_rules
from tests.az import ROOT, Az, locked, package_index, run
from tests.factories.projects import commit, git

PYTHON = ROOT / ".venvs/release/bin/python"
UNCOMPILED = {"PIP_NO_COMPILE": "1"}  # what is installed runs once or never
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(error) if error else 0)
"""


@pytest.fixture(scope="module")
def dist(shared: Path) -> Path:
    """What a release of the files of this checkout has, made in a checkout of their own."""
    checkout = shared / "release/acrscope"
    with locked(shared / "release.lock"):
        if not checkout.exists():
            listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
            for name in filter(lambda each: each and (ROOT / each).is_file(), names):
                (checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, checkout / name)
            for name in (".venv", ".venvs"):
                (checkout / name).symlink_to(ROOT / name)
            git(checkout, "init", "--quiet")
            commit(checkout)
            az = Az(shared / "release/home", shared / "none", {})
            command = [str(checkout / "scripts/release"), "--this-system"]
            made = run(command, az.env | package_index(), checkout, timeout=280)
            assert made.code == 0, made
    return checkout / "dist"


def bundle(dist: Path) -> Path:
    return next(dist.glob("acrscope-*-offline-linux-*.zip"))


def test_a_release_has_all_its_files_and_their_sums(dist: Path) -> None:
    version = bundle(dist).name.split("-")[1]
    assert {each.name for each in dist.iterdir()} == {
        f"acrscope-{version}-py3-none-any.whl",
        f"acrscope-{version}.tar.gz",
        f"acrscope-{version}.cdx.json",
        bundle(dist).name,
        "index.json",
        "release-notes.md",
        "SHA256SUMS",
    }
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=dist, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked
    assert checked.stdout.count(": OK") == 6


def test_the_bill_of_materials_names_what_the_bundle_holds(dist: Path) -> None:
    text = next(dist.glob("*.cdx.json")).read_text()
    judged = subprocess.run([PYTHON, "-c", VALIDATE], input=text, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stderr
    listed = {each["name"].lower().replace("-", "_") for each in json.loads(text)["components"]}
    names = zipfile.ZipFile(bundle(dist)).namelist()
    held = {name.split("/")[1].split("-")[0].lower() for name in names if name.endswith(".whl")}
    assert listed | {"acrscope"} == held
    assert not re.search(r'"file:|/tmp/', text)


def test_the_bundle_installs_into_az_without_an_index(dist: Path, tmp_path: Path) -> None:
    """As README.md and its own README.txt say, with a dead proxy in the way of everything else."""
    az = Az(tmp_path / "a home", tmp_path / "extensions", {})
    zipfile.ZipFile(bundle(dist)).extractall(az.home)
    folder = az.home / bundle(dist).stem
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    recipe = next(block for block in re.findall(r"^```sh\n(.*?)^```", readme, re.M | re.S) if "PIP_NO_INDEX" in block)
    assert "".join(f"  {line}\n" for line in recipe.splitlines()) in (folder / "README.txt").read_text()
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
    path = {"PATH": f"{az.program.parent}:{az.env['PATH']}"}
    added = az.tool("sh", "-ec", f'cd "{folder}"\n{recipe}', env=path | nowhere | UNCOMPILED, timeout=280)
    assert added.code == 0, added
    assert [each["name"] for each in az.ok("extension", "list")] == ["acrscope"]
    assert (tmp_path / "extensions/acrscope/azure/identity/__init__.py").is_file()
    assert az("acr", "scope", "-h").code == 0


def test_az_takes_the_release_from_an_index_that_has_its_entry(dist: Path, tmp_path: Path) -> None:
    """The CLI itself compares the wheel with the entry's hash, and reads there which CLI it needs."""
    az = Az(tmp_path / "home", tmp_path / "extensions", {})
    zipfile.ZipFile(bundle(dist)).extractall(az.home)
    served = tmp_path / "served"
    served.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        index = json.loads((dist / "index.json").read_text())
        (entry,) = index["extensions"]["acrscope"]
        assert broken_rules(index) == []
        shutil.copy(dist / entry["filename"], served)
        entry["downloadUrl"] = f"{address}/{entry['filename']}"
        (served / "index.json").write_text(json.dumps(index))
        az.ok("config", "set", f"extension.index_url={address}/index.json")
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(az.home / bundle(dist).stem), **UNCOMPILED}
        added = az("extension", "add", "--name", "acrscope", "--allow-preview", "true", env=offline)
        server.shutdown()
    assert added.code == 0, added
    assert [each["name"] for each in az.ok("extension", "list")] == ["acrscope"]


def test_a_release_with_a_change_that_is_not_committed_is_refused(dist: Path) -> None:
    forgotten = dist.parent / "azext_acrscope/forgotten.py"
    forgotten.write_text("")
    try:
        refused = run([str(PYTHON), "-m", "release"], {"PATH": "/usr/bin:/bin"}, dist.parent, timeout=60)
    finally:
        forgotten.unlink()
    assert refused.code == 1
    assert "No release: The checkout differs from its commit" in refused.stderr
    assert "azext_acrscope/forgotten.py" in refused.stderr
    assert "Traceback" not in refused.stderr
