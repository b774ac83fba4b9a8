"""How many registries of a scope the two definitions count as non-compliant today."""

from dataclasses import dataclass
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base.resource_ids import parse_resource_id
from azext_acrscope.fleet import by_graph, summary
from azext_acrscope.fleet import scope as fleet_scope
from azext_acrscope.policy import errors
from azext_acrscope.policy.scopes import PolicyScope, scope_contains
from azext_acrscope.registry import resource as registry_resource
from azext_acrscope.registry.resource import RegistryResource


@dataclass(frozen=True)
class NonComplianceCount:
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


def count_non_compliant(cli_ctx: Any, scope: PolicyScope, not_scopes: list[str]) -> NonComplianceCount:
    """Count by Resource Graph; what cannot be counted is a remark and no error, for Azure Policy sees it all the same.

    :param not_scopes: what an assignment leaves out; of these, management groups cannot be told apart here.
    """
    wanted = fleet_scope.choose_scope(cli_ctx, scope.resource_group, management_group=scope.management_group)
    try:
        seen = by_graph.read_graph_fleet(cli_ctx, wanted)
    except AzCLIError as error:
        return NonComplianceCount(None, None, (error.error_msg,))
    inside = [each for each in seen.registries if not any(scope_contains(out, each["id"]) for out in not_scopes)]
    groups = [out for out in not_scopes if not parse_resource_id(out).subscription]
    remarks = [*summary.unread_lines(seen.unreadable), *seen.incomplete]
    remarks += [errors.counted_with(group) for group in groups]
    return NonComplianceCount(sum(map(_is_non_compliant, inside)), len(inside), tuple(remarks))


def _is_non_compliant(resource: RegistryResource) -> bool:
    """As the rule has it: `enabled`, or no value; any other word is compliant."""
    try:
        return registry_resource.status_of(resource)[0] == registry_resource.ENABLED
    except AzCLIError:
        return False
