"""Which subscriptions are below a management group: those whose IDs say so, whatever they are called. And refusals."""

from typing import Any, cast

import pytest

from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.fleet import scope

ID = "11111111-2222-3333-4444-555555555555"
SUBSCRIPTION = {"id": f"/subscriptions/{ID}", "name": ID, "properties": {"displayName": "Apps"}}
GROUP = {"id": "/providers/Microsoft.Management/managementGroups/below", "properties": {"displayName": "Below"}}


class _Arm:
    def __init__(self, *items: Any) -> None:
        self._items = list(items)

    def pages(self, _path: str, _version: str) -> list[Any]:
        return self._items


def below(*items: Any) -> tuple[dict[str, str], int]:
    found, unread = scope.list_subscriptions_below(cast(ArmClient, _Arm(*items)), "mg")
    return found, len(unread)


@pytest.mark.parametrize("odd", [{}, {"name": "text"}, {"name": None}, {"type": 5}, {"name": "other", "type": "text"}])
def test_the_id_of_an_item_decides_what_it_is(odd: dict[str, Any]) -> None:
    assert below({**SUBSCRIPTION, **odd}, {**GROUP, **odd}) == ({ID: "Apps"}, 0)


@pytest.mark.parametrize("odd", [{"id": "text"}, {"id": None}, {"id": "/subscriptions/.."}, {"properties": []}])
def test_an_item_that_cannot_be_read_is_said(odd: dict[str, Any]) -> None:
    named = {"name": ID, "type": "/subscriptions"}
    assert below({**SUBSCRIPTION, **named, **odd}, GROUP) == ({}, 1)


@pytest.mark.parametrize(
    ("status", "reasons", "told"),
    [
        (400, ("ManagementGroupsContainInvalidIds",), "sees no management group 'mg'"),
        (400, ("InvalidRequest",), "refused the request for management group mg"),
        (403, ("AccessDenied",), "no permission for this on management group mg"),
    ],
)
def test_whoever_may_have_mistyped_a_group_is_told_how_to_list_them(
    status: int, reasons: tuple[str, ...], told: str
) -> None:
    error = scope.group_refused(ArmError(status, "BadRequest", "no", "c", reasons=reasons), "mg", "Reader")
    assert told in error.error_msg
    lists = "az account management-group list" in str(error.recommendations)
    assert lists is (reasons != ("InvalidRequest",))
