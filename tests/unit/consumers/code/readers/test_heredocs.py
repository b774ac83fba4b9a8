"""Manifests in scripts are read as files of their own are."""

import textwrap
from collections.abc import Callable

import pytest

from azext_acrscope.consumers.code.limits import watch_cuts
from azext_acrscope.consumers.code.readers import heredocs
from tests.factories.source import places_in
from tests.factories.work import assert_work_grows_as_size

CONTOSO, FABRIKAM = "contoso.azurecr.io", "fabrikam.azurecr.io"
POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: contoso.azurecr.io/web:1\n"


def _read(text: str, name: str = "deploy.sh") -> list[tuple[int, str, str | None]]:
    found = places_in(name, textwrap.dedent(text), [heredocs])
    return sorted((each.line, each.pattern, each.registry) for each in found)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl apply -f - <<EOF",
        "kubectl --context a -n b create -f- <<'EOF'",
        'kubectl replace --filename=- << "EOF"',
        "kubectl apply --filename - <<-EOF",
        "cat <<EOF | kubectl apply -f -",
        "cat <<EOF | envsubst | sudo kubectl apply -n x -f -",
        "sudo -E kubectl apply -f /dev/stdin <<EOF",
        "ssh host kubectl apply -f - <<EOF",
        "if ! kubectl apply -f - <<EOF",
        "cat > web.yaml <<EOF",
        "cat <<EOF > deploy/web.yml",
        "tee web.yaml >/dev/null <<EOF",
        "cat <<EOF | sudo tee /etc/kubernetes/manifests/web.yaml",
        "oc apply -f - <<EOF",
    ],
)
def test_manifests_are_read_with_the_lines_of_the_script(command: str) -> None:
    text = f"#!/bin/bash\nset -e\n{command}\n{POD}EOF\necho done\n"
    assert _read(text) == [(8, "cluster-image", CONTOSO)]


@pytest.mark.parametrize(
    "command",
    [
        "cat <<EOF",
        "kubectl delete -f - <<EOF",
        "kubectl apply -f web.yaml <<EOF",
        "cat <<EOF | grep image",
        "cat > README.md <<EOF",
        "echo kubectl apply -f - # <<EOF",
        "# kubectl apply -f - <<EOF",
        "cat <<EOF; kubectl apply -f -",
        "usage() { cat <<EOF",
    ],
)
def test_texts_that_nothing_applies_are_none(command: str) -> None:
    assert not _read(f"#!/bin/bash\n{command}\n{POD}EOF\n")


def test_variables_stay_unknown() -> None:
    found = _read(
        """\
        ACR=contoso
        kubectl apply -f - <<EOF
        apiVersion: v1
        kind: Pod
        spec:
          containers:
          - image: $ACR.azurecr.io/web:$TAG
          - image: ${HOST}/web:1
          - image: fabrikam.azurecr.io/side:${TAG:-1}
        EOF
        """
    )
    assert found == [(7, "cluster-image", None), (9, "cluster-image", FABRIKAM)]


def test_what_signs_in_by_itself_is_found_without_any_host() -> None:
    text = "kubectl apply -f - <<EOF\napiVersion: acrpull.microsoft.com/v1beta2\nkind: AcrPullBinding\nspec: {}\nEOF\n"
    assert _read(text) == [(2, "acr-pull-binding", None)]


def test_values_and_compose_files_are_known_by_their_names() -> None:
    found = _read(
        """\
        cat > values.yaml <<EOF
        image: {repository: contoso.azurecr.io/web}
        EOF
        helm upgrade web ./web -f - <<EOF
        image: {repository: fabrikam.azurecr.io/web}
        EOF
        cat > docker-compose.yml <<EOF
        services: {web: {image: contoso.azurecr.io/web}}
        EOF
        cat > other.yaml <<EOF
        image: {repository: contoso.azurecr.io/web}
        EOF
        """
    )
    assert found == [(2, "cluster-image", CONTOSO), (5, "cluster-image", FABRIKAM), (8, "compose-image", CONTOSO)]


def test_scripts_of_pipelines_hold_manifests_as_well() -> None:
    found = _read(
        """\
        jobs:
          deploy:
            steps:
            - run: |
                az aks get-credentials -n x
                kubectl apply -f - <<EOF
                apiVersion: v1
                kind: Pod
                spec:
                  containers:
                  - image: contoso.azurecr.io/web:${{ github.sha }}
                EOF
            - run: echo
        """,
        ".github/workflows/ci.yml",
    )
    assert found == [(11, "cluster-image", CONTOSO)]


def test_texts_for_people_are_no_scripts() -> None:
    with watch_cuts() as cuts:
        assert not _read("# azurecr.\ndescription: it's \"here <<EOF\n", "a.yml")
    assert not cuts


def test_scripts_in_scripts_hold_them_too() -> None:
    inner = textwrap.indent(f"kubectl apply -f - <<INNER\n{POD}INNER\n", "")
    assert _read(f"ssh host bash <<OUTER\n{inner}OUTER\n") == [(7, "cluster-image", CONTOSO)]


def test_a_script_without_ending_is_one_by_its_first_line() -> None:
    body = f"kubectl apply -f - <<EOF\n{POD}EOF\n"
    assert _read(f"#!/bin/sh\n{body}", "bin/deploy") == [(7, "cluster-image", CONTOSO)]
    assert not _read(f"a text\n{body}", "notes")


def test_an_error_in_a_manifest_is_told_with_the_line_of_the_script() -> None:
    with watch_cuts() as cuts:
        assert not _read(f"true\nkubectl apply -f - <<EOF\na: [\n{POD}EOF\n")
    assert [cut.line for cut in cuts] == [5]


def test_indentation_by_tabs_is_taken_away() -> None:
    pod = POD.replace("apiVersion", "\tapiVersion").replace("\nkind", "\n\tkind").replace("\nspec", "\n\tspec")
    pod = pod.replace("\n  ", "\n\t  ")
    assert _read(f"\tkubectl apply -f - <<-EOF\n{pod}\tEOF\n") == [(6, "cluster-image", CONTOSO)]


def _many(number: int) -> str:
    return f"kubectl apply -f - <<EOF\n{POD}EOF\n" * number


def _open(number: int) -> str:
    return "azurecr." + "cat <<EOF | cat |\n" * number


def _long(number: int) -> str:
    return "kubectl apply -f - <<EOF\napiVersion: v1\nkind: Pod # azurecr.\n" + "a: b\n---\n" * number + "EOF\n"


@pytest.mark.parametrize("make", [_many, _open, _long])
def test_twice_as_much_is_at_most_twice_the_work(make: Callable[[int], str]) -> None:
    assert_work_grows_as_size(heredocs, "a.sh", make, 60)
