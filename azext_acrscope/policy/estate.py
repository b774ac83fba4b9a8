"""How many registries of a scope the two definitions count as non-compliant today."""

from dataclasses import dataclass
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, fleet, registry
from azext_acrscope.policy.scopes import PolicyScope, contains
from azext_acrscope.registry import Resource


@dataclass(frozen=True)
class Count:
    """`non_compliant` of `total` registries; None where that is not known.

    :ivar remarks: why it is not known, or why there may be more.
    """

    non_compliant: int | None
    total: int | None
    remarks: tuple[str, ...] = ()

    def as_result(self) -> dict[str, int] | None:
        if self.non_compliant is None or self.total is None:
            return None
        return {"registries": self.non_compliant, "of": self.total}


def count(cli_ctx: Any, scope: PolicyScope, not_scopes: list[str]) -> Count:
    """Count by Resource Graph; what cannot be counted is a remark and no error, for Azure Policy sees it all the same.

    :param not_scopes: what an assignment leaves out; of these, management groups cannot be told apart here.
    """
    wanted = fleet.scope(cli_ctx, scope.resource_group, management_group=scope.management_group)
    try:
        seen = fleet.from_graph(cli_ctx, wanted)
    except AzCLIError as error:
        return Count(None, None, (error.error_msg,))
    inside = [each for each in seen.registries if not any(contains(out, each["id"]) for out in not_scopes)]
    groups = [out for out in not_scopes if not out.lower().startswith("/subscriptions/")]
    remarks = [*fleet.unread(seen.unreadable), *seen.incomplete]
    remarks += [_errors.counted_with(group) for group in groups]
    return Count(sum(map(_is_non_compliant, inside)), len(inside), tuple(remarks))


def _is_non_compliant(resource: Resource) -> bool:
    """As the rule has it: `enabled`, or no value; any other word is compliant."""
    try:
        return registry.status(resource)[0] == registry.ENABLED
    except AzCLIError:
        return False
