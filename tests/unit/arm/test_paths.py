"""Nothing from outside becomes a segment of an ARM path unless it is a valid name of its kind."""

import pytest
from azure.cli.core.azclierror import InvalidArgumentValueError

from azext_acrscope.arm.paths import ArmPath, arm_path, check_resource_id, encode_path
from azext_acrscope.base.resource_ids import is_arm_name

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SITE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Web/sites/shop"
# What a path would fold, cut or decode; the last three look like dots and slashes and are none.
EVIL = [
    *(".", "..", "...", "a/../b", "rg/../..", "%2e%2e", "a%2fb", "", " ", "a b", "rg?x=1", "rg#x", "rg\\..", "rg."),
    *("rg\n", "\r\nx", "rg\x00", "rg\x1b[31m", "\uff0e\uff0e", "\u2025", "a\uff0fb"),
]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("kind", ["subscription", "group", "management_group", "registry"])
def test_what_is_no_name_of_its_kind_makes_no_path(kind: str, name: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        arm_path(f"/x/{{{kind}}}", **{kind: name})


@pytest.mark.parametrize("name", EVIL)
def test_an_id_with_such_a_segment_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        check_resource_id(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}/providers/Microsoft.Web/sites/shop")


@pytest.mark.parametrize("name", [".", "..", "a/../b", "%2e%2e", "", " ", "shop?x", "shop\n", "shop\\x", "shop\x7f"])
def test_an_id_with_such_a_name_at_its_end_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        check_resource_id(SITE.replace("shop", name), "Microsoft.Web/sites")


@pytest.mark.parametrize("text", [None, 5, {}, "shop", "https://management.azure.com/x", "subscriptions/x"])
def test_what_is_no_text_or_no_id_is_refused(text: object) -> None:
    with pytest.raises(InvalidArgumentValueError):
        check_resource_id(text)


def test_an_id_of_another_type_is_refused() -> None:
    assert check_resource_id(SITE, "microsoft.web/Sites") == SITE
    with pytest.raises(InvalidArgumentValueError):
        check_resource_id(SITE, "Microsoft.OperationalInsights/workspaces")


def test_groups_may_have_letters_of_any_alphabet_and_are_sent_percent_encoded() -> None:
    path = arm_path(GROUP, subscription=SUBSCRIPTION, group="rg-größe_(1)")
    assert encode_path(path) == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-gr%C3%B6%C3%9Fe_(1)"


def test_an_assignments_number_sign_does_not_cut_the_path() -> None:
    path = arm_path("/x/{assignment}", assignment="team #1")
    assert encode_path(path) == "/x/team%20%231"


@pytest.mark.parametrize("name", ["mg-1", "11111111-2222-3333-4444-555555555555", "Platform(West).1", "a"])
def test_management_groups_have_the_names_that_azure_allows(name: str) -> None:
    assert is_arm_name("management_group", name)


def test_only_checked_text_stands_for_a_scope_or_is_sent() -> None:
    with pytest.raises(TypeError):
        arm_path("{scope}/x", scope="/subscriptions/..")
    with pytest.raises(TypeError):
        encode_path("/subscriptions/..")  # type: ignore[arg-type]
    assert arm_path("{scope}/x", scope=check_resource_id("/a")) == ArmPath("/a/x")
