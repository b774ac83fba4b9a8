"""Workflows, actions and templates are read with the values that the files of the same tree give them."""

import textwrap
from pathlib import Path

import pytest

from azext_acrscope.consumers.code import called_files, scan
from azext_acrscope.consumers.code.scan import SourceFindings, search_code
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import write_tree

CONTOSO, FABRIKAM, NORTHWIND = (f"{name}.azurecr.io" for name in ("contoso", "fabrikam", "northwind"))
WORKFLOWS = ".github/workflows"
LOGIN = "jobs: {a: {steps: [{run: 'az acr login -n ${{ inputs.acr }}'}]}}\n"
CALLEE = "on: {workflow_call: {inputs: {acr: {type: string}, cli: {type: string}}}}\n"
ACTION = "inputs: {acr: {default: northwind}}\nruns: {steps: [{run: 'az acr login -n ${{ inputs.acr }}'}]}\n"
Row = tuple[str, int, str | None]


def search(folder: Path, files: dict[str, str]) -> SourceFindings:
    write_tree(folder, {name: textwrap.dedent(text) for name, text in files.items()})
    return search_code([str(folder)], load_knowledge())


def rows(found: SourceFindings) -> set[Row]:
    return {(row["file"], row["line"], row["registry"]) for row in found.code}


def call(target: str, **given: str) -> str:
    values = ", ".join(f'{name}: "{value}"' for name, value in given.items())
    return f"uses: {target}\n    with: {{{values}}}\n"


def caller(*calls: str) -> str:
    return "on: push\njobs:\n" + "".join(f"  j{number}:\n    {each}" for number, each in enumerate(calls))


def step(target: str, **given: str) -> str:
    values = ", ".join(f'{name}: "{value}"' for name, value in given.items())
    return f"steps:\n    - uses: {target}\n      with: {{{values}}}\n"


# --- GitHub ----------------------------------------------------------------------------------------------------------


def test_a_workflow_signs_in_to_the_registry_of_each_of_its_callers(tmp_path: Path) -> None:
    target = f"./{WORKFLOWS}/login.yml"
    found = search(
        tmp_path,
        {
            f"{WORKFLOWS}/a.yml": caller(call(target, acr="contoso")),
            f"{WORKFLOWS}/login.yml": CALLEE + LOGIN,
            f"{WORKFLOWS}/z.yml": caller(call(target, acr="fabrikam"), call(target, acr="contoso")),
        },
    )
    assert rows(found) == {(f"{WORKFLOWS}/login.yml", 2, CONTOSO), (f"{WORKFLOWS}/login.yml", 2, FABRIKAM)}
    assert not found.incomplete


def test_a_caller_that_does_not_say_which_leaves_it_open_beside_those_that_do(tmp_path: Path) -> None:
    target = f"./{WORKFLOWS}/login.yml"
    default = "on: {workflow_call: {inputs: {acr: {default: northwind}}}}\n"
    files = {
        f"{WORKFLOWS}/login.yml": default + LOGIN,
        f"{WORKFLOWS}/a.yml": caller(call(target, acr="${{ vars.ACR_NAME }}"), call(target, acr="contoso")),
    }
    assert rows(search(tmp_path / "open", files)) == {
        (f"{WORKFLOWS}/login.yml", 2, CONTOSO),
        (f"{WORKFLOWS}/login.yml", 2, None),
    }
    files[f"{WORKFLOWS}/a.yml"] = caller(call(target, acr="${{ inputs.acr }}"))
    assert rows(search(tmp_path / "named alike", files)) == {(f"{WORKFLOWS}/login.yml", 2, None)}
    files[f"{WORKFLOWS}/a.yml"] = caller(call(target, other="contoso"))
    assert rows(search(tmp_path / "default", files)) == {(f"{WORKFLOWS}/login.yml", 2, NORTHWIND)}


def test_names_of_the_caller_say_nothing_in_what_it_calls(tmp_path: Path) -> None:
    found = search(
        tmp_path,
        {
            f"{WORKFLOWS}/a.yml": caller(call(f"./{WORKFLOWS}/login.yml", acr="${{ env.R }}")),
            f"{WORKFLOWS}/login.yml": f"env: {{R: contoso}}\n{CALLEE}{LOGIN}",
        },
    )
    assert rows(found) == {(f"{WORKFLOWS}/login.yml", 3, None)}


def test_who_runs_a_workflow_by_hand_has_its_defaults(tmp_path: Path) -> None:
    triggers = "{workflow_call: {inputs: {acr: {}}}, workflow_dispatch: {inputs: {acr: {default: northwind}}}}"
    files = {
        f"{WORKFLOWS}/a.yml": caller(call(f"./{WORKFLOWS}/login.yml", acr="contoso")),
        f"{WORKFLOWS}/login.yml": f"on: {triggers}\n{LOGIN}",
    }
    assert {registry for _, _, registry in rows(search(tmp_path, files))} == {CONTOSO, NORTHWIND}


def test_an_action_has_the_values_of_the_matrix_of_its_caller(tmp_path: Path) -> None:
    found = search(
        tmp_path,
        {
            f"{WORKFLOWS}/a.yml": """\
                env: {HOST: northwind.azurecr.io}
                jobs:
                  a:
                    strategy: {matrix: {acr: [contoso, fabrikam]}}
                    steps:
                    - uses: ./actions/login/
                      with: {acr: "${{ matrix.acr }}", host: "${{ env.HOST }}"}
                """,
            "actions/login/action.yaml": """\
                inputs: {acr: {default: adatum}, host: {}}
                runs:
                  using: composite
                  steps:
                  - run: az acr login -n ${{ inputs.acr }}
                  - uses: docker/login-action@v3
                    with: {registry: "${{ inputs.host }}", username: x}
                """,
        },
    )
    file = "actions/login/action.yaml"
    assert rows(found) == {(file, 5, CONTOSO), (file, 5, FABRIKAM), (file, 6, NORTHWIND)}


def test_values_reach_what_a_called_action_calls(tmp_path: Path) -> None:
    inner = "inputs: {to: {default: adatum}}\nruns: {steps: [{run: 'az acr login -n ${{ inputs.to }}'}]}\n"
    outer = 'inputs: {acr: {}}\nruns:\n  steps:\n  - uses: ./x/inner\n    with: {to: "${{ inputs.acr }}"}\n'
    files = {
        "team/.github/workflows/a.yml": caller(step("./x/outer", acr="contoso"), step("./x/outer", acr="fabrikam")),
        "team/x/outer/action.yml": outer,
        "team/x/inner/action.yml": inner,
    }
    file = "team/x/inner/action.yml"
    assert rows(search(tmp_path, files)) == {(file, 2, CONTOSO), (file, 2, FABRIKAM)}


def test_the_version_of_the_client_may_be_the_callers(tmp_path: Path) -> None:
    callee = f"""\
        {CALLEE}\
        jobs:
          a:
            steps:
            - uses: azure/cli@v2
              with: {{azcliversion: "${{{{ inputs.cli }}}}", inlineScript: az acr login -n contoso}}
          b:
            container: mcr.microsoft.com/azure-cli:${{{{ inputs.cli }}}}
            steps: [run: az acr login -n contoso]
          c:
            steps:
            - run: pip install azure-cli==${{{{ inputs.cli }}}}
            - run: az acr login -n contoso
        """
    target = f"./{WORKFLOWS}/login.yml"
    files = {f"{WORKFLOWS}/login.yml": callee, f"{WORKFLOWS}/a.yml": caller(call(target, cli="2.39.0"))}
    assert [row["verdict"] for row in search(tmp_path / "old", files).code] == ["breaks"] * 3
    files[f"{WORKFLOWS}/a.yml"] = caller(call(target, cli="2.90.0"))
    assert [row["verdict"] for row in search(tmp_path / "new", files).code] == ["works"] * 3
    files[f"{WORKFLOWS}/a.yml"] = caller(call(target, cli="${{ vars.CLI }}"))
    assert [row["verdict"] for row in search(tmp_path / "open", files).code] == ["unknown"] * 3


@pytest.mark.parametrize("uses", ["uses:   ./x", '"uses": "./x"', "uses: './x'"])
def test_calls_are_known_however_they_are_written(tmp_path: Path, uses: str) -> None:
    text = caller(step("./x", acr="contoso")).replace("uses: ./x", uses)
    assert rows(search(tmp_path, {f"{WORKFLOWS}/a.yml": text, "x/action.yml": ACTION})) == {
        ("x/action.yml", 2, CONTOSO)
    }


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("x/action.yml", "contoso/actions/x@v1"),
        ("x/action.yml", "./y"),
        ("x/action.yml", "./../x"),
        ("x/action.yml", "x"),
        ("x/other.yml", "./x"),
        ("x/action.yml", "${{ './x' }}"),
    ],
)
def test_calls_of_something_else_say_nothing(tmp_path: Path, name: str, target: str) -> None:
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(step(target, acr="contoso")), name: ACTION})
    assert rows(found) == {(name, 2, NORTHWIND)}


def test_what_nobody_calls_has_its_defaults(tmp_path: Path) -> None:
    assert rows(search(tmp_path, {"action.yml": ACTION})) == {("action.yml", 2, NORTHWIND)}


# --- GitLab ----------------------------------------------------------------------------------------------------------


def test_a_file_that_others_include_has_the_inputs_that_they_give(tmp_path: Path) -> None:
    found = search(
        tmp_path,
        {
            ".gitlab-ci.yml": """\
                variables: {R: fabrikam}
                include:
                - {local: /ci/login.yml, inputs: {acr: contoso}}
                - {local: ci/login.yml, inputs: {acr: $R}}
                - {project: contoso/ci, file: /ci/login.yml, inputs: {acr: adatum}}
                """,
            "ci/login.yml": """\
                spec: {inputs: {acr: {default: northwind}}}
                ---
                login:
                  script:
                  - az acr login -n $[[ inputs.acr ]]
                """,
        },
    )
    assert rows(found) == {("ci/login.yml", 5, CONTOSO), ("ci/login.yml", 5, FABRIKAM)}


INCLUDED = "spec: {inputs: {acr: {default: northwind}}}\n---\nlogin: {script: 'az acr login -n $[[ inputs.acr ]]'}\n"


@pytest.mark.parametrize("include", ["login.yml", "[/login.yml]", "[{local: login.yml}]", '[{"local": login.yml}]'])
def test_who_includes_a_file_without_inputs_has_its_defaults(tmp_path: Path, include: str) -> None:
    given = "include: [{local: login.yml, inputs: {acr: contoso}}]\n"
    found = search(tmp_path, {"login.yml": INCLUDED, "a.yml": f"include: {include}\n", "b.yml": given})
    assert rows(found) == {("login.yml", 3, CONTOSO), ("login.yml", 3, NORTHWIND)}


@pytest.mark.parametrize("include", ["https://contoso.com/login.yml", "other.yml", "login.md", "$FILE.yml", "{a: b}"])
def test_what_is_included_from_elsewhere_says_nothing(tmp_path: Path, include: str) -> None:
    given = "include: [{local: login.yml, inputs: {acr: contoso}}]\n"
    found = search(tmp_path, {"login.yml": INCLUDED, "a.yml": f"include: {include}\n", "b.yml": given})
    assert rows(found) == {("login.yml", 3, CONTOSO)}


def test_the_file_that_gitlab_begins_with_has_its_defaults(tmp_path: Path) -> None:
    given = "a: {trigger: {include: [{local: .gitlab-ci.yml, inputs: {acr: contoso}}]}}\n"
    found = search(tmp_path, {".gitlab-ci.yml": INCLUDED, "a.yml": given})
    assert rows(found) == {(".gitlab-ci.yml", 3, CONTOSO), (".gitlab-ci.yml", 3, NORTHWIND)}


# --- Azure Pipelines -------------------------------------------------------------------------------------------------


def test_a_template_has_the_parameters_that_pipelines_give(tmp_path: Path) -> None:
    template = (
        "parameters: [{name: acr, default: adatum}]\nsteps: [{script: 'az acr login -n ${{ parameters.acr }}'}]\n"
    )
    found = search(
        tmp_path,
        {
            "ci/main.yml": """\
                variables: {acr: fabrikam}
                steps:
                - template: steps/login.yml
                  parameters:
                    ${{ if eq(1, 1) }}: {acr: contoso}
                    ${{ else }}: {acr: northwind}
                - template: /ci/steps/login.yml@self
                  parameters: {acr: $(acr)}
                - template: steps/login.yml@other
                  parameters: {acr: elsewhere}
                """,
            "ci/steps/login.yml": template,
            "ci/extends.yml": "extends:\n  template: other.yml\n  parameters: {acr: contoso}\n",
            "ci/other.yml": template,
        },
    )
    login = {("ci/steps/login.yml", 2, host) for host in (CONTOSO, FABRIKAM, NORTHWIND)}
    assert rows(found) == {*login, ("ci/other.yml", 2, CONTOSO)}


@pytest.mark.parametrize("trigger", ["trigger: none", "pr: [main]", "schedules: [{cron: 0 0 * * *}]"])
def test_a_pipeline_that_is_a_template_too_has_its_defaults(tmp_path: Path, trigger: str) -> None:
    text = f"{trigger}\nparameters: {{acr: adatum}}\nsteps: [{{script: 'az acr login -n ${{{{ parameters.acr }}}}'}}]\n"
    call_it = "steps:\n-   template: main.yml\n    parameters: {acr: contoso}\n"
    found = search(tmp_path, {"main.yml": text, "a.yml": call_it})
    assert rows(found) == {("main.yml", 3, CONTOSO), ("main.yml", 3, "adatum.azurecr.io")}


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_circles_end_well(tmp_path: Path) -> None:
    text = ACTION.replace("steps: [", "steps: [{uses: ./a, with: {acr: '${{ inputs.acr }}'}}, {uses: ./b}, ")
    found = search(tmp_path, {"a/action.yml": text, "b/action.yml": text})
    assert {(file, registry) for file, _, registry in rows(found)} >= {("b/action.yml", NORTHWIND)}


@pytest.mark.parametrize("called", ["a", "z"])
def test_values_reach_what_a_circle_calls(tmp_path: Path, called: str) -> None:
    one = "inputs: {acr: {}}\nruns:\n  steps:\n"
    given = "    with: {acr: '${{ inputs.acr }}'}\n"
    found = search(
        tmp_path,
        {
            f"{WORKFLOWS}/w.yml": caller(step("./m", acr="contoso")),
            "m/action.yml": f"{one}  - uses: ./n\n{given}  - uses: ./{called}\n{given}",
            "n/action.yml": f"{one}  - uses: ./m\n    with: {{acr: fabrikam}}\n",
            f"{called}/action.yml": ACTION,
        },
    )
    assert (f"{called}/action.yml", 2, CONTOSO) in rows(found)
    assert "n/action.yml" in found.incomplete[0]  # what it gives came too late


def test_both_files_of_an_action_are_read(tmp_path: Path) -> None:
    files = {f"x/action.{ending}": ACTION for ending in ("yml", "yaml")}
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(step("./x", acr="contoso")), **files})
    assert rows(found) == {("x/action.yml", 2, CONTOSO), ("x/action.yaml", 2, NORTHWIND)}


def test_a_template_may_be_named_as_an_action(tmp_path: Path) -> None:
    template = "parameters: {acr: adatum}\nsteps: [{script: 'az acr login -n ${{ parameters.acr }}'}]\n"
    call_it = "steps:\n- template: x/action.yml\n  parameters: {acr: contoso}\n"
    found = search(tmp_path, {"main.yml": call_it, "x/action.yml": template})
    assert rows(found) == {("x/action.yml", 2, CONTOSO)}


def test_files_are_looked_for_a_bounded_number_of_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(called_files, "_MAX_TARGETS", 0)
    outer = 'inputs: {acr: {}}\nruns:\n  steps:\n  - uses: ./z\n    with: {acr: "${{ inputs.acr }}"}\n'
    files = {f"{name}/action.yml": outer.replace("./z", f"./{to}") for name, to in ("yx", "xy")}
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(step("./x", acr="contoso")), **files})
    assert "action.yml" in found.incomplete[0]


def test_a_call_that_cannot_be_read_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_text: str) -> None:
        raise RecursionError

    monkeypatch.setattr("azext_acrscope.consumers.code.values.local_calls.read_calls", fail)
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(step("./x", acr="contoso")), "x/action.yml": ACTION})
    assert rows(found) == {("x/action.yml", 2, NORTHWIND)}
    assert f"{WORKFLOWS}/a.yml" in found.incomplete[0]


def test_what_is_called_is_not_read_where_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_ROWS", 1)
    found = search(tmp_path, {f"{number}/action.yml": ACTION for number in range(5)})
    assert len(found.code) == 1
    assert found.incomplete


def test_more_callers_than_are_counted_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(called_files, "_MAX_GIVEN", 2)
    calls = [step("./x", acr=f"contoso{number}") for number in range(3)]
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(*calls), "x/action.yml": ACTION})
    assert {registry for _, _, registry in rows(found)} == {"contoso0.azurecr.io", "contoso1.azurecr.io"}
    assert "x/action.yml" in found.incomplete[0]


@pytest.mark.parametrize(
    ("bound", "named"),
    [("_MAX_HELD", "x/action.yml"), ("_MAX_CALLS", f"{WORKFLOWS}/a.yml"), ("_MAX_VALUES", f"{WORKFLOWS}/a.yml")],
)
def test_what_is_not_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, named: str) -> None:
    monkeypatch.setattr(called_files, bound, 0)
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(step("./x", acr="contoso")), "x/action.yml": ACTION})
    assert rows(found) == {("x/action.yml", 2, NORTHWIND)}
    assert named in found.incomplete[0]


def test_files_that_are_called_too_often_are_read_with_their_defaults_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(called_files, "_MAX_READ_AGAIN", 10)
    calls = [step("./x", acr="contoso"), step("./x", acr="fabrikam")]
    found = search(tmp_path, {f"{WORKFLOWS}/a.yml": caller(*calls), "x/action.yml": ACTION})
    assert rows(found) == {("x/action.yml", 2, NORTHWIND)}
    assert "x/action.yml" in found.incomplete[0]
