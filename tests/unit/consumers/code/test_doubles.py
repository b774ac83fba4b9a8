"""What two files say of the same thing is one row, and the other file stays named."""

from pathlib import Path

import pytest

from azext_acrscope.consumers.code.scan import search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

NPM = '{\n  "dependencies": {\n    "@azure/mcp": "^1.0.0"\n  }\n}\n'
NPM_LOCK = '{"packages": {\n  "node_modules/@azure/mcp": {\n    "version": "2.0.5"\n  }\n}}\n'
TOML = '[project]\ndependencies = ["azure-containerregistry>=1.0"]\n'
TOML_LOCK = '[[package]]\nname = "azure-containerregistry"\nversion = "1.2.0"\n'
SDK = "azure-containerregistry"


def rows(folder: Path, files: dict[str, str]) -> list[tuple[str, int, str, str]]:
    """Return file, line, verdict and what `why` ends with, of all rows."""
    found = search_code([str(write_tree(folder, files))], load_knowledge())
    assert not found.incomplete
    listed = [(row["file"], row["line"], row["verdict"], row["why"]) for row in found.code]
    listed += [(row["file"], row["line"], row["strength"], row["why"]) for row in found.turns_back_on]
    return [
        (file, line, said, "Also" + why.partition(" Also")[2] if " Also" in why else "")
        for file, line, said, why in listed
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"web/package.json": NPM, "web/package-lock.json": NPM_LOCK},
         [("web/package-lock.json", 2, "breaks", "Also in web/package.json:3.")]),
        ({"package.json": NPM, "yarn.lock": '"@azure/mcp@^1.0.0":\n  version "1.0.4"\n'},
         [("yarn.lock", 1, "works", "Also in package.json:3.")]),
        ({"package.json": NPM, "pnpm-lock.yaml": "packages:\n  '@azure/mcp@2.0.5':\n"},
         [("pnpm-lock.yaml", 2, "breaks", "Also in package.json:3.")]),
        *[({"pyproject.toml": TOML, lock: TOML_LOCK}, [(lock, 2, "works", "Also in pyproject.toml:2.")])
          for lock in ("poetry.lock", "uv.lock")],
        ({"pyproject.toml": TOML, "requirements.txt": f"{SDK}==1.2.0\n"},
         [("requirements.txt", 1, "works", "Also in pyproject.toml:2.")]),
        ({"requirements-dev.in": f"{SDK}\n", "requirements-dev.txt": f"\n{SDK}==1.0.0b1\n"},
         [("requirements-dev.txt", 2, "breaks", "Also in requirements-dev.in:1.")]),
    ],
)  # fmt: skip
def test_the_lock_file_decides_which_version_is_installed(
    tmp_path: Path, files: dict[str, str], expected: list[tuple[str, int, str, str]]
) -> None:
    assert rows(tmp_path, files) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": NPM, "web/package-lock.json": NPM_LOCK},
        {"pyproject.toml": TOML, "package-lock.json": NPM_LOCK},
        {"pyproject.toml": TOML, "requirements.txt": f"{SDK}>=1.1.0b4\n"},  # no lock file: it does not say which
        {"requirements.in": f"{SDK}\n", "requirements-dev.txt": f"{SDK}==1.2.0\n"},
        {"package.json": NPM.replace("@azure/mcp", "@azure/container-registry"), "package-lock.json": NPM_LOCK},
    ],
)
def test_files_that_do_not_lock_each_other_have_a_row_each(tmp_path: Path, files: dict[str, str]) -> None:
    found = rows(tmp_path, files)
    assert {row[0] for row in found} == set(files)
    assert {row[3] for row in found} == {""}


def test_of_many_other_places_some_are_named(tmp_path: Path) -> None:
    manifest = "".join(f"{SDK}>=0.{number}  ; a\n{SDK}==0.{number}\n" for number in range(4))
    found = rows(tmp_path, {"requirements.in": manifest, "requirements.txt": f"{SDK}==1.2.0\n"})
    assert [row[0] for row in found] == ["requirements.txt"]
    assert found[0][3].startswith("Also in requirements.in:1, requirements.in:2, requirements.in:4 and 2 more.")


BICEP = """\
param name string
resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: 'contoso'
  sku: { name: 'Basic' }
}
resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  properties: { configuration: { registries: [ { server: 'contoso.azurecr.io', identity: 'system' } ] } }
}
"""
ARM = """\
{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "metadata": {
    "_generator": {
      "name": "GENERATOR",
      "version": "0.36.1.42791"
    }
  },
  "parameters": { "name": { "type": "string" } },
  "resources": [
    { "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2025-04-01",
      "name": "contoso", "sku": { "name": "Basic" } },
    { "type": "Microsoft.App/containerApps", "apiVersion": "2024-03-01",
      "name": "[parameters('name')]",
      "properties": { "configuration": { "registries": [
        { "server": "contoso.azurecr.io", "identity": "system" } ] } } }MORE
  ]
}
"""
MORE = """,
    { "type": "Microsoft.App/containerApps", "apiVersion": "2024-03-01", "name": "second",
      "properties": { "configuration": { "registries": [
        { "server": "SERVER", "identity": "system" } ] } } }"""
COMPILED = ARM.replace("GENERATOR", "bicep").replace("MORE", "")
APP, REGISTRY = ("infra/main.bicep", 8, "breaks"), ("infra/main.bicep", 2, "omitted")


@pytest.mark.parametrize("file", ["infra/main.json", "out/Main.json"])
def test_bicep_and_what_was_compiled_from_it_are_one_row(tmp_path: Path, file: str) -> None:
    found = rows(tmp_path, {"infra/main.bicep": BICEP, file: COMPILED})
    assert found == [(*APP, f"Also in {file}:17."), (*REGISTRY, f"Also in {file}:12.")]


def test_a_template_beside_bicep_with_its_name_needs_no_word_of_who_made_it(tmp_path: Path) -> None:
    found = rows(tmp_path, {"infra/main.bicep": BICEP, "infra/main.json": COMPILED.replace('"bicep"', '"hand"')})
    assert [row[:3] for row in found] == [APP, REGISTRY]


def test_of_two_bicep_files_of_a_name_the_one_beside_the_template_counts(tmp_path: Path) -> None:
    found = rows(tmp_path, {"main.bicep": BICEP, "infra/main.bicep": BICEP, "main.json": COMPILED})
    assert [(row[0], row[3]) for row in found if row[3]] == [
        ("main.bicep", "Also in main.json:17."),
        ("main.bicep", "Also in main.json:12."),
    ]
    assert len(found) == 4


def test_what_only_the_template_says_stays(tmp_path: Path) -> None:
    for server in ("contoso.azurecr.io", "fabrikam.azurecr.io"):
        arm = ARM.replace("GENERATOR", "bicep").replace("MORE", MORE.replace("SERVER", server))
        found = rows(tmp_path, {"infra/main.bicep": BICEP, "infra/main.json": arm})
        assert [row[:3] for row in found] == [APP, ("infra/main.json", 20, "breaks"), REGISTRY]


def test_a_bicep_file_in_which_nothing_is_found_is_beside_its_template_all_the_same(tmp_path: Path) -> None:
    files = {"infra/main.bicep": BICEP, "sample/main.bicep": "module m '../infra/main.bicep' = {}\n"}
    found = rows(tmp_path, {**files, "sample/main.json": COMPILED})
    assert {row[3] for row in found} == {""}
    assert len(found) == 4


@pytest.mark.parametrize(
    ("bicep", "file", "arm"),
    [
        (["infra/main.bicep"], "out/main.json", COMPILED.replace('"bicep"', '"hand"')),
        (["infra/main.bicep"], "main.json", COMPILED.replace('"bicep"', '"hand"')),
        (["infra/main.bicep"], "infra/app.json", COMPILED),
        (["infra/main.bicep", "other/main.bicep"], "out/main.json", COMPILED),  # of which of both nobody knows
    ],
)
def test_templates_that_may_be_of_another_origin_have_rows_of_their_own(
    tmp_path: Path, bicep: list[str], file: str, arm: str
) -> None:
    found = rows(tmp_path, {**dict.fromkeys(bicep, BICEP), file: arm})
    assert sorted(row[0] for row in found) == sorted([*bicep, file] * 2)
