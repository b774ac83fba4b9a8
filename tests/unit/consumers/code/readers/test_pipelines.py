"""Workflows, pipelines and their scripts: registries from variables, versions that jobs pin."""

import itertools
import textwrap

import pytest

from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, read_documents
from azext_acrscope.consumers.code.limits import watch_cuts
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import azure_pipelines, container_files, github_actions
from azext_acrscope.consumers.code.values.declared_values import Values, in_each_run
from tests.unit.consumers.code.patterns.test_pipeline_patterns import read_file

WORKFLOW = ".github/workflows/ci.yml"


def _read(name: str, text: str) -> list[Place]:
    return read_file(name, textwrap.dedent(text))


def test_each_job_has_its_own_version() -> None:
    found = _read(
        WORKFLOW,
        """\
        jobs:
          pinned:
            container: mcr.microsoft.com/azure-cli:2.45.0
            steps:
            - run: az acr login -n contoso
          installed:
            steps:
            - run: pip install azure-cli==2.85.0
            - run: |
                set -e
                az acr login -n contoso
          step:
            steps:
            - uses: azure/cli@v2
              with:
                azcliversion: 2.30.0
                inlineScript: az acr login -n contoso
            - run: az acr login -n contoso
        """,
    )
    assert [(place.line, place.version) for place in found] == [
        (5, "2.45.0"),
        (11, "2.85.0"),
        (17, "2.30.0"),
        (18, None),
    ]


def test_names_of_steps_are_no_commands() -> None:
    found = _read(
        "azure-pipelines.yml",
        """\
        steps:
        - task: AzureCLI@2
          displayName: az acr login -n contoso
          inputs:
            scriptType: pscore
            inlineScript: |
              az acr login `
                -n contoso
              Write-Host "az acr login -n contoso"
        - ${{ if eq(parameters.helm, true) }}:
          - script: >
              az acr login
              -n $(acr)
        """,
    )
    assert found == [Place(7, "az-acr-login", "contoso.azurecr.io"), Place(12, "az-acr-login")]


def test_a_sign_in_with_the_clis_token_is_one_place() -> None:
    found = _read(
        WORKFLOW,
        """\
        jobs:
          a:
            steps:
            - run: echo "t=$(az acr login -n contoso --expose-token -o tsv)" >> x
            - uses: docker/login-action@v3
              with:
                registry: contoso.azurecr.io
                username: 00000000-0000-0000-0000-000000000000
        """,
    )
    assert found == [Place(4, "az-acr-login", "contoso.azurecr.io")]


def test_the_registry_of_an_action() -> None:
    found = _read(
        "action.yml",
        """\
        inputs:
          server: {default: contoso.azurecr.io}
          host: {default: ghcr.io}
        runs:
          using: composite
          steps:
          - uses: docker/login-action@v3
            with: {registry: "${{ inputs.server }}", username: x}
          - uses: docker/login-action@v3
            with: {registry: "${{ inputs.host }}", username: x}
          - uses: Azure/docker-login@v2
            with: {login-server: "${{ secrets.ACR_LOGIN_SERVER }}", username: x}
          - uses: docker/login-action@v3
            with: {registry: "${{ secrets.REGISTRY }}", username: x}
        """,
    )
    assert found == [Place(7, "login-action", "contoso.azurecr.io"), Place(11, "login-action")]


def test_registries_of_a_matrix_are_those_of_its_own_job() -> None:
    found = _read(
        WORKFLOW,
        """\
        jobs:
          both:
            strategy:
              matrix:
                registry: [contoso.azurecr.io, ghcr.io]
                include:
                - {registry: fabrikam.azurecr.io, image: northwind.azurecr.io/build:1}
                exclude:
                - {registry: other.azurecr.io}
            container: ${{ matrix.image }}
            env: {SERVER: "${{ matrix.registry }}"}
            steps:
            - uses: docker/login-action@v3
              with: {registry: "${{ env.SERVER }}", username: x}
            - uses: azure/container-apps-deploy-action@v2
              with: {acrName: "${{ matrix.app }}"}
          none:
            strategy: {matrix: {registry: [ghcr.io], name: [contoso]}}
            container: ${{ matrix.image }}
            steps:
            - uses: docker/login-action@v3
              with: {registry: "${{ matrix.registry }}", username: x}
            - uses: docker/login-action@v3
              with: {registry: "${{ matrix.name }}.azurecr.io", username: x}
        """,
    )
    assert found == sorted(
        [
            Place(10, "job-container", "northwind.azurecr.io"),
            Place(13, "login-action", "contoso.azurecr.io"),
            Place(13, "login-action", "fabrikam.azurecr.io"),
            Place(15, "container-apps-action"),
            Place(23, "login-action", "contoso.azurecr.io"),
        ],
        key=lambda place: place.line,
    )


def test_a_matrix_of_any_size_costs_a_bounded_time() -> None:
    values = ", ".join(f"contoso{number}.azurecr.io" for number in range(400))
    names = "".join(f"${{{{ matrix.n{number} }}}}" for number in range(9))
    matrix = ", ".join(f"n{number}: [{values}]" for number in range(9))
    found = list[Place]()
    with watch_cuts() as cuts:
        found += github_actions.read_places(
            f"jobs:\n  a:\n    strategy: {{matrix: {{{matrix}}}}}\n    container: {names}\n    steps:\n"
            f"    - uses: docker/login-action@v3\n      with: {{registry: '{names}'}}\n",
            WORKFLOW,
        )
    assert cuts
    assert len(found) <= 2 * 257


def test_values_that_name_others_do_not_grow() -> None:
    pairs = list(itertools.pairwise(f"N{number}" for number in range(5)))
    variables = ", ".join(f"{name}: '{f'${after}' * 300}'" for name, after in pairs)
    matrix = ", ".join(f"M{number}: ['{'$N0' * 300}', a]" for number in range(5))
    job = f"{{variables: {{{variables}, N4: {'b' * 900}}}, parallel: {{matrix: [{{{matrix}}}]}}}}"
    (root,) = read_documents(job)
    assert isinstance(root, Mapping)
    values = Values.of_file(root)
    for text in ("$N0" * 300, "$M0" * 300, "$M0$M1$M2" * 100):
        assert {len(each) for each in in_each_run(text, values)} <= set(range(1001))


def test_images_of_gitlab_jobs_from_variables_and_a_matrix() -> None:
    found = _read(
        ".gitlab-ci.yml",
        """\
        variables:
          REGISTRY: contoso.azurecr.io
          TOOLS: {value: fabrikam.azurecr.io/tools, description: x}
        build:
          image: $REGISTRY/build:1
          services: ["${TOOLS}:2"]
        matrix:
          parallel:
            matrix:
            - IMAGE: [northwind.azurecr.io/a, alpine]
              TAG: ["1", "2"]
            - IMAGE: adatum.azurecr.io/b
          image: ${IMAGE}:$TAG
        elsewhere:
          variables: {REGISTRY: ghcr.io}
          image: $REGISTRY/build:1
        unknown:
          image: $IMAGE
        """,
    )
    assert found == [
        Place(5, "gitlab-image", "contoso.azurecr.io"),
        Place(6, "gitlab-image", "fabrikam.azurecr.io"),
        Place(13, "gitlab-image", "adatum.azurecr.io"),
        Place(13, "gitlab-image", "northwind.azurecr.io"),
    ]


def test_docker_tasks_of_other_registries_and_the_parameter_of_the_same_name() -> None:
    found = _read(
        "templates/build.yml",
        """\
        parameters:
        - name: containerRegistry
          default: contoso.azurecr.io
        steps:
        - task: Docker@2
          inputs: {containerRegistry: $(DOCKER_HUB_CONNECTION), command: push}
        - task: Docker@2
          inputs: {repository: app, command: build}
        - task: docker@2
          inputs: {containerRegistry: contoso, command: login}
        """,
    )
    assert found == [Place(9, "docker-task")]


@pytest.mark.parametrize(
    ("task", "inputs", "expected"),
    [
        ("e28912f1-0114-4464-802a-a3a35437fd16@2", "containerRegistry: a", Place(2, "docker-task")),
        ("E28912F1-0114-4464-802A-A3A35437FD16@0", "containerRegistry: a", Place(2, "docker-task")),
        ("6975e2d1-96d3-4afc-8a41-498b5d34ea19@1", "dockerRegistryEndpoint: a", Place(2, "dockercompose-task")),
        (
            "afa7d54d-537b-4dc8-b60a-e0eeea2c9a87@0",
            "azureSubscriptionForACR: p, azureContainerRegistry: contoso",
            Place(2, "helmdeploy-task", "contoso.azurecr.io"),
        ),
        (
            "dee316a2-586f-4def-be79-488a1f503dfe@1",
            "action: createSecret, dockerRegistryEndpoint: a",
            Place(2, "kubernetesmanifest-task"),
        ),
        (
            "cbc316a2-586f-4def-be79-488a1f503564@1",
            "azureSubscriptionEndpointForSecrets: p, azureContainerRegistry: contoso",
            Place(2, "kubernetes-task", "contoso.azurecr.io"),
        ),
        (
            "80f3f6a0-82a6-4a22-ba7a-e5b8c541b9b8@2",
            "azureSubscriptionEndpoint: p, azureContainerRegistry: contoso",
            Place(2, "iotedge-task", "contoso.azurecr.io"),
        ),
        (
            "cad8dd6a-de28-4d89-a7db-1bc20a2fbb2d@1",
            "acrName: contoso",
            Place(2, "containerapps-task", "contoso.azurecr.io"),
        ),
        ("8e038650-f7bf-11e8-8a6c-8fff434b4eff@0", "containerRegistry: a", None),  # DockerInstaller
    ],
)
def test_a_task_may_be_named_by_its_id(task: str, inputs: str, expected: Place | None) -> None:
    found = _read("azure-pipelines.yml", f"steps:\n- task: {task}\n  inputs: {{{inputs}}}\n")
    assert found == ([expected] if expected else [])


def test_commands_sign_in_to_what_the_pipeline_declares() -> None:
    found = _read(
        WORKFLOW,
        """\
        env: {REGISTRY: contoso.azurecr.io, ACR: contoso, ACR_SERVER: ghcr.io}
        jobs:
          a:
            steps:
            - run: docker login $REGISTRY -u x -p y
            - run: docker login ${{ env.REGISTRY }} -u x -p y
            - run: az acr login --name "${ACR}"
            - run: docker login $ACR_SERVER -u x -p y
            - run: docker login $REGISTRY -u x -p y
              env: {REGISTRY: ghcr.io}
            - run: |
                REGISTRY=ghcr.io
                docker login $REGISTRY -u x -p y
            - run: docker login -u $REGISTRY -p y
            - run: docker login $SERVER -u x -p y
              env: {SERVER: "${{ secrets.ACR_LOGIN_SERVER }}"}
          b:
            env: {ACR: fabrikam}
            steps:
            - run: az acr login -n $env:ACR
              shell: pwsh
        """,
    )
    assert found == [
        Place(5, "docker-login", "contoso.azurecr.io"),
        Place(6, "docker-login", "contoso.azurecr.io"),
        Place(7, "az-acr-login", "contoso.azurecr.io"),
        Place(15, "docker-login"),
        Place(20, "az-acr-login", "fabrikam.azurecr.io"),
    ]


def test_variables_of_azure_pipelines_gitlab_and_containers_are_declared_too() -> None:
    text = (
        "variables:\n- name: registry\n  value: contoso.azurecr.io\nsteps:\n- script: docker login $(registry) -u x\n"
    )
    assert _read("azure-pipelines.yml", text) == [Place(5, "docker-login", "contoso.azurecr.io")]
    text = "variables: {R: {value: contoso.azurecr.io}}\na:\n  script: [docker login -u x -p y $R]\n"
    assert _read(".gitlab-ci.yml", text) == [Place(3, "docker-login", "contoso.azurecr.io")]
    text = "spec:\n  env: [{name: ACR, value: contoso}]\n  args:\n  - az acr login -n $ACR\n"
    assert _read("job.yaml", text) == [Place(4, "az-acr-login", "contoso.azurecr.io")]


def test_the_container_of_a_job_with_a_matrix_names_its_registries() -> None:
    found = _read(
        "azure-pipelines.yml",
        """\
        variables: {tools: northwind.azurecr.io}
        jobs:
        - job: several
          strategy:
            matrix:
              one: {image: "contoso.azurecr.io/a:1"}
              two: {image: "fabrikam.azurecr.io/b:1"}
          container:
            image: $[ variables['image'] ]
            endpoint: connection
        - job: shared
          container: {image: "${{ variables.tools }}/c:1", endpoint: connection}
        - job: unknown
          container: {image: "$[variables.image]", endpoint: connection}
        - job: without
          container: {image: "$[variables.tools]"}
        """,
    )
    assert found == [
        Place(9, "agent-container", "contoso.azurecr.io"),
        Place(9, "agent-container", "fabrikam.azurecr.io"),
        Place(12, "agent-container", "northwind.azurecr.io"),
        Place(14, "agent-container"),
    ]


def test_gitlab_jobs_run_what_their_image_has() -> None:
    found = _read(
        ".gitlab-ci.yml",
        """\
        image: mcr.microsoft.com/azure-cli:2.90.0
        build:
          script:
          - az acr login -n contoso
        old:
          image: mcr.microsoft.com/azure-cli:2.39.0
          script: [az acr login -n contoso]
        kaniko:
          script:
          - echo '{"credHelpers":{"contoso.azurecr.io":"acr-env"}}' > /kaniko/.docker/config.json
        """,
    )
    assert [(place.line, place.pattern, place.version) for place in found] == [
        (4, "az-acr-login", "2.90.0"), (7, "az-acr-login", "2.39.0"), (10, "acr-env-helper", None),
    ]  # fmt: skip


def test_scripts_in_json_and_lists_of_words_in_yaml() -> None:
    found = _read(
        "package.json", '{"scripts": {\n  "login": "az acr login -n contoso"},\n "description": "az acr login -n x"}'
    )
    assert found == [Place(2, "az-acr-login", "contoso.azurecr.io")]
    found = _read("cloud-config.yaml", "runcmd:\n- [az, acr, login, -n, contoso]\n- az acr login -n $X\n")
    assert found == [Place(2, "az-acr-login", "contoso.azurecr.io"), Place(3, "az-acr-login")]


@pytest.mark.parametrize("value", ["${{ secrets.HOST }}", "", "$(fromGroup)"])
def test_a_value_that_says_nothing_does_not_hide_that_a_name_speaks_of_a_registry(value: str) -> None:
    found = _read(
        WORKFLOW,
        f"""\
        env:
          ACR_SERVER: "{value}"
        jobs:
          build:
            steps:
            - run: docker login $ACR_SERVER -u user -p password
        """,
    )
    assert [(place.line, place.registry) for place in found] == [(6, None)]


def test_variables_of_the_repository_are_not_those_of_the_environment() -> None:
    found = _read(
        WORKFLOW,
        """\
        env:
          ACR: contoso.azurecr.io
        jobs:
          build:
            steps:
            - run: docker login ${{ vars.ACR }} -u user -p password
            - run: docker login ${{ env.ACR }} -u user -p password
        """,
    )
    assert [(place.line, place.registry) for place in found] == [(6, None), (7, "contoso.azurecr.io")]


def test_each_job_has_an_environment_of_its_own() -> None:
    job = """
          {name}:
            env:
              H: {name}.azurecr.io
            steps:
            - uses: docker/login-action@v3
              with:
                registry: ${{{{ env.H }}}}
                username: user
    """
    found = _read(WORKFLOW, "        jobs:" + job.format(name="contoso") + job.format(name="fabrikam"))
    assert [place.registry for place in found] == ["contoso.azurecr.io", "fabrikam.azurecr.io"]


def _matrix(number: int) -> tuple[str, str, str]:
    """A job in each of so many registries: for GitHub, GitLab and Azure Pipelines."""
    hosts = [f"contoso{each}.azurecr.io" for each in range(number)]
    listed = ", ".join(hosts)
    named = ", ".join(f"r{place}: {{R: {host}}}" for place, host in enumerate(hosts))
    return (
        f"jobs: {{a: {{strategy: {{matrix: {{r: [{listed}]}}}}, container: '${{{{ matrix.r }}}}/app'}}}}\n",
        f"a: {{parallel: {{matrix: [{{R: [{listed}]}}]}}, image: $R/app}}\n",
        f"pool: x\njobs: [{{strategy: {{matrix: {{{named}}}}}, container: {{image: $(R)/app, endpoint: e}}}}]\n",
    )


READERS = (
    (github_actions, WORKFLOW),
    (container_files, ".gitlab-ci.yml"),
    (azure_pipelines, "azure-pipelines.yml"),
)


@pytest.mark.parametrize("system", range(3))
def test_a_matrix_is_read_as_far_as_any_system_runs_it_and_the_cut_of_a_larger_one_is_told(system: int) -> None:
    reader, name = READERS[system]
    with watch_cuts() as cuts:
        assert len({each.registry for each in reader.read_places(_matrix(200)[system], name)}) == 200
    assert not cuts
    with watch_cuts() as cuts:
        assert len({each.registry for each in reader.read_places(_matrix(300)[system], name)}) >= 200
    assert cuts


def test_a_long_word_in_a_script_costs_no_more_than_its_length() -> None:
    script = f"az acr login -n contoso\\n{'a' * 1_000_000}"  # hours, if each letter were a beginning
    (place,) = _read("a.yml", f'env: {{A: b}}\nscript: "{script}"\n')
    assert place.registry == "contoso.azurecr.io"
