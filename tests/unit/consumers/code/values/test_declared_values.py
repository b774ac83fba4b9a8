"""What workflows and pipelines declare, in commands, inputs of actions and tasks, and images."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azext_acrscope.consumers.code import limits
from azext_acrscope.consumers.code.limits import BeyondLimitsError, watch_cuts
from azext_acrscope.consumers.code.readers import azure_pipelines, github_actions, yaml_scripts
from azext_acrscope.consumers.code.scan import search_code
from azext_acrscope.consumers.code.values import declared_values
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import places_in, write_tree
from tests.factories.work import assert_work_grows_as_size

WORKFLOW, PIPELINE = ".github/workflows/ci.yml", "azure-pipelines.yml"
CONTOSO, FABRIKAM, NORTHWIND = (f"{name}.azurecr.io" for name in ("contoso", "fabrikam", "northwind"))
READERS = (azure_pipelines, github_actions, yaml_scripts)
Row = tuple[int, str, str | None]


def _read(name: str, text: str) -> set[Row]:
    return {(each.line, each.pattern, each.registry) for each in places_in(name, textwrap.dedent(text), READERS)}


def _registries(text: str, name: str = WORKFLOW) -> set[str | None]:
    return {registry for _, _, registry in _read(name, text)}


# --- GitHub ----------------------------------------------------------------------------------------------------------


def test_commands_sign_in_to_each_registry_of_the_matrix_of_their_job() -> None:
    found = _read(
        WORKFLOW,
        """\
        jobs:
          a:
            strategy:
              matrix:
                registry: [contoso, fabrikam]
                include:
                - {registry: northwind, os: windows}
                - {host: contoso.azurecr.io}
            env: {ACR: "${{ matrix.registry }}", SERVER: "${{ matrix.registry }}.azurecr.io/${{ github.sha }}"}
            steps:
            - run: az acr login -n ${{ matrix.registry }}
            - run: az acr login --name="$ACR"
            - run: docker login $SERVER -u ${{ matrix.registry }} -p y
            - run: docker login ${{ matrix.host }} -u x -p y
          b:
            strategy: {matrix: {os: [contoso]}}
            steps:
            - run: az acr login -n ${{ matrix.registry }}
        """,
    )
    three = (CONTOSO, FABRIKAM, NORTHWIND)
    assert found == {
        *((11, "az-acr-login", host) for host in three),
        *((12, "az-acr-login", host) for host in three),
        *((13, "docker-login", host) for host in three),
        (14, "docker-login", CONTOSO),
        (18, "az-acr-login", None),
    }


def test_values_of_one_run_stay_together() -> None:
    text = """\
        jobs:
          a:
            strategy:
              matrix:
                {lists}
            steps:
            - run: docker login ${{{{ matrix.at.name }}}}.azurecr.${{{{ matrix.at.cloud }}}} -u ${{{{ matrix.os }}}}
    """
    objects = "at: [{name: contoso, cloud: io}, {name: fabrikam, cloud: cn}, {name: x}]"
    expected = {CONTOSO, "fabrikam.azurecr.cn", None}
    assert _registries(text.format(lists=f"{objects}\n                os: [a, b]")) == expected
    included = objects.replace("at: ", "include: ").replace("{", "{os: a, at: {").replace("}", "}}")
    assert _registries(text.format(lists=included)) == expected


def test_what_one_run_leaves_open_is_found_beside_what_others_name() -> None:
    text = """\
        jobs:
          a:
            strategy: {matrix: {registry: [contoso.azurecr.io, "${{ vars.ACR_SERVER }}", ghcr.io]}}
            container: ${{ matrix.registry }}/image
            steps:
            - run: docker login ${{ matrix.registry }} -u x -p y
            - uses: docker/login-action@v3
              with: {registry: "${{ matrix.registry }}", username: x}
    """
    found = places_in(WORKFLOW, textwrap.dedent(text), READERS)
    assert {(each.line, each.registry, each.is_one_of_several) for each in found} == {
        (4, CONTOSO, False), (6, CONTOSO, False), (6, None, True), (7, CONTOSO, False), (7, None, True),
    }  # fmt: skip


def test_inputs_have_their_defaults_in_commands() -> None:
    found = _read(
        WORKFLOW,
        """\
        on:
          workflow_call: {inputs: {acr: {type: string, default: contoso}, open: {type: string}}}
          workflow_dispatch: {inputs: {host: {default: fabrikam.azurecr.io}, empty: {default: ""}}}
        env: {HOST: "${{ github.event.inputs.host }}"}
        jobs:
          a:
            steps:
            - run: az acr login -n ${{ inputs.acr }}
            - run: az acr login -n ${{ inputs.open }}
            - run: docker login $HOST -u x -p y
            - run: az acr login -n ${{ inputs.empty }}
            - run: az acr login -n $acr
        """,
    )
    assert found == {
        (8, "az-acr-login", CONTOSO),
        (9, "az-acr-login", None),
        (10, "docker-login", FABRIKAM),
        (11, "az-acr-login", None),
        (12, "az-acr-login", None),
    }
    action = "inputs: {acr: {default: contoso}}\nruns: {steps: [{run: 'az acr login -n ${{ inputs.acr }}'}]}\n"
    assert _registries(action, "action.yml") == {CONTOSO}


def test_a_default_that_names_no_registry_does_not_hide_that_a_caller_may_name_one() -> None:
    text = """\
        inputs: {acr_server: {default: docker.io}, host: {default: docker.io}}
        runs:
          steps:
          - run: docker login ${{ inputs.acr_server }} -u x -p y
          - run: docker login ${{ inputs.host }} -u x -p y
          - run: docker login $SERVER -u x -p y
            env: {SERVER: "${{ inputs.acr_server }}"}
          - run: docker login $ACR_SERVER -u x -p y
            env: {ACR_SERVER: docker.io}
    """
    assert _read("action.yml", text) == {(4, "docker-login", None), (6, "docker-login", None)}


def test_what_a_step_declares_is_its_own() -> None:
    text = """\
        env: {R: northwind.azurecr.io}
        jobs:
          a:
            env: {R: contoso.azurecr.io}
            steps:
            - uses: docker/login-action@v3
              with: {registry: "${{ env.R }}", username: x}
            - uses: docker/login-action@v3
              with: {registry: "${{ env.R }}", username: x}
              env: {R: fabrikam.azurecr.io}
            - run: docker login $R -u x -p y
              env: {R: ghcr.io}
    """
    assert _read(WORKFLOW, text) == {(6, "login-action", CONTOSO), (8, "login-action", FABRIKAM)}


def test_a_name_says_more_than_a_secret_behind_it() -> None:
    text = """\
        env: {ACR_SERVER: "${{ secrets.SERVER }}"}
        jobs:
          a:
            steps:
            - uses: docker/login-action@v3
              with: {registry: "${{ env.ACR_SERVER }}", username: x}
    """
    assert _read(WORKFLOW, text) == {(5, "login-action", None)}


def test_values_that_name_each_other_say_nothing_and_are_read_whole() -> None:
    text = """\
        env: {A: "${{ env.B }}", B: "${{ env.A }}"}
        jobs:
          a:
            steps:
            - run: az acr login -n ${{ env.A }}
    """
    with watch_cuts() as cuts:
        assert _read(WORKFLOW, text) == {(5, "az-acr-login", None)}
    assert not cuts


def test_steps_of_an_alias_have_the_values_of_each_job() -> None:
    text = """\
        jobs:
          a:
            env: {R: contoso}
            steps: &steps
            - run: az acr login -n $R
          b:
            env: {R: fabrikam}
            steps: *steps
    """
    assert _read(WORKFLOW, text) == {(5, "az-acr-login", CONTOSO), (5, "az-acr-login", FABRIKAM)}


def test_what_the_script_assigns_stays_but_what_is_put_in_before_does_not() -> None:
    text = """\
        env: {R: contoso}
        jobs:
          a:
            steps:
            - run: |
                R=$(pick)
                az acr login -n $R
                az acr login -n ${{ env.R }}
    """
    assert _read(WORKFLOW, text) == {(7, "az-acr-login", None), (8, "az-acr-login", CONTOSO)}


# --- Azure Pipelines -------------------------------------------------------------------------------------------------


def test_variables_of_stages_and_parameters_reach_commands_and_tasks() -> None:
    found = _read(
        PIPELINE,
        """\
        parameters:
        - {name: acr, type: string, default: contoso}
        - {name: open, type: string}
        variables: {host: northwind.azurecr.io}
        resources:
          containers:
          - {container: tools, type: ACR, azureSubscription: a, registry: "${{ parameters.acr }}"}
        stages:
        - stage: dev
          variables: {acr: fabrikam, id: "${{ parameters.acr }}.azurecr.io"}
          jobs:
          - job: a
            steps:
            - script: az acr login -n $(acr)
            - task: AzureCLI@2
              inputs: {scriptType: bash, inlineScript: "az acr login -n ${{ parameters.acr }}"}
            - task: HelmDeploy@0
              inputs: {azureSubscriptionForACR: s, azureContainerRegistry: $(acr)}
            - task: AzureContainerApps@1
              inputs: {acrName: "${{ parameters.acr }}"}
            - script: docker login $(id) -u x -p y
        - stage: prod
          variables: [{name: acr, value: northwind}, {group: from-outside}]
          jobs:
          - job: b
            variables: {acr: "$[ variables.other ]"}
            steps:
            - script: az acr login -n $(acr)
            - script: az acr login -n ${{ parameters.open }}
          - job: c
            container: {image: "$[variables.host]/x", endpoint: e}
            steps:
            - script: az acr login -n ${{ variables['acr'] }}
        """,
    )
    assert found == {
        (7, "agent-container-acr", CONTOSO),
        (14, "az-acr-login", FABRIKAM),
        (16, "az-acr-login", CONTOSO),
        (17, "helmdeploy-task", FABRIKAM),
        (19, "containerapps-task", CONTOSO),
        (21, "docker-login", CONTOSO),
        (28, "az-acr-login", None),
        (29, "az-acr-login", None),
        (31, "agent-container", NORTHWIND),
        (33, "az-acr-login", NORTHWIND),
    }


def test_a_template_with_parameters_by_name_has_their_defaults() -> None:
    text = """\
        parameters: {acr: contoso, flag: true}
        steps:
        - script: az acr login -n ${{ parameters.acr }}
        - template: other.yml
          parameters: {acr: fabrikam}
    """
    assert _read(PIPELINE, text) == {(3, "az-acr-login", CONTOSO)}


def test_a_matrix_of_azure_pipelines_falls_back_on_variables() -> None:
    text = """\
        variables: {acr: northwind}
        jobs:
        - job: a
          strategy:
            matrix:
              one: {acr: contoso, cloud: io}
              two: {acr: fabrikam, cloud: cn}
              three: {cloud: us}
          steps:
          - script: docker login $(acr).azurecr.$(cloud) -u x -p y
          - task: HelmDeploy@0
            inputs: {azureSubscriptionForACR: s, azureContainerRegistry: $(acr)}
    """
    assert _read(PIPELINE, text) == {
        *((10, "docker-login", host) for host in (CONTOSO, "fabrikam.azurecr.cn", "northwind.azurecr.us")),
        *((11, "helmdeploy-task", host) for host in (CONTOSO, FABRIKAM, NORTHWIND)),
    }


def test_variables_under_conditions_are_each_possible() -> None:
    text = """\
        parameters: [{name: env, default: dev}]
        variables:
        - {name: acr, value: northwind}
        - ${{ if eq(parameters.env, 'prod') }}:
          - {name: acr, value: contoso}
          - {name: host, value: contoso.azurecr.io}
          - ${{ if eq(parameters.env, 'x') }}:
            - {name: inner, value: contoso}
        - ${{ elseif eq(parameters.env, 'test') }}:
          - {name: host, value: fabrikam.azurecr.io}
        - ${{ else }}:
          - {name: other, value: adatum}
        steps:
        - script: az acr login -n $(acr)
        - script: docker login $(host) -u $(other) -p y
        - task: HelmDeploy@0
          inputs: {azureSubscriptionForACR: s, azureContainerRegistry: $(inner)}
        - ${{ if true }}:
          - script: az acr login -n ${{ variables.acr }}
    """
    assert _read(PIPELINE, text) == {
        (14, "az-acr-login", NORTHWIND),
        (14, "az-acr-login", CONTOSO),
        (15, "docker-login", CONTOSO),
        (15, "docker-login", FABRIKAM),
        (16, "helmdeploy-task", CONTOSO),
        (19, "az-acr-login", NORTHWIND),
        (19, "az-acr-login", CONTOSO),
    }


def test_what_a_job_declares_counts_more_than_conditions_around_it() -> None:
    text = """\
        variables:
          ${{ if eq(variables['Build.SourceBranch'], 'main') }}:
            acr: contoso
          ${{ else }}:
            acr: fabrikam
        jobs:
        - job: a
          variables: {acr: northwind}
          steps:
          - script: az acr login -n $(acr)
        - job: b
          strategy: {matrix: {x: {cloud: io}, y: {cloud: cn}}}
          steps:
          - script: docker login $(acr).azurecr.$(cloud) -u x -p y
        - job: c
          variables:
            ${{ if eq(1, 1) }}: {acr: adatum, more: $(acr)}
          steps:
          - script: az acr login -n $(acr)
    """
    assert _read(PIPELINE, text) == {
        (10, "az-acr-login", NORTHWIND),
        *(
            (14, "docker-login", f"{name}.azurecr.{cloud}")
            for name in ("contoso", "fabrikam")
            for cloud in ("io", "cn")
        ),
        (19, "az-acr-login", "adatum.azurecr.io"),
    }


def test_loops_over_parameters_have_each_of_their_values() -> None:
    text = """\
        parameters:
        - {name: acrs, type: object, default: [contoso, fabrikam]}
        - name: hosts
          type: object
          default: [{name: a, host: contoso.azurecr.io}, {name: b, host: ghcr.io}]
        - {name: clouds, type: object, default: {io: northwind, cn: northwind}}
        - {name: env, values: [prod, test]}
        variables:
          ${{ each acr in parameters.acrs }}:
            ${{ acr }}_host: ${{ acr }}.azurecr.cn
        steps:
        - ${{ each acr in parameters.acrs }}:
          - script: az acr login -n ${{ acr }}
        - ${{ each x in parameters.hosts }}:
          - task: AzureContainerApps@1
            inputs: {acrName: "${{ x.host }}"}
          - script: docker login ${{ x.host }} -u ${{ x.name }} -p y
        - ${{ each x in parameters.clouds }}:
          - script: docker login ${{ x.value }}.azurecr.${{ x.key }} -u x -p y
        - script: docker login $(contoso_host) -u x -p y
        - script: az acr login -n contoso${{ parameters.env }}
        - ${{ each y in parameters.none }}:
          - script: az acr login -n ${{ y }}
          - script: docker login ${{ acr }} -u x -p y
    """
    assert _read(PIPELINE, text) == {
        (13, "az-acr-login", CONTOSO),
        (13, "az-acr-login", FABRIKAM),
        (15, "containerapps-task", CONTOSO),
        (15, "containerapps-task", None),
        (17, "docker-login", CONTOSO),
        (19, "docker-login", NORTHWIND),
        (19, "docker-login", "northwind.azurecr.cn"),
        (20, "docker-login", "contoso.azurecr.cn"),
        (21, "az-acr-login", "contosoprod.azurecr.io"),
        (21, "az-acr-login", "contosotest.azurecr.io"),
        (23, "az-acr-login", None),
        (24, "docker-login", None),
    }


def test_a_registry_that_a_variable_group_may_name_is_told_whatever_the_variable_is_called() -> None:
    text = """\
        variables: [{GROUP}, {name: mirror, value: ghcr.io}]
        resources:
          containers:
          - {container: a, image: $(registry)/tools}
          - {container: b, image: $(mirror)/tools}
          - {container: c, image: tools}
        jobs:
        - job: a
          pool: {vmImage: x}
          steps:
          - script: docker login $(registry) -u $(user) -p $(password)
          - script: docker login -u x -p y $REGISTRY
          - script: docker login $(mirror) -u x -p y
          - script: docker login -u $(user) -p $(password)
          - script: docker login $(Build.Repository.Name) -u x
          - script: helm registry login ${registry} -u x
          - script: echo docker login $(registry)
          - script: az acr login -n $(acr)
          - script: |
              HOST=ghcr.io
              docker login $HOST -u x
          - task: AzureContainerApps@1
            inputs: {acrName: $(registry)}
    """
    with_group = textwrap.dedent(text).replace("{GROUP}", "{group: shared}")
    found = places_in(PIPELINE, with_group, READERS)
    assert {(each.line, each.pattern, each.registry, each.in_group) for each in found} == {
        (4, "agent-container", None, True),
        (11, "docker-login", None, True),
        (12, "docker-login", None, True),
        (16, "docker-login", None, True),
        (18, "az-acr-login", None, True),
        (22, "containerapps-task", None, True),
    }
    without = places_in(PIPELINE, with_group.replace("group: shared", "name: shared, value: x"), READERS)
    assert {(each.line, each.in_group) for each in without} == {(18, False), (22, False)}


@pytest.mark.parametrize(
    "variables",
    [
        "[{group: shared}]",
        "[{'${{ if true }}': [{group: shared}]}]",
        "[{'${{ if true }}': [{'${{ else }}': [{name: x, value: y}, {group: shared}]}]}]",
    ],
)
def test_a_group_of_a_job_holds_there_alone(variables: str) -> None:
    job = "- {{job: {name}, variables: {variables}, steps: [{{script: docker login $(registry) -u x}}]}}\n"
    text = f"jobs:\n{job.format(name='a', variables=variables)}{job.format(name='b', variables='[]')}"
    assert _read(PIPELINE, text) == {(2, "docker-login", None)}


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "jobs: &a {x: *a, a: &b {env: {R: contoso}, jobs: *b, steps: [{run: az acr login -n $R}]}}",
        "jobs: {a: {strategy: {matrix: [x]}, env: [x], steps: [{run: az acr login -n contoso}]}}",
        "on: [x]\njobs: {a: {strategy: {matrix: {include: {a: b}}}, steps: [{run: az acr login -n contoso}]}}",
        "inputs: [x]\nparameters: [y, [z]]\nsteps: [{script: az acr login -n contoso}]",
    ],
)
def test_what_no_system_takes_ends_well(text: str) -> None:
    assert CONTOSO in _registries(text)


def test_loops_with_more_values_than_any_pipeline_has_are_told(tmp_path: Path) -> None:
    listed = ", ".join(f"contoso{number}" for number in range(200))
    declared = ", ".join(f"a{number}: '${{{{ x }}}}'" for number in range(1000))
    text = f"parameters: {{p: [{listed}]}}\nvariables:\n  ${{{{ each x in parameters.p }}}}: {{{declared}}}\n"
    write_tree(tmp_path, {PIPELINE: f"{text}steps: [script: az acr login -n $(a1)]\n"})
    assert "read only in part" in search_code([str(tmp_path)], load_knowledge()).incomplete[0]


def test_the_cut_of_a_command_with_more_runs_than_any_system_has_is_told() -> None:
    lists = ", ".join(f"n{number}: [{', '.join(map(str, range(20)))}]" for number in range(2))
    run = "az acr login -n c${{ matrix.n0 }}${{ matrix.n1 }}"
    text = f"jobs: {{a: {{strategy: {{matrix: {{{lists}}}}}, steps: [{{run: '{run}'}}]}}}}"
    with watch_cuts() as cuts:
        found = list(yaml_scripts.read_places(text, WORKFLOW))
    assert cuts
    assert found


def _lists(number: int) -> str:
    lists = ", ".join(f"n{each}: [a, b]" for each in range(number))
    steps = ", ".join(f"{{run: 'az acr login -n ${{{{ matrix.n{each} }}}}'}}" for each in range(number))
    return f"jobs: {{a: {{strategy: {{matrix: {{{lists}}}}}, steps: [{steps}]}}}}"


def _includes(number: int) -> str:
    listed = ", ".join(f"{{n: contoso{each}}}" for each in range(200))
    steps = "\n".join("    - run: docker login ${{ matrix.n }} -u x" for _ in range(number))
    return f"jobs:\n  a:\n    strategy: {{matrix: {{include: [{listed}]}}}}\n    steps:\n{steps}"


def _environments(number: int) -> str:
    env = ", ".join(f"N{each}: ${{{{ env.N{each + 1} }}}}" for each in range(number))
    steps = "\n".join("    - {run: docker login $N0 -u x, env: {A: b}}" for _ in range(number))
    return f"env: {{{env}}}\njobs:\n  a:\n    steps:\n{steps}"


def _jobs(number: int) -> str:
    return "jobs:\n" + "".join(
        f"  j{each}: {{env: {{R: contoso}}, steps: [{{run: az acr login -n $R}}]}}\n" for each in range(number)
    )


def _conditions(number: int) -> str:
    declared = "".join(f"  ${{{{ if eq(1, {each}) }}}}: {{n{each}: contoso}}\n" for each in range(number))
    steps = "".join(f"- {{script: az acr login -n $(n{each})}}\n" for each in range(number // 10))
    return f"variables:\n{declared}steps:\n{steps}"


def _loops(number: int) -> str:
    listed = ", ".join(f"contoso{each}" for each in range(20))
    steps = "".join("- ${{ each a in parameters.p }}: [{script: echo ${{ a }}}]\n" for _ in range(number))
    return f"parameters: {{p: [{listed}]}}\nsteps:\n{steps}"


def _long_loops(number: int) -> str:
    item = ", ".join(f"k{each}: contoso" for each in range(number))
    steps = "".join("- ${{ each a in parameters.p }}: {}\n" for _ in range(number))
    return f"parameters: {{p: [{{{item}}}]}}\nsteps:\n{steps}"


def test_what_runs_cost_is_bounded_for_all_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_IN_RUNS", 10)
    text = (
        "jobs: {a: {strategy: {matrix: {n: [contoso, fabrikam]}}, steps: [{run: 'az acr login -n ${{ matrix.n }}'}]}}"
    )
    write_tree(tmp_path, {f".github/workflows/{each}.yml": f"{text}\n# {each}" for each in range(10)})
    found = search_code([str(tmp_path)], load_knowledge())
    assert found.code
    assert found.summary["readInPart"] == 10 - len({row["file"] for row in found.code}) > 0


def test_files_with_the_same_text_are_read_to_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared_values, "_MAX_FILLED_IN", 20)
    text = (
        "jobs: {a: {strategy: {matrix: {n: [contoso, fabrikam]}}, steps: [{run: 'az acr login -n ${{ matrix.n }}'}]}}"
    )
    write_tree(tmp_path, {f".github/workflows/{each}.yml": text for each in range(20)})
    found = search_code([str(tmp_path)], load_knowledge())
    assert len(found.code) == 40
    assert not found.incomplete


def test_matrices_within_each_other_cost_more() -> None:
    names = " ".join(f"$(v{each})" for each in range(30))
    text, indent = "x:\n", ""
    for each in range(60):
        indent += " "
        name = f"name: v{each % 30}"
        declared = f"['${{{{ if a }}}}': [{{{name}, value: a}}], '${{{{ else }}}}': [{{{name}, value: b}}]]"
        text += f"{indent}variables: {declared}\n{indent}x:\n"
    with watch_cuts(), pytest.raises(BeyondLimitsError):
        list(yaml_scripts.read_places(f"{text}{indent} steps:\n{indent} - script: az acr login -n {names}\n", PIPELINE))


@pytest.mark.parametrize("make", [_lists, _includes, _environments, _jobs, _conditions, _loops, _long_loops])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.stage  # takes long
def test_twice_as_much_is_at_most_twice_the_work(make: Callable[[int], str], reader: Any) -> None:
    begins = "# az acr login azurecr. Docker@2\n"
    assert_work_grows_as_size(reader, WORKFLOW, lambda number: begins + make(number), 60)
