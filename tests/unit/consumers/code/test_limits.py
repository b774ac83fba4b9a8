"""Files that are made to cost much: work grows as their size does, and ends where it is bounded."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from azext_acrscope.consumers.code import limits
from azext_acrscope.consumers.code.formats import READERS
from azext_acrscope.consumers.code.languages import shell
from azext_acrscope.consumers.code.limits import BeyondLimitsError, watch_cuts
from azext_acrscope.consumers.code.readers import arm_templates, azure_pipelines, bicep, commands, pulumi, yaml_scripts
from tests.factories.work import assert_work_grows_as_size

_SIZE = 1_500
_UNITS = (
    *("[", "{", "(", "}", '"', "'", "`", "\\", "$(", "${", "{{", '"${', "<", "<<EOF\n", "#", "/*", ": ", "- ", "&a "),
    *("\n", "\\\n", '@"\n', "docker login ", "az acr login -n contoso\n", "bash -c 'az acr login'\n", 'eval "', "a=b "),
    *("apiVersion: v1\nkind: Pod\n---\n", "- {task: Docker@2, inputs: {a: b}}\n", '{"a":', '"a":1,', "FROM a\n"),
    *("'''", "ContainerRegistryClient(audience, ", "/oauth2/exchange # ", "azure-containerregistry\n", "a ? b : "),
)
_NAMES = (
    *(
        "a.json",
        "a.yml",
        "a.bicep",
        "a.sh",
        "Makefile",
        "a.ps1",
        "a.py",
        "a.ts",
        "Dockerfile",
        "compose.yml",
        "values.yaml",
    ),
    *("config.json", "requirements.txt", "package-lock.json", "a.tf"),
)
_BEGINS = 'az acr login "contentVersion" "auths" azure-native apiVersion kind Docker@2 ContainerRegistry\n'


def _repeated(begins: str, unit: str) -> Callable[[int], str]:
    return lambda size: begins + unit * (size // len(unit))


def readers_of(name: str) -> Iterable[Any]:
    return [reader for reader in READERS if reader.reads(name.lower())]


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.stage  # takes long
def test_a_file_of_twice_the_size_is_at_most_twice_the_work(name: str) -> None:
    begins = f"# {_BEGINS}" if not name.endswith((".json", ".bicep", ".ts")) else f"// {_BEGINS}"
    for reader in readers_of(name):
        for unit in _UNITS:
            assert_work_grows_as_size(reader, name, _repeated(begins, unit), _SIZE)


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [
        (arm_templates, "a.json", '"contentVersion" ' + "[" * 200),
        (bicep, "a.bicep", "var a = " + "[" * 200),
        (yaml_scripts, "a.yml", "run: az acr login\nx:\n " + "- " * 300),
    ],
)
def test_what_is_too_deep_is_refused(reader: Any, name: str, text: str) -> None:
    with pytest.raises(BeyondLimitsError):
        list(reader.read_places(text, name))


def test_commands_before_the_bound_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "MAX_TOKENS", 50)
    with watch_cuts() as cuts:
        (place,) = commands.read_places("az acr login -n contoso\n" + "echo a\n" * 100, "a.sh")
    assert place.registry == "contoso.azurecr.io"
    assert cuts


def test_the_bound_is_far_above_what_real_files_have() -> None:
    assert limits.MAX_TOKENS >= 500_000


def test_a_list_that_names_itself_ends() -> None:
    assert not list(pulumi.read_places("# azure-native\nregistries: &a [*a, *a]\n", "a.yml"))


@pytest.mark.parametrize(
    ("name", "head", "entry", "body"),
    [
        (
            "azure-pipelines.yml",
            "type: acr\npool: x\nvariables:\n",
            "  v{n}: x\n",
            "- {{container: {{endpoint: e, image: $(v1)}}}}\n",
        ),
        (".gitlab-ci.yml", "j:\n  parallel:\n    matrix:\n", "    - {{v{n}: azurecr.}}\n", "k{n}: {{image: $v1}}\n"),
        ("a.yml", "env:\n", "  v{n}: x\n", "j{n}: {{run: az acr login -n $v1}}\n"),
    ],
)
def test_many_jobs_with_many_variables_cost_their_number(name: str, head: str, entry: str, body: str) -> None:
    def file(size: int) -> str:
        jobs = "jobs:\n" if body.startswith("-") else ""
        parts = ["".join(part.format(n=number) for number in range(size)) for part in (entry, body)]
        return head + parts[0] + jobs + parts[1]

    for reader in readers_of(name):
        assert_work_grows_as_size(reader, name, file, 100)


def _bicep_with_a_list(key: str) -> Callable[[int], str]:
    entries = "  {{ server: 'ghcr.io', identity: 'x{n}' }}\n"

    def make(size: int) -> str:
        listed = "".join(entries.format(n=number) for number in range(size))
        app = f"resource a{{n}} 'Microsoft.App/containerApps@2024-03-01' = {{{{ properties: {{{{ {key}: all }}}} }}}}\n"
        return f"var all = [\n{listed}]\n" + "".join(app.format(n=number) for number in range(size))

    return make


def _template_with_a_list(key: str) -> Callable[[int], str]:
    def make(size: int) -> str:
        listed = [{"server": "ghcr.io", "identity": f"x{number}"} for number in range(size)]
        app = {"type": "Microsoft.App/containerApps", "apiVersion": "2024-03-01"}
        app["properties"] = {key: "[variables('all')]"}  # type: ignore[assignment]
        return json.dumps({"contentVersion": "1", "variables": {"all": listed}, "resources": [app] * size})

    return make


@pytest.mark.parametrize("key", ["registries", "imageRegistryCredentials"])
@pytest.mark.parametrize(
    ("reader", "name", "make"),
    [(bicep, "a.bicep", _bicep_with_a_list), (arm_templates, "a.json", _template_with_a_list)],
)
def test_a_long_list_that_many_resources_name_is_judged_once(
    reader: Any, name: str, make: Callable[[str], Callable[[int], str]], key: str
) -> None:
    assert_work_grows_as_size(reader, name, make(key), 60)


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [
        (azure_pipelines, "a.yml", "# type: acr, container: x\n" + "---\n" * 50_000),
        (commands, "a.js", "// az acr login\n" + "#" * 1_000_000),
        (commands, "a.py", "# az acr login\n" + "/*" * 500_000),
    ],
)
def test_no_whole_text_is_searched_for_each_document_or_comment(reader: Any, name: str, text: str) -> None:
    """Steps inside a regular expression are not counted; these would be hours."""
    assert not list(reader.read_places(text, name))
