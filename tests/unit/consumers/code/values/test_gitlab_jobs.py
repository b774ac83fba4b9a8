"""GitLab CI: scripts and images with what the jobs declare that extend a job, refer to it, or take a default."""

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from azext_acrscope.consumers.code.languages.yaml_documents import Node
from azext_acrscope.consumers.code.limits import watch_cuts
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import container_files, yaml_scripts
from azext_acrscope.consumers.code.values import gitlab_jobs
from azext_acrscope.consumers.code.values.declared_values import Values
from azext_acrscope.consumers.code.values.gitlab_jobs import GitlabJobs
from tests.factories.source import places_in
from tests.factories.work import assert_work_grows_as_size

READERS = (container_files, yaml_scripts)
FILE = ".gitlab-ci.yml"
CONTOSO, FABRIKAM, NORTHWIND = (f"{name}.azurecr.io" for name in ("contoso", "fabrikam", "northwind"))


def _read(text: str) -> list[tuple[int, str, str | None]]:
    found = {(place.line, place.pattern, place.registry or "") for place in _places(text)}
    return [(line, pattern, registry or None) for line, pattern, registry in sorted(found)]


def _places(text: str) -> set[Place]:
    return places_in(FILE, textwrap.dedent(text), READERS)


def test_a_job_runs_the_script_of_what_it_extends_with_its_own_variables() -> None:
    found = _read(
        """\
        .login:
          variables: {ACR: adatum, SERVER: $ACR.azurecr.io}
          script:
          - az acr login --name $ACR
          - docker login $SERVER -u x -p y
        .base:
          extends: .login
          variables: {ACR: contoso}
        dev:
          extends: .base
        prod:
          extends: [.other, .base]
          variables: {ACR: fabrikam}
        own:
          extends: .base
          script: [az acr login -n $ACR]
        """
    )
    assert found == [
        (4, "az-acr-login", CONTOSO),
        (4, "az-acr-login", FABRIKAM),
        (5, "docker-login", CONTOSO),
        (5, "docker-login", FABRIKAM),
        (16, "az-acr-login", CONTOSO),
    ]


def test_of_several_the_last_counts_and_hashes_are_merged_while_lists_are_replaced() -> None:
    found = _read(
        """\
        variables: {B: adatum}
        .one:
          variables: {A: contoso, B: contoso}
          before_script: [az acr login -n $A]
          script: [az acr login -n adatum]
        .two:
          variables: {B: fabrikam}
          before_script:
          - az acr login -n $A
          - az acr login -n $B
        job:
          extends: [.one, .two]
          script: [echo]
        """
    )
    # What `before_script` of .one and its script say runs nowhere in this file, so they stay as they are written.
    assert found == [
        (4, "az-acr-login", CONTOSO),
        (5, "az-acr-login", "adatum.azurecr.io"),
        (9, "az-acr-login", CONTOSO),
        (10, "az-acr-login", FABRIKAM),
    ]


def test_a_script_runs_where_it_is_referred_to() -> None:
    found = _read(
        """\
        .vars:
          variables: {ACR: contoso, NAMES: {value: fabrikam}}
        .login:
          script:
          - az acr login -n $ACR
        .all:
          before_script:
          - !reference [.login, script]
          - az acr login -n $ACR
        one:
          variables: !reference [.vars, variables]
          script:
          - !reference [.all, before_script]
        two:
          variables: {ACR: !reference [.vars, variables, NAMES]}
          script: !reference [.login, script]
        nothing:
          script: [!reference [.none, script], !reference [], !reference [.login, no]]
        """
    )
    assert found == [
        (5, "az-acr-login", CONTOSO),
        (5, "az-acr-login", FABRIKAM),
        (9, "az-acr-login", CONTOSO),
    ]
    both = _read(
        """\
        .vars: {variables: {ACR: fabrikam}}
        .login: {script: [az acr login -n $ACR]}
        one: {script: !reference [.login, script], variables: {ACR: contoso}}
        two: {script: [!reference [.login, script]], variables: {ACR: !reference [.vars, variables, ACR]}}
        """
    )
    assert both == [(2, "az-acr-login", CONTOSO), (2, "az-acr-login", FABRIKAM)]


def test_defaults_run_in_the_jobs_that_have_none_of_their_own() -> None:
    found = _read(
        """\
        variables: {ACR: adatum, HOST: northwind.azurecr.io}
        default:
          image: $HOST/tools:$TAG
          before_script: [az acr login -n $ACR]
        takes:
          variables: {ACR: contoso}
          script: [echo]
        replaces:
          variables: {ACR: fabrikam}
          before_script: []
          script: [echo]
        without:
          inherit: {default: [image], variables: [HOST]}
          variables: {HOST: adatum.azurecr.io}
          script: ["docker login $ACR.azurecr.io -u x -p y"]
        deploys:
          trigger: other
        """
    )
    assert found == [
        (3, "gitlab-image", "adatum.azurecr.io"),
        (3, "gitlab-image", NORTHWIND),
        (4, "az-acr-login", CONTOSO),
        (15, "docker-login", None),
    ]


def test_images_are_those_of_the_jobs_that_run_in_them() -> None:
    found = _read(
        """\
        .image:
          image: {name: "$HOST/build:1", entrypoint: [""]}
          services: [{name: $HOST/db:1}, "$HOST/queue:1"]
          script: [make]
        one:
          extends: .image
          variables: {HOST: contoso.azurecr.io}
        two:
          extends: .image
          image: {entrypoint: [sh]}
          services: []
          parallel: {matrix: [{HOST: [fabrikam.azurecr.io, ghcr.io]}]}
        """
    )
    assert found == [
        (2, "gitlab-image", CONTOSO),
        (2, "gitlab-image", FABRIKAM),
        (3, "gitlab-image", CONTOSO),
    ]


def test_a_matrix_and_merge_keys_give_a_script_its_values() -> None:
    found = _read(
        """\
        .login: &login
          script: [az acr login -n $ACR]
        one:
          <<: *login
          parallel:
            matrix:
            - ACR: [contoso, fabrikam]
              STAGE: [a, b, c]
        two:
          <<: *login
          variables: {ACR: northwind}
        """
    )
    assert found == [(2, "az-acr-login", host) for host in (CONTOSO, FABRIKAM, NORTHWIND)]


def test_an_alias_of_a_script_runs_in_each_job_that_has_it() -> None:
    found = _read(
        """\
        .scripts:
        - &login az acr login -n $ACR
        one: {variables: {ACR: contoso}, script: [*login]}
        two: {variables: {ACR: fabrikam}, script: [*login]}
        """
    )
    assert [each for each in found if each[2]] == [(2, "az-acr-login", CONTOSO), (2, "az-acr-login", FABRIKAM)]


def test_a_script_runs_in_the_version_of_the_job_that_extends_it() -> None:
    found = _places(
        """\
        variables: {CLI: 2.39.0}
        .login: {script: [az acr login -n contoso]}
        old: {extends: .login, image: "mcr.microsoft.com/azure-cli:$CLI"}
        new: {extends: .login, image: "mcr.microsoft.com/azure-cli:2.90.0"}
        """
    )
    assert {place.version for place in found} == {"2.39.0", "2.90.0"}


def test_a_job_whose_value_comes_from_elsewhere_is_found_beside_those_that_are_named() -> None:
    found = _places(
        """\
        .login: {script: [az acr login -n $ACR]}
        known: {extends: .login, variables: {ACR: contoso}}
        of_the_project: {extends: .login}
        """
    )
    assert {(place.registry, place.is_one_of_several) for place in found} == {(CONTOSO, False), (None, True)}
    found = _places(
        """\
        .login: {script: [az acr login -n $ACR]}
        known: {extends: .login, variables: {ACR: contoso}, image: "mcr.microsoft.com/azure-cli:2.50.0"}
        of_the_project: {extends: .login, image: "mcr.microsoft.com/azure-cli:2.90.0"}
        """
    )
    assert {(place.registry, place.is_one_of_several) for place in found} == {(CONTOSO, False), (None, True)}


@pytest.mark.parametrize(
    "jobs",
    [
        "a: {extends: a, script: [az acr login -n $R], variables: {R: contoso}}",
        "a: {extends: b, script: [az acr login -n $R]}\nb: {extends: [a, none], variables: {R: contoso}}",
        "a: {extends: {b: c}, script: [az acr login -n $R], variables: {R: $S, S: contoso, T: $T}}",
        "a: {script: !reference [a, script], after_script: [!reference [a, after_script], az acr login -n contoso]}",
        "a: &a {<<: *a, extends: a, script: [az acr login -n contoso]}",
        "a: {variables: {R: $S, S: $R}, script: ['az acr login -n contoso; az acr login -n $R']}",
        "a: {variables: !reference [a, variables], script: [az acr login -n contoso]}",
        "a: {image: [x], parallel: {matrix: [[x], y, {R: {z: [contoso]}}]}, script: az acr login -n contoso}",
        "a: {extends: [], variables: [], script: [[az acr login -n contoso]], before_script: {x: y}}",
    ],
)
def test_circles_and_what_gitlab_refuses_end_well(jobs: str) -> None:
    assert (1, "az-acr-login", CONTOSO) in _read(jobs)


def test_a_matrix_of_too_many_images_is_no_matter_of_scripts() -> None:
    images = ", ".join(f"'{number}'" for number in range(300))
    text = f"a: {{parallel: {{matrix: [{{I: [{images}]}}]}}, image: $I, script: [az acr login -n contoso]}}\n"
    assert {place.registry for place in yaml_scripts.read_places(text, FILE)} == {CONTOSO}


def test_inputs_of_the_header_have_their_defaults() -> None:
    found = _read(
        """\
        spec:
          inputs:
            acr: {default: contoso}
            host: {default: fabrikam.azurecr.io}
            open: {}
        ---
        variables: {SERVER: "$[[ inputs.host ]]"}
        login:
          image: $[[ inputs.host | expand_vars ]]/tools
          script:
          - az acr login -n $[[ inputs.acr ]]
          - docker login $SERVER -u x -p y
          - az acr login -n $[[inputs.open]]
          - az acr login -n $[[ inputs.acr | truncate(1,2) ]]
          - az acr login -n $[[ acr ]]
        ---
        other: {script: ["az acr login -n $[[ inputs.acr ]]"]}
        """
    )
    assert found == [
        (9, "gitlab-image", FABRIKAM),
        (11, "az-acr-login", CONTOSO),
        (12, "docker-login", FABRIKAM),
        (13, "az-acr-login", None),
        (14, "az-acr-login", None),
        (15, "az-acr-login", None),
        (17, "az-acr-login", None),
    ]


def test_a_header_is_only_what_has_nothing_else() -> None:
    text = """\
        spec: {inputs: {acr: {default: contoso}}}
        kind: x
        ---
        a: {script: ["az acr login -n $[[ inputs.acr ]]"]}
    """
    assert _read(text) == [(4, "az-acr-login", None)]


def test_a_job_signs_in_with_the_variables_of_each_rule_that_lets_it_run() -> None:
    found = _read(
        """\
        .rules:
          rules:
          - {if: $A, variables: {ACR: contoso, HOST: contoso.azurecr.io}}
          - {if: $B, variables: {ACR: adatum}, when: never}
        one:
          variables: {ACR: northwind, STAGE: a}
          rules:
          - !reference [.rules, rules]
          - {if: $C, variables: {ACR: fabrikam}}
          - when: on_success
          script:
          - az acr login -n $ACR
          - docker login $HOST -u $ACR -p y
          - docker login $STAGE -u x -p y
        two:
          rules:
          - {variables: {ACR: contoso, HOST: contoso.azurecr.io}}
          - {variables: {ACR: b, HOST: fabrikam.azurecr.io}}
          image: $HOST/x
          script: [docker login $HOST -u $ACR -p y]
        three:
          rules: [{if: $A, variables: {ACR: contoso}}]
          script: [az acr login -n $ACR]
        """
    )
    assert found == [
        *((12, "az-acr-login", host) for host in (CONTOSO, FABRIKAM, NORTHWIND)),
        (13, "docker-login", CONTOSO),
        (19, "gitlab-image", CONTOSO),
        (19, "gitlab-image", FABRIKAM),
        (20, "docker-login", CONTOSO),
        (20, "docker-login", FABRIKAM),
        (23, "az-acr-login", CONTOSO),
    ]


def test_variables_of_the_rules_of_a_workflow_count_less_than_those_of_a_job() -> None:
    found = _read(
        """\
        variables: {ACR: northwind}
        workflow:
          rules:
          - {if: $A, variables: {ACR: contoso}}
          - {if: $B, variables: {OTHER: fabrikam}}
          - {if: $C, variables: {ACR: adatum}, when: never}
        global:
          script: [az acr login -n $ACR]
        own:
          variables: {ACR: fabrikam}
          script: [az acr login -n $ACR]
        both:
          parallel: {matrix: [{CLOUD: [io, cn]}]}
          rules: [{variables: {HOST: $ACR.azurecr.$CLOUD}}]
          script: [docker login $HOST -u x -p y]
        """
    )
    assert found == [
        (8, "az-acr-login", CONTOSO),
        (8, "az-acr-login", NORTHWIND),
        (11, "az-acr-login", FABRIKAM),
        *(
            (15, "docker-login", f"{name}.azurecr.{cloud}")
            for name in ("contoso", "northwind")
            for cloud in ("cn", "io")
        ),
    ]


def test_more_rules_than_any_job_has_are_told() -> None:
    rules = ", ".join("{if: $A, variables: {ACR: contoso}}" for _ in range(300))
    with watch_cuts() as cuts:
        found = _read(f"a:\n  rules: [{rules}]\n  script: [az acr login -n $ACR]\n")
    assert [cut.line for cut in cuts] == [2]
    assert found == [(3, "az-acr-login", CONTOSO)]


def test_an_unknown_job_leaves_the_registry_open() -> None:
    found = _read("a: {extends: .of_another_file, script: [az acr login -n $ACR]}\n")
    assert found == [(1, "az-acr-login", None)]


def test_a_script_of_very_many_jobs_is_read_as_it_is_written_and_that_is_told() -> None:
    jobs = "".join(f"j{number}: {{extends: .a, variables: {{ACR: contoso{number}}}}}\n" for number in range(300))
    with watch_cuts() as cuts:
        found = _read(f".a: {{script: ['az acr login -n $ACR', 'az acr login -n fabrikam']}}\n{jobs}")
    assert [cut.line for cut in cuts] == [1]
    assert found == [(1, "az-acr-login", None), (1, "az-acr-login", FABRIKAM)]


def test_the_jobs_of_a_file_are_put_together_once_for_all_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def make(root: Node, values: Values) -> GitlabJobs:
        made.append(root)
        return GitlabJobs(root, values)

    monkeypatch.setattr(gitlab_jobs, "GitlabJobs", make)
    found = _read("a: {variables: {R: contoso}, image: $R.azurecr.io/a, script: [az acr login -n $R]}\n")
    assert found == [(1, "az-acr-login", CONTOSO), (1, "gitlab-image", CONTOSO)]
    assert len(made) == 1


def _chain(number: int) -> str:
    return ".j0: {variables: {R: contoso}}\n" + "".join(
        f".j{each}: {{extends: .j{each - 1}, script: ['az acr login -n $R']}}\n" for each in range(1, number)
    )


def _diamond(number: int) -> str:
    return ".j0: {variables: {R: contoso}}\n" + "".join(
        f".j{each}: {{extends: [.j{each - 1}, .j{each - 1}], script: [az acr login -n $R]}}\n"
        for each in range(1, number)
    )


def _lines_of_jobs(number: int) -> str:
    script = "\n  - az acr login -n $R" * number
    jobs = "".join(f"j{each}: {{extends: .j, variables: {{R: contoso{each}}}}}\n" for each in range(4))
    return f".j:\n  script:{script}\n{jobs}"


def _jobs_of_lines(number: int) -> str:
    script = "\n  - az acr login -n $R" * 4  # fewer places than are counted, for twice as many jobs, too
    jobs = "".join(f"j{each}: {{extends: .j, variables: {{R: contoso{each}}}}}\n" for each in range(number))
    return f".j:\n  script:{script}\n{jobs}"


def _references(number: int) -> str:
    jobs = "".join(
        f"j{each}:\n  variables: {{R: contoso}}\n"
        f"  script: [!reference [j{each - 1}, script], !reference [.j0, script]]\n"
        for each in range(1, number)
    )
    return f".j0: {{script: [az acr login -n $R]}}\n{jobs}"


def _parents(number: int) -> str:
    names = ", ".join(f".p{each}" for each in range(number // 2))
    parents = "".join(f".p{each}: {{variables: {{R{each}: contoso}}}}\n" for each in range(number // 2))
    jobs = "".join(f"j{each}: {{extends: .all, script: [az acr login -n $R1]}}\n" for each in range(number))
    return f"{parents}.all: {{extends: [{names}]}}\n{jobs}"


def _variables(number: int) -> str:
    listed = ", ".join(f"R{each}: $R{each + 1}" for each in range(number))
    return f"variables: {{{listed}}}\na:\n  script:\n" + "  - docker login $R0 -u x\n" * number


def _rules(number: int) -> str:
    rules = ", ".join(f"{{variables: {{R{each}: contoso}}}}" for each in range(50))
    jobs = "".join(
        f"j{each}: {{variables: {{R{each}: x}}, rules: [{{variables: {{S: $R1}}}}], script: [docker login $S -u x]}}\n"
        for each in range(number)
    )
    return f"workflow: {{rules: [{rules}]}}\n{jobs}"


def _referred_rules(number: int) -> str:
    rules = "[!reference [j{before}, rules], {{variables: {{R: x}}}}]"
    job = "j{each}: {{rules: {rules}, script: [docker login $R -u x]}}\n"
    return "".join(job.format(each=each, rules=rules.format(before=each - 1)) for each in range(number))


@pytest.mark.parametrize("behind", ["", "---\nspec: {inputs: {}}\n"])
def test_what_looks_as_a_header_and_is_none_is_read(behind: str) -> None:
    assert _read(f"spec:\n  inputs: {{}}\n  steps: [{{script: az acr login -n contoso}}]\n{behind}")


def _same_rules(number: int) -> str:
    listed = "".join(f"      R{each}: contoso\n" for each in range(number))
    jobs = "".join(f"j{each}: {{rules: !reference [.r, rules]}}\n" for each in range(number))
    return f".r:\n  rules:\n  - variables:\n{listed}{jobs}z: {{script: az acr login -n $R1}}\n"


def _same_variables(number: int) -> str:
    listed = "".join(f"    R{each}: contoso\n" for each in range(number))
    jobs = "".join(f"j{each}: {{variables: !reference [.r, variables]}}\n" for each in range(number))
    return f".r:\n  variables:\n{listed}{jobs}z: {{script: az acr login -n $R1}}\n"


def _inherited(number: int) -> str:
    listed = "".join(f"  R{each}: contoso\n" for each in range(number))
    jobs = "".join(f"j{each}: {{inherit: {{variables: [R1]}}}}\n" for each in range(number))
    return f"variables:\n{listed}{jobs}z: {{script: az acr login -n $R1}}\n"


@pytest.mark.parametrize("rules", ["[!reference [.r, rules]]", "[{variables: {S: x}}, !reference [.r, rules]]"])
def test_more_variables_of_rules_than_are_kept_are_told(rules: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitlab_jobs, "_MAX_DECLARED", 3)
    text = ".r: {rules: [{variables: {R: contoso, S: y}}]}\n"
    text += "".join(f"j{each}: {{rules: {rules}, script: [az acr login -n $R]}}\n" for each in range(2))
    with watch_cuts() as cuts:
        found = {place.registry for place in yaml_scripts.read_places(text, FILE)}
    assert cuts
    assert found


MAKERS = [_chain, _diamond, _lines_of_jobs, _jobs_of_lines, _references, _parents, _variables, _rules, _referred_rules]
MAKERS += [_same_rules, _same_variables, _inherited]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("reader", [yaml_scripts, container_files])
@pytest.mark.stage  # takes long
def test_twice_as_many_jobs_are_at_most_twice_the_work(make: Callable[[int], str], reader: Any) -> None:
    assert_work_grows_as_size(reader, FILE, lambda number: f"# az acr login azurecr.\n{make(number)}", 120)
