"""Whatever of a file is not read is told, and what can be read to its end is."""

from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.consumers import output
from azext_acrscope.consumers.code import output as code_output
from azext_acrscope.consumers.code.limits import Cut, note_cut, watch_cuts
from azext_acrscope.consumers.code.scan import SourceFindings, search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

LOGIN = "az acr login -n contoso"
TEMPLATE = '{"contentVersion": "1.0.0.0", "resources": ['
RESOURCE = '{"type": "Microsoft.ContainerRegistry/registries/tasks", "apiVersion": "2019-04-01"}'


def search(folder: Path, files: dict[str, str | bytes]) -> SourceFindings:
    return search_code([str(write_tree(folder, files))], load_knowledge())


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.yml", f"run: {LOGIN}\nb: [1,\nc: }}\n", 3),
        ("a.yml", f"run: {LOGIN}\n---\nx: y\n---\nb: 'c\n", 6),
        ("chart/templates/a.yaml", "apiVersion: v1\nkind: Pod\nx: {{ if\nimage: contoso.azurecr.io/a\n", 4),
        ("app.yaml", "apiVersion: argoproj.io/v1\nkind: Application\nspec:\n  source:\n"
         "    repoURL: contoso.azurecr.io/a\n    values: |\n      a: b\n      c: [\n", 9),
        ("secret.yaml", "apiVersion: v1\nkind: Secret\ndata:\n  .dockerconfigjson: ENC[AES256_GCM,data:x]\n", 4),
        ("a.json", f'{TEMPLATE}\n{RESOURCE}\n}}}}', 3),
        ("a.json", f'{TEMPLATE}\n{RESOURCE}, "', 2),
        ("a.json", f'{TEMPLATE} /* {RESOURCE}]}}', 1),
        ("package.json", f'{{"scripts": {{\n"a": "{LOGIN}"', 1),
        ("config.json", '{"auths": {\n"contoso.azurecr.io": {"auth": "eDp5"}', 1),
        ("bicepconfig.json", '{"moduleAliases": {"br": {\n"ours": {"registry": "contoso.azurecr.io"', 2),
        ("main.tf", 'resource "azurerm_container_registry" "a" {\n  name = "contoso"\n', 1),
        ("main.tf", 'x = <<EOT\nresource "azurerm_container_registry" "a" {}\n', 1),
        ("main.tf", 'x = {)\nresource "azurerm_container_registry" "a" {}\n', 1),
        ("main.tf.json", '{"resource": {"azurerm_container_registry": {\n"a": {', 2),
        ("main.bicep", "module m 'br:contoso.azurecr.io/a:v1' = {\n  name: 'a\n}\n", 2),
        ("main.bicep", "}\nmodule m 'br:contoso.azurecr.io/a:v1' = {}\n", 1),
        ("main.bicepparam", "using 'br:contoso.azurecr.io/a:v1'\nparam registries = [\n", 2),
        ("a.ts", "// azure-native\nconst a = f({\n", 2),
        ("a.sh", f"{LOGIN}\necho \"\n{LOGIN}\n", 2),
        ("a.ps1", f"{LOGIN}\n<# x\n{LOGIN}\n", 2),
        ("a.sh", f"{LOGIN}\n{'$(' * 101}{LOGIN}\n", 2),
        ("a.sh", "".join(f"bash <<E{n}\n" for n in range(5)) + LOGIN + "".join(f"\nE{n}" for n in range(4, -1, -1)), 6),
        ("a.yml", f"run: |\n  {LOGIN}\n  echo \"\n", 3),
        ("a.sh", f"{LOGIN}\n" + "docker login x " * 7, 2),
        ("a.py", f'run("{LOGIN}")\n"""\n', 2),
        ("a.js", f"run('{LOGIN}')\n/* x\n", 2),
        ("a.go", f"run(`{LOGIN}`)\nx := `\n", 2),
        ("a.py", "# ContainerRegistry\nContainerRegistryClient(\n" + "#" * 1600
         + ", audience='https://management.azure.com')", 2),
        ("a.yml", "a: &a {b: c}\nx: &x\n" + "".join(f"  k{n}: &k{n} {{b: c}}\n" for n in range(101))
         + f"y: {{<<: [{', '.join(f'*k{n}' for n in range(101))}], run: {LOGIN}}}\n", 104),
        (".github/workflows/a.yml", "env:\n" + "".join(f"  A{n}: ${{{{ env.A{n + 1} }}}}\n" for n in range(30))
         + "jobs:\n  a:\n    container: ${{ env.A0 }} # azurecr.\n"
         "    steps: [{run: az acr login}]\n", None),
        ("main.tf", 'locals {\n  a = local.b\n  b = local.a\n}\n'
         'resource "azurerm_container_registry" "a" {\n  name = local.a\n}\n',
         None),
    ],
)  # fmt: skip
def test_a_file_that_is_read_only_in_part_is_named_with_the_line(
    tmp_path: Path, name: str, text: str, line: int | None
) -> None:
    found = search(tmp_path, {name: text})
    assert (found.summary["filesRead"], found.summary["readInPart"]) == (1, 1)
    (said,) = found.incomplete
    place = f"{name}:{line} (" if line else f"{name} ("
    assert said.startswith(f"1 file was read only in part, and who signs in in the rest is unknown: {place}")


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("a.sh", "".join(f"cat <<E{n}\n" for n in range(30)) + f"true\n{LOGIN}\n", 1),
        ("a.sh", "".join(f"cat <<E{n}\n{LOGIN}\nE{n}\n" for n in range(30)) + LOGIN, 1),
        ("a.rb", "".join(f"x = <<E{chr(65 + n)}\n" for n in range(20)) + f"system('{LOGIN}')\n", 1),
        ("a.sh", f"docker run {'-e A=b ' * 2000} image {LOGIN}\n", 1),
        ("a.sh", "which docker podman buildah skopeo nerdctl helm oras ; " + LOGIN, 1),
        ("a.sh", f"for x in docker podman buildah skopeo nerdctl helm oras ; do {LOGIN}; done", 1),
        ("a.sh", "retry docker podman buildah skopeo nerdctl helm oras docker login contoso.azurecr.io", 1),
        ("a.sh", f"docker login -u $ACR_USER -p contoso.azurecr.io ghcr.io\n{LOGIN}", 1),
        ("a.bat", f"echo \"\n{LOGIN}\n", 1),
        ("a.py", "run([\"az\", " + "\"-o\", " * 60 + '"acr", "login", "-n", "contoso"])\n', 0),
        ("a.py", 'run(["az", "acr", "login", ' + '"--x", ' * 60 + '"-n", "contoso"])\n', 1),
        ("a.py", f'run("{LOGIN} {"x" * 250_000}")\n', 1),
        ("a.go", "x := `\\`\nexec.Command(\"az\", \"acr\", \"login\", \"-n\", \"contoso\")\n", 1),
        ("a.yml", f"run: [{'docker, ' * 70} {LOGIN.replace(' ', ', ')}]\n", 1),
        ("a.json", f'// x\n{{ /* y */ "\\ud83d\\ude00": "\\ud83d\\ude00", "run": "echo \\"a\\"; {LOGIN}", }}', 1),
        ("a.json", f'{{\n\t"{"k" * 2000}": "b",\n\t"run": "{LOGIN}"\n}}', 1),
        ("a.jsonc", f'{{"run": "{LOGIN}"}}\n{{"run": "{LOGIN}"}}\n', 2),
        ("a.ipynb", f'{{"cells": [{{"source": ["!{LOGIN}\\n"], "n": -1.5e3}}]}}', 1),
        ("secret.yaml", 'apiVersion: v1\nkind: Secret\nstringData: {.dockerconfigjson: "{{ .Values.x }}"}\n', 0),
        ("a.sh.j2", f"{{% if x %}}\n{LOGIN}\n{{% endif %}}\n", 1),
        ("tool.run", f"#!/usr/bin/env -S bash -e\n{LOGIN}\n", 1),
        ("tool.in", f"#!/usr/bin/pwsh\n{LOGIN}\n", 1),
        ("tool.tpl", f"#!/bin/sh\necho a: b: c\n{LOGIN}\n", 1),
        ("tool", f"#!/usr/bin/env python3\nrun('{LOGIN}')\n# run('{LOGIN}')\n", 1),
        ("tool.d/run", f"#!/usr/bin/node\nexec('{LOGIN}')\n", 1),
        ("apply", f"#!/bin/sh\nkubectl apply -f - <<EOF\napiVersion: v1\nkind: Pod\nEOF\n{LOGIN}\n", 1),
        ("userdata.tpl", "#!/bin/bash\necho \"a: b\" : c: [\ncat <<E\napiVersion: v1\nkind: Pod\n"
         f"image: contoso.azurecr.io/a\nE\n{LOGIN}\n", 1),
        ("tool", '#!/usr/bin/env python3\nContainerRegistryClient(x, audience="https://management.azure.com")\n', 1),
        ("a.json", f"[{TEMPLATE}{RESOURCE}]}}]", 1),
        ("main.tf", "locals {\n" + "".join(f"  l{n} = local.l{n + 1}\n" for n in range(9))
         + '  l9 = "contoso.azurecr.io"\n}\nresource "azurerm_container_app" "a" {\n  registry {\n'
         '    server = local.l0\n    identity = "system"\n  }\n}\n', 1),
        ("a.azcli", f"# a: b: c\n{LOGIN}\n", 1),
        ("main.tf.tmpl", 'resource "azurerm_container_app" "a" {\n  registry {\n    server = "contoso.azurecr.io"\n'
         '    identity = "system"\n  }\n}\n', 1),
        ("requirements.txt", "azure-containerregistry==1.0.0 " + "--hash=sha256:0 " * 200, 1),
        ("Pipfile.lock", '{"default":{"a":{"hashes":["' + "x" * 3000 + '"]},"azure-containerregistry":{"hashes":[],'
         '"version":"==1.0.0"},"zenml":{"version":"==0.5.0"}}}', 2),
        ("package-lock.json", '{"packages":{"a":{"x":"' + "x" * 3000 + '"},"node_modules/@azure/container-registry":'
         '{"version":"1.0.0","resolved":"https://registry.npmjs.org/@azure/container-registry/-/container-registry-1.0.0.tgz"}}}',
         1),
        ("packages.lock.json", '{"dependencies":{"net8.0":{"a":{"x":"' + "x" * 3000 + '"},'
         '"Azure.Containers.ContainerRegistry":{"type":"Direct","requested":"[1.1.1, )","resolved":"1.1.1"}}}}', 1),
        ("pyproject.toml", 'dependencies = ["zenml==0.5.0", "azure-containerregistry==1.0.0"]\n', 2),
        ("a.yml", f"a: &a {{b: c}}\nb: {{<<: *a, run: {LOGIN}}}\n", 1),
        ("a.ts", "// azure-native\nconst a = `${b({c: '}'})}`;\n"
         "f({registries: [{server: 'contoso.azurecr.io', identity: 'x'}]})",
         1),
    ],
)  # fmt: skip
def test_a_file_that_is_unusual_is_read_to_its_end(tmp_path: Path, name: str, text: str, number: int) -> None:
    found = search(tmp_path, {name: text})
    assert found.incomplete == []
    assert len(found.code) == number


def test_files_that_are_the_same_are_each_named(tmp_path: Path) -> None:
    broken = {"yml": f"run: {LOGIN}\nb: [1,\n", "json": f'{{"run": "{LOGIN}"'}
    found = search(tmp_path, {f"{number}.{ending}": text for ending, text in broken.items() for number in range(2)})
    assert found.summary["readInPart"] == 4


def test_the_check_fails_for_what_is_not_known(tmp_path: Path) -> None:
    result: dict[str, Any] = {"registries": [], "subscriptions": [], "incomplete": [], "manualChecks": []}
    code_output.add_findings(result, search(tmp_path, {"a.yml": "# az acr login\nb: [1,\n", "b.yml": ""}))
    assert output.fail_on_error(result, "unknown")
    assert not output.fail_on_error(result, "breaks")
    assert code_output.code_summary(result)[-1] == "Searched 2 files, 1 of them only in part."
    assert not SourceFindings(incomplete=result["incomplete"]).as_search.complete


def test_what_is_noted_is_known_to_who_watches_and_to_nobody_else() -> None:
    note_cut("nobody watches")
    with watch_cuts() as outer:
        with watch_cuts() as inner:
            note_cut("first", 2)
            note_cut("second")
        note_cut("third")
    assert (outer, inner) == ([Cut("third")], [Cut("first", 2)])
