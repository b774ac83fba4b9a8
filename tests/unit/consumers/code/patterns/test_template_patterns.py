"""Patterns of templates, clusters and packages: each finds its example, and nothing of its near miss."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.consumers.code import patterns
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import (
    arm_templates,
    bicep,
    docker_configuration,
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
)
from tests.factories.source import places_in

READERS: list[ModuleType] = [
    arm_templates,
    bicep,
    docker_configuration,
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
]
FOLDER = Path(patterns.__path__[0])
PATTERNS: dict[str, dict[str, Any]] = {}
for file in ("templates.json", "kubernetes.json", "packages.json"):
    PATTERNS |= json.loads((FOLDER / file).read_bytes())["patterns"]


def read(text: str, name: str) -> set[Place]:
    return places_in(name, text, READERS)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_finds_its_example(name: str) -> None:
    example = PATTERNS[name]["example"]
    found = {place for place in read(example["text"], example["file"]) if place.pattern == name}
    assert found == {Place(example["line"], name, example.get("registry"), example.get("version"))}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_finds_nothing_in_its_near_miss(name: str) -> None:
    miss = PATTERNS[name]["counterExample"]
    assert [place for place in read(miss["text"], miss["file"]) if place.pattern == name] == []


_TEXTS = st.text(alphabet="'\"{}[]()=:,.\n #/*$|<>\\-@%abr1", max_size=200) | st.text(max_size=200)
_EXAMPLES = st.sampled_from([pattern["example"]["text"] for pattern in PATTERNS.values()])


@given(_TEXTS, _EXAMPLES, st.integers(0, 400), st.integers(0, 40))
def test_any_text_gives_places_of_known_patterns_on_its_lines(noise: str, text: str, at: int, cut: int) -> None:
    broken = text[:at] + noise + text[at + cut :]
    names = ("a.bicep", "a.tf", "a.json", "bicepconfig.json", "a.yaml", "values.yaml", "Chart.yaml", "package.json")
    for reader in READERS:
        for name in (*names, "kustomization.yaml", "config.json", "a.py", "a.tf.json"):
            for place in reader.read_places(broken, name):
                assert place.pattern in PATTERNS
                assert 1 <= place.line <= broken.count("\n") + broken.count("\r") + 1


def test_parameters_of_bicep_are_keys_with_values() -> None:
    text = (
        "using 'main.bicep'\nparam name = 'contoso'\nparam azureADAuthenticationAsArmPolicyStatus = 'enabled'\n"
        "param registries = [\n  { server: 'contoso.azurecr.io', identity: 'system' }\n]\n"
    )
    assert read(text, "main.bicepparam") == {
        Place(3, "registry-status-enabled"),
        Place(5, "container-app-identity", "contoso.azurecr.io"),
    }
    kept = "using 'main.bicep'\nparam azureADAuthenticationAsArmPolicyStatus = 'disabled'\n"
    assert read(kept, "main.bicepparam") == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "index.ts",
            'import * as app from "@pulumi/azure-native/app";\nnew app.ContainerApp("a", { configuration: {\n'
            '  registries: [{\n    server: "contoso.azurecr.io", identity: id.id }] } });\n',
        ),
        (
            "a.py",
            'from pulumi_azure_native import app  # azure_native\napp.ContainerApp("a",\n'
            "  configuration=app.ConfigurationArgs(registries=[app.RegistryCredentialsArgs(\n"
            '    server="contoso.azurecr.io", identity=i.id)]))\n',
        ),
        (
            "a.cs",
            'using P.AzureNative.App;\nnew ContainerApp("a", new() { Configuration = new ConfigurationArgs {\n'
            "  Registries = new[] { new RegistryCredentialsArgs {\n"
            '    Server = "contoso.azurecr.io", Identity = id.Id } } } });\n',
        ),
        (
            "Pulumi.yaml",
            "resources:\n  a: {type: 'azure-native:app:ContainerApp', properties: {configuration: {\n"
            "    registries: [{\n      server: contoso.azurecr.io, identity: i}]}}}\n",
        ),
    ],
)
def test_pulumi_programs_pass_the_same_keys(name: str, text: str) -> None:
    assert read(text, name) == {Place(4, "container-app-identity", "contoso.azurecr.io")}
