"""Precision and recall of the search of code, on a generated tree of 400 files with known answers.

Most files nearly match: comments, words that are only printed, other clouds, prose, variables, anchors, matrix jobs,
two registries in a file. Answers are written by hand beside the texts, and never asked of the readers.
"""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from azext_acrscope.consumers.code.scan import search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

_FILES = 400
_SUFFIXES = (".azurecr.io", ".azurecr.cn", ".azurecr.us")


@dataclass(frozen=True)
class Sample:
    """A file with its answers.

    :ivar file: its name; NAME becomes a name of a registry, HOST its login server, OTHER another one's.
    :ivar answers: line, kind, and what the registry is: `HOST`, `OTHER`, `NAME`, `EAST` for the registry eastNAME, or
        nothing for null. Kind "back" sets the status back.
    :ivar beside: names and texts of more files, in which nothing is to be found.
    """

    file: str
    text: str
    answers: tuple[tuple[int, str, str], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


SAMPLES = (
    Sample(
        ".github/workflows/deploy.yml",
        "on: push\n"
        "jobs:\n"
        "  build:\n"
        "    strategy:\n"
        "      matrix: {region: [west, north]}\n"
        "    steps:\n"
        "    - run: |\n"
        "        # az acr login --name commented\n"
        "        echo 'az acr login --name printed'\n"
        "        docker build -t HOST/shop:${{ matrix.region }} .\n"
        "    - uses: azure/docker-login@v2\n"
        "      with: {login-server: HOST, username: x, password: '${{ secrets.P }}'}\n",
        ((11, "registry login action", "HOST"),),
    ),
    Sample("README.md", "Push to HOST with `az acr login --name NAME`.\n\n    docker login HOST\n"),
    Sample("docs/setup.md", "```sh\naz acr config authentication-as-arm update -r NAME --status enabled\n```\n"),
    Sample(
        "scripts/prepare.sh",
        "#!/bin/sh\nset -e\n"
        "az acr config authentication-as-arm \\\n  update --registry NAME \\\n  --status Enabled > /dev/null\n"
        "az acr show --name NAME\naz acr create --name NAME --sku Basic\n",
        ((3, "back", "NAME"),),
    ),
    Sample(
        "scripts/keep.sh",
        "#!/bin/sh\naz acr config authentication-as-arm update --registry NAME --status disabled\n"
        "# az acr config authentication-as-arm update --registry NAME --status enabled\n",
    ),
    Sample("web/Dockerfile", "# FROM OTHER/old:1\nFROM HOST/base:1\nRUN echo HOST\n", ((2, "Dockerfile", "HOST"),)),
    Sample("web/Containerfile", "FROM mcr.microsoft.com/dotnet/sdk:8.0\nLABEL source=HOST\n"),
    Sample(
        "infra/app.bicep",
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {\n  name: 'NAME'\n}\n"
        "resource app 'Microsoft.App/containerApps@2024-03-01' = {\n"
        "  name: 'shop'\n"
        "  properties: {\n"
        "    configuration: {\n"
        "      registries: [\n"
        "        { server: 'HOST', identity: 'system' }\n"
        "      ]\n"
        "    }\n"
        "  }\n"
        "}\n",
        ((9, "Container App", "HOST"),),
    ),
    Sample(
        "infra/registry.bicep",
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {\n"
        "  name: 'NAME'\n  sku: { name: 'Basic' }\n"
        "  properties: {\n"
        "    policies: { azureADAuthenticationAsArmPolicy: { status: 'enabled' } }\n"
        "  }\n"
        "}\n",
        ((5, "back", "NAME"),),
    ),
    Sample(
        "infra/enforced.bicep",
        "// azureADAuthenticationAsArmPolicy: { status: 'enabled' }\n"
        "resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {\n"
        "  name: 'NAME'\n  sku: { name: 'Basic' }\n"
        "  properties: { policies: { azureADAuthenticationAsArmPolicy: { status: 'disabled' } } }\n"
        "}\n",
    ),
    Sample(
        "main.tf",
        '# registry { server = "OTHER" identity = "x" }\n'
        'resource "azurerm_container_app" "shop" {\n'
        '  name = "shop"\n'
        "  registry {\n"
        '    server   = "HOST"\n'
        "    identity = azurerm_user_assigned_identity.pull.id\n"
        "  }\n"
        "}\n",
        ((5, "Container App", "HOST"),),
    ),
    Sample(
        "k8s/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n"
        "spec:\n  template:\n    spec:\n      containers:\n"
        "      - name: web\n        image: HOST/web:1\n"
        "      - name: side\n        image: docker.io/library/nginx:1\n",
        ((9, "image in a cluster", "HOST"),),
    ),
    Sample("k8s/crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
           "metadata: {name: acrpullbindings.msi-acrpull.microsoft.com}\nspec: {names: {kind: AcrPullBinding}}\n"),
    Sample("requirements.txt", "# azure-containerregistry==1.0.0b1\nazure-mgmt-containerregistry==15.0.0\n"),
    Sample("services/api/requirements.txt", "azure-identity\nazure-containerregistry==1.1.0b2\n",
           ((2, "azure-containerregistry", ""),)),
    Sample(
        "compose.yaml",
        "x-web: &web\n  image: HOST/web:1\n"
        "services:\n  one: *web\n  two:\n    image: OTHER/two:2\n  three: {image: redis}\n",
        ((2, "Compose file", "HOST"), (6, "Compose file", "OTHER")),
    ),
    Sample(
        "azure-pipelines.yml",
        "variables: {containerRegistry: HOST}\nsteps:\n- task: Docker@2\n  inputs:\n    command: push\n"
        "    containerRegistry: connection\n- script: echo az acr login --name NAME\n",
        ((3, "Docker task", ""),),
    ),
    Sample("tests/data/scopes.json", '{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/'
           'registries/NAME", "dns": "privatelink.azurecr.io"}\n'),
    Sample("src/credential.py", 'from azure.identity import DefaultAzureCredential\nPROSE = "see HOST"\n'),
    Sample(
        "release.ps1",
        "# Connect-AzContainerRegistry -Name commented\nWrite-Host 'az acr login -n printed'\n"
        "az acr login `\n  --name NAME\n",
        ((3, "az acr login", "NAME"),),
    ),
    Sample(
        ".gitlab-ci.yml",
        "variables: {REGISTRY: HOST}\n"
        "default:\n"
        "  image: $REGISTRY/tools:1\n"  # of `own` alone: all others have an image
        ".login:\n"
        "  image: mcr.microsoft.com/azure-cli:2.80.0\n"
        "  variables: {ACR: replaced, KEPT: NAME}\n"
        "  before_script:\n"
        "  - az acr login --name $ACR\n"
        "  - echo az acr login --name $KEPT\n"
        ".second: {extends: .login, variables: {ACR: NAME}}\n"
        "west: {extends: .second, script: [az acr repository list -n $KEPT]}\n"
        "east:\n"
        "  extends: [.elsewhere, .second]\n"
        "  variables: {ACR: eastNAME}\n"
        "  script:\n"
        "  - !reference [.push, script]\n"
        ".push: {script: ['docker login $REGISTRY -u x -p y', 'docker login $MIRROR -u x -p y']}\n"
        "own:\n"
        "  variables: {REGISTRY: OTHER, MIRROR: ghcr.io}\n"
        "  script: !reference [.push, script]\n"
        "loop: {extends: loop, image: alpine, before_script: [], script: [make]}\n",
        (
            (3, "GitLab CI image", "OTHER"),
            (8, "az acr login", "NAME"),
            (8, "az acr login", "EAST"),
            (11, "az acr repository or manifest", "NAME"),
            (17, "docker login", "HOST"),
            (17, "docker login", "OTHER"),
        ),
    ),
    Sample(
        ".github/workflows/matrix.yml",
        "on:\n"
        "  workflow_call: {inputs: {acr: {type: string, default: NAME}, host: {type: string}}}\n"
        "jobs:\n"
        "  build:\n"
        "    strategy:\n"
        "      matrix:\n"
        "        registry: [NAME, eastNAME]\n"
        "        include: [{registry: NAME, host: OTHER}, {os: arm}]\n"
        "    env: {SERVER: '${{ matrix.host }}', ALSO: '${{ inputs.acr }}'}\n"
        "    steps:\n"
        "    - run: az acr login -n ${{ matrix.registry }}\n"
        "    - run: docker login $SERVER -u ${{ matrix.registry }} -p x\n"
        "    - run: az acr login -n $ALSO\n"
        "    - run: az acr login -n ${{ inputs.host }}\n"
        "    - run: echo az acr login -n ${{ matrix.registry }}\n"
        "    - uses: docker/login-action@v3\n"
        "      with: {registry: '${{ matrix.os }}.example.com', username: x}\n"
        "  other:\n"
        "    strategy: {matrix: {registry: [ghcr.io]}}\n"
        "    steps:\n"
        "    - run: docker login ${{ matrix.registry }} -u x -p y # NAME\n",
        (
            (11, "az acr login", "NAME"),
            (11, "az acr login", "EAST"),
            (12, "docker login", "OTHER"),
            (13, "az acr login", "NAME"),
            (14, "az acr login", ""),
        ),
    ),
    Sample(
        "pipelines/stages.yml",
        "parameters:\n"
        "- {name: acr, type: string, default: NAME}\n"
        "- {name: given, type: string}\n"
        "variables: [{name: registry, value: eastNAME}, {group: shared}]\n"
        "stages:\n"
        "- stage: one\n"
        "  variables: {registry: NAME}\n"
        "  jobs:\n"
        "  - job: a\n"
        "    steps:\n"
        "    - script: az acr login -n $(registry)\n"
        "    - task: AzureContainerApps@1\n"
        "      inputs: {acrName: '${{ parameters.acr }}'}\n"
        "- stage: two\n"
        "  jobs:\n"
        "  - job: b\n"
        "    strategy: {matrix: {x: {host: HOST}, y: {host: OTHER}, z: {host: ghcr.io}}}\n"
        "    steps:\n"
        "    - task: HelmDeploy@0\n"
        "      inputs: {azureSubscriptionForACR: s, azureContainerRegistry: $(registry)}\n"
        "    - script: docker login $(host) -u x -p y\n"
        "    - script: az acr login -n ${{ parameters.given }}\n"
        "    - script: az acr show -n $(registry)\n",
        (
            (11, "az acr login", "NAME"),
            (12, "AzureContainerApps task", "NAME"),
            (19, "HelmDeploy task", "EAST"),
            (21, "docker login", "HOST"),
            (21, "docker login", "OTHER"),
            (22, "az acr login", ""),
        ),
    ),
    Sample(
        "scripts/apply.sh",
        "#!/bin/bash\nset -e\n"
        "kubectl apply -n shop -f - <<EOF\n"
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
        "  - image: HOST/web:1\n"
        "  - image: $ACR_NAME.azurecr.io/side:1\n"
        "  - image: $REGISTRY/other:1\n"
        "EOF\n"
        "cat <<EOF | kubectl delete -f -\n"
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: OTHER/gone:1}]}\nEOF\n"
        "cat <<'EOF'\n"
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: OTHER/shown:1}]}\nEOF\n"
        "cat > .github/workflows/ci.yml <<'EOF'\n"
        "jobs: {a: {steps: [{run: az acr login -n NAME}]}}\nEOF\n"
        "cat > web.yaml <<-EOF\n"
        "\tapiVersion: v1\n\tkind: Pod\n\tspec: {containers: [{image: OTHER/web:1}]}\n\tEOF\n",
        (
            (8, "image in a cluster", "HOST"),
            (9, "image in a cluster", ""),
            (28, "image in a cluster", "OTHER"),
        ),
    ),
    Sample(
        "pipelines/groups.yml",
        "variables:\n"
        "- group: shared\n"
        "- {name: mirror, value: ghcr.io}\n"
        "pool: {vmImage: ubuntu-latest}\n"
        "steps:\n"
        "- script: docker login $(registry) -u $(user) -p $(password)\n"
        "- script: docker login $(mirror) -u $(user) -p $(password)\n"
        "- script: docker login -u $(user) -p $(password)\n"
        "- script: echo docker login $(registry)\n"
        "- script: docker login HOST -u $(user) -p $(password)\n"
        "- script: docker build -t $(registry)/web .\n",
        ((6, "docker login", ""), (10, "docker login", "HOST")),
    ),
    Sample(
        "pipelines/nogroup.yml",
        "steps:\n- script: docker login $(registry) -u $(user) -p $(password)\n",
    ),
    Sample(
        "pipelines/conditions.yml",
        "parameters:\n"
        "- {name: hosts, type: object, default: [HOST, ghcr.io]}\n"
        "variables:\n"
        "- ${{ if eq(variables['Build.SourceBranchName'], 'main') }}:\n"
        "  - {name: acr, value: NAME}\n"
        "  - {name: mirror, value: docker.io}\n"
        "- ${{ else }}:\n"
        "  - {name: acr, value: eastNAME}\n"
        "  - {name: mirror, value: ghcr.io}\n"
        "jobs:\n"
        "- job: a\n"
        "  steps:\n"
        "  - script: az acr login -n $(acr)\n"
        "  - script: docker login $(mirror) -u x -p y\n"
        "  - ${{ each host in parameters.hosts }}:\n"
        "    - script: docker login ${{ host }} -u x -p y\n"
        "    - script: echo docker login ${{ host }}\n"
        "  - template: steps/login.yml\n"
        "    parameters:\n"
        "      ${{ if true }}: {acr: NAME}\n"
        "- job: b\n"
        "  variables: {acr: NAME}\n"
        "  steps: [{script: az acr login -n $(acr)}]\n",
        (
            (13, "az acr login", "NAME"),
            (13, "az acr login", "EAST"),
            (16, "docker login", "HOST"),
            (23, "az acr login", "NAME"),
        ),
        (
            (
                "pipelines/steps/login.yml",
                "parameters: {acr: other}\nsteps: [{script: 'az acr show -n ${{ parameters.acr }}'}]\n",
            ),
        ),
    ),
    Sample(
        "ci/.gitlab-ci.yml",
        "spec:\n"
        "  inputs: {acr: {default: NAME}, host: {default: ghcr.io}, open: {}}\n"
        "---\n"
        "variables: {ACR: NAME, MIRROR: ghcr.io}\n"
        "workflow:\n"
        "  rules:\n"
        "  - {if: $CI, variables: {ACR: eastNAME}}\n"
        "  - {if: $OTHER, variables: {ACR: skipped}, when: never}\n"
        "  - when: always\n"
        "one: {script: [az acr login -n $ACR]}\n"
        "two: {variables: {ACR: NAME}, script: [az acr login -n $ACR, 'echo az acr login -n $ACR']}\n"
        "three:\n"
        "  rules: [{if: $X, variables: {MIRROR: HOST}}, {if: $Y, variables: {MIRROR: docker.io}}]\n"
        "  image: $MIRROR/tools:1\n"
        "  script:\n"
        "  - docker login $MIRROR -u x -p y\n"
        "  - az acr login -n $[[ inputs.acr ]]\n"
        "  - az acr login -n $[[ inputs.open ]]\n"
        "  - docker login $[[ inputs.host ]] -u x -p y\n",
        (
            (10, "az acr login", "NAME"),
            (10, "az acr login", "EAST"),
            (11, "az acr login", "NAME"),
            (14, "GitLab CI image", "HOST"),
            (16, "docker login", "HOST"),
            (17, "az acr login", "NAME"),
            (18, "az acr login", ""),
        ),
    ),
    Sample(
        ".github/workflows/called.yml",
        "on:\n"
        "  workflow_call: {inputs: {acr: {default: unused}, host: {}, cli: {}}}\n"
        "env: {HERE: unused}\n"
        "jobs:\n"
        "  a:\n"
        "    steps:\n"
        "    - run: az acr login -n ${{ inputs.acr }}\n"
        "    - run: docker login ${{ inputs.host }} -u x -p y\n"
        "    - run: echo az acr login -n ${{ inputs.acr }}\n"
        "    - run: az acr show -n ${{ inputs.acr }}\n"
        "    - run: az acr login -n ${{ inputs.none }}\n",
        (
            (7, "az acr login", "NAME"),
            (7, "az acr login", "EAST"),
            (7, "az acr login", ""),
            (8, "docker login", "HOST"),
            (11, "az acr login", ""),
        ),
        (
            (
                ".github/workflows/calls.yml",
                "jobs:\n"
                "  one: {uses: ./.github/workflows/called.yml, with: {acr: NAME, host: ghcr.io}}\n"
                "  two:\n"
                "    strategy: {matrix: {acr: [NAME, eastNAME]}}\n"
                "    uses: ./.github/workflows/called.yml\n"
                "    with: {acr: '${{ matrix.acr }}', host: HOST}\n"
                "  three: {uses: ./.github/workflows/called.yml, with: {acr: '${{ env.HERE }}', host: docker.io}}\n"
                "  other: {uses: contoso/shared/.github/workflows/called.yml@v1, with: {acr: other}}\n"
                "  none: {uses: ./.github/workflows/none.yml, with: {acr: other}}\n",
            ),
        ),
    ),
    Sample(
        "actions/push/action.yml",
        "inputs:\n"
        "  registry: {default: NAME}\n"
        "  mirror: {default: ghcr.io}\n"
        "runs:\n"
        "  using: composite\n"
        "  steps:\n"
        "  - {shell: bash, run: 'az acr login --name ${{ inputs.registry }}'}\n"
        "  - {shell: bash, run: 'docker login ${{ inputs.mirror }} -u x -p y'}\n"
        "  - uses: docker/login-action@v3\n"
        "    with: {registry: '${{ inputs.mirror }}', username: x}\n",
        ((7, "az acr login", "NAME"),),
    ),
)  # fmt: skip


def generate(seed: int) -> tuple[dict[str, str], Counter[tuple[str, int, str, str | None]]]:
    """Return texts by file name, and the answers: file, line, kind and login server."""
    chance, files = random.Random(seed), dict[str, str]()
    answers = Counter[tuple[str, int, str, str | None]]()
    for number in range(_FILES):
        sample = SAMPLES[number % len(SAMPLES)]
        name, other = (f"{word}{chance.randrange(10**6):06}" for word in ("contoso", "fabrikam"))
        suffix = chance.choice(_SUFFIXES)
        hosts = {"HOST": name + suffix, "OTHER": other + suffix, "NAME": f"{name}.azurecr.io"}
        hosts["EAST"] = f"east{name}.azurecr.io"
        file = f"team{number // len(SAMPLES)}/{number}/{sample.file}"
        text = sample.text.replace("HOST", hosts["HOST"]).replace("OTHER", hosts["OTHER"]).replace("NAME", name)
        files[file] = "\n" * (lead := 0 if sample.file.endswith(".json") else chance.randrange(3)) + text
        for beside, more in sample.beside:
            files[f"team{number // len(SAMPLES)}/{number}/{beside}"] = more.replace("HOST", hosts["HOST"]).replace(
                "NAME", name
            )
        answers.update((file, line + lead, kind, hosts.get(which)) for line, kind, which in sample.answers)
    return files, answers


def test_precision_and_recall_are_one_on_a_tree_of_four_hundred_files(tmp_path: Path) -> None:
    files, answers = generate(20261128)
    write_tree(tmp_path, files)
    found = search_code([str(tmp_path)], load_knowledge())
    rows = Counter((row["file"], row["line"], row["kind"], row["registry"]) for row in found.code)
    rows.update((row["file"], row["line"], "back", row["registry"]) for row in found.turns_back_on)
    assert found.incomplete == []
    prose = sum(name.endswith(".md") for name in files)
    assert (found.summary["filesRead"], found.summary["skipped"]["otherFormats"]) == (len(files) - prose, prose)
    assert sorted(rows - answers) == [], "found, and not there"
    assert sorted(answers - rows) == [], "there, and not found"
