"""Resource IDs are taken apart in one file, and it knows every kind of ID."""

import ast
from collections.abc import Iterator

import pytest

from azext_acrscope.base.resource_ids import (
    MANAGEMENT_GROUP_TYPE,
    REGISTRY_TYPE,
    RESOURCE_GROUP_TYPE,
    SUBSCRIPTION_TYPE,
    enclosing_resource,
    management_group_name,
    management_group_scope,
    name_in_id,
    parse_resource_id,
)
from tests.factories.package import PACKAGE, trees

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-apps"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/contoso"
MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/Contoso"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
ASSIGNMENT = "/providers/Microsoft.Authorization/policyAssignments/acrscope"


@pytest.mark.parametrize(
    ("text", "resource_type", "name", "parent", "scope"),
    [
        (SUBSCRIPTION, SUBSCRIPTION_TYPE, "11111111-2222-3333-4444-555555555555", "", ""),
        (GROUP, RESOURCE_GROUP_TYPE, "rg-apps", SUBSCRIPTION, ""),
        (MANAGEMENT_GROUP, MANAGEMENT_GROUP_TYPE, "Contoso", "", ""),
        (REGISTRY, REGISTRY_TYPE, "contoso", GROUP, GROUP),
        (f"{REGISTRY}/", REGISTRY_TYPE, "contoso", GROUP, GROUP),
        (f"{REGISTRY}/tasks/build", f"{REGISTRY_TYPE}/tasks", "build", REGISTRY, GROUP),
        (f"{SITE}/slots/next", "Microsoft.Web/sites/slots", "next", SITE, GROUP),
        (f"{SITE}/slots/a/config/web", "Microsoft.Web/sites/slots/config", "web", f"{SITE}/slots/a", GROUP),
        (f"{REGISTRY}{ASSIGNMENT}", "Microsoft.Authorization/policyAssignments", "acrscope", REGISTRY, REGISTRY),
        (
            f"{MANAGEMENT_GROUP}{ASSIGNMENT}",
            "Microsoft.Authorization/policyAssignments",
            "acrscope",
            MANAGEMENT_GROUP,
            MANAGEMENT_GROUP,
        ),
        (ASSIGNMENT, "Microsoft.Authorization/policyAssignments", "acrscope", "", ""),
        (f"{SUBSCRIPTION}/resources", "", "resources", SUBSCRIPTION, ""),
    ],
)
def test_every_kind_of_id_has_its_parts(text: str, resource_type: str, name: str, parent: str, scope: str) -> None:
    found = parse_resource_id(text)
    assert (found.type, found.name, found.parent, found.scope) == (resource_type, name, parent, scope)
    assert found.text == text.removesuffix("/")


def test_subscriptions_groups_and_management_groups_are_found_in_any_case_of_letters() -> None:
    found = parse_resource_id(REGISTRY.upper())
    assert (found.subscription, found.resource_group) == ("11111111-2222-3333-4444-555555555555", "RG-APPS")
    assert found.has_type(REGISTRY_TYPE)
    assert found.subscription_scope == SUBSCRIPTION
    assert parse_resource_id(f"{MANAGEMENT_GROUP}{ASSIGNMENT}".upper()).management_group == "CONTOSO"
    assert parse_resource_id(MANAGEMENT_GROUP).subscription_scope == ""


@pytest.mark.parametrize("name", ["providers", "subscriptions", "resourceGroups"])
def test_a_name_that_is_a_word_of_ids_is_a_name(name: str) -> None:
    found = parse_resource_id(f"{SUBSCRIPTION}/resourceGroups/{name}/providers/Microsoft.Web/sites/{name}")
    assert (found.resource_group, found.type, found.name) == (name, "Microsoft.Web/sites", name)


@pytest.mark.parametrize("text", ["", "contoso", "contoso.azurecr.io", "subscriptions/x/resourceGroups/y", "None"])
def test_text_that_is_no_id_has_no_part_but_a_name(text: str) -> None:
    found = parse_resource_id(text)
    assert (found.subscription, found.resource_group, found.type, found.parent, found.scope) == ("",) * 5
    assert found.text == text
    assert name_in_id("contoso") == "contoso"


@pytest.mark.parametrize("text", ["/", "//", "/subscriptions", "/subscriptions//resourceGroups//x", "/a/b/c"])
def test_broken_ids_are_taken_apart_without_an_error(text: str) -> None:
    found = parse_resource_id(text)
    assert not found.is_in_group(REGISTRY_TYPE)
    assert enclosing_resource(text, REGISTRY_TYPE) == ""


def test_only_a_resource_directly_in_a_group_is_in_a_group() -> None:
    assert parse_resource_id(REGISTRY).is_in_group(REGISTRY_TYPE)
    for other in (
        f"/providers/{REGISTRY_TYPE}/contoso",
        f"{SUBSCRIPTION}/providers/{REGISTRY_TYPE}/contoso",
        f"{SITE}/providers/{REGISTRY_TYPE}/contoso",
        f"{REGISTRY}/tasks/build",
        f"{GROUP}/providers/{REGISTRY_TYPE}",
    ):
        assert not parse_resource_id(other).is_in_group(REGISTRY_TYPE), other


def test_the_registry_that_holds_a_resource_is_found() -> None:
    for inside in ("", "/", "/tasks/build", "/repositories/team/app", ASSIGNMENT):
        assert enclosing_resource(REGISTRY + inside, REGISTRY_TYPE) == REGISTRY
    assert enclosing_resource(GROUP, REGISTRY_TYPE) == ""
    assert enclosing_resource("contoso", REGISTRY_TYPE) == ""


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (MANAGEMENT_GROUP, "contoso"),
        (MANAGEMENT_GROUP.upper() + "/", "contoso"),
        (SUBSCRIPTION, None),
        (f"{MANAGEMENT_GROUP}/x", None),
        (f"{MANAGEMENT_GROUP}{ASSIGNMENT}", None),
        ("", None),
    ],
)
def test_a_management_group_is_told_from_other_scopes(scope: str, name: str | None) -> None:
    assert management_group_name(scope) == name
    if name:
        assert management_group_scope(name) == MANAGEMENT_GROUP.lower()


# --- nobody else takes an ID apart -----------------------------------------------------------------------------------

_SPLITTERS = {"split", "rsplit", "partition", "rpartition"}
_PREFIX_TESTS = {"startswith", "endswith", "removeprefix", "removesuffix", *_SPLITTERS}
_MARKS = ("/providers/", "/subscriptions/", "/resourcegroups/")
# What is no resource ID: the host before a slash, in image references and in URLs; paths of files and of programs.
_NO_IDS = {
    "consumers/code/patterns/command_patterns.py": {"target", "word"},
    "consumers/code/readers/arm_templates.py": {"lowered", "name.lower()"},
    "consumers/code/readers/kubernetes.py": {"node.text('apiVersion')"},
    "consumers/code/readers/terraform.py": {"(plain_text(node) or '$')", "plain_text(node) or '$'"},
    "consumers/code/readers/yaml_scripts.py": {"words[0]"},
    "consumers/code/patterns/registry_names.py": {"re.sub('^[a-z]{2,10}://', '', reference.lower())"},
    "consumers/code/patterns/registry_words.py": {"re.sub('^[a-z]{2,10}:/?/?', '', reference.strip().lower())"},
    "consumers/code/languages/scripts.py": {"first", "first.lower()", "first.strip('@')"},
    "base/hosts.py": {"rest", "_without_scheme(reference)"},
    "credentials/helper/protocol.py": {"bare"},
    "consumers/site_readers.py": {"image"},
}


def _ids_taken_apart(file: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            called = node.func.attr
            argument = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            splits = called in _SPLITTERS and argument == "/"
            by_slash = splits and ast.unparse(node.func.value) not in _NO_IDS.get(file, ())
            by_mark = called in _PREFIX_TESTS and isinstance(argument, str) and argument.lower().startswith(_MARKS)
            if by_slash or by_mark:
                yield f"{file}:{node.lineno} {ast.unparse(node)}"
        literal = node.left.value if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant) else ""
        if str(literal).lower().startswith(_MARKS):
            yield f"{file}: {ast.unparse(node)}"


def test_nobody_else_takes_an_id_apart() -> None:
    found = [
        place
        for path, tree in trees().items()
        if path != PACKAGE / "base/resource_ids.py"
        for place in _ids_taken_apart(path.relative_to(PACKAGE).as_posix(), tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    ["registry_id.split('/')[2]", "i.rpartition('/')", "'/providers/x' in i", "i.startswith('/subscriptions/')"],
)
def test_code_that_takes_an_id_apart_is_found(code: str) -> None:
    assert list(_ids_taken_apart("x.py", ast.parse(code)))
