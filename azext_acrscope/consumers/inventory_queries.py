"""The queries of an inventory over all subscriptions: those that need no other's answer are sent at the same time."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import resource_graph
from azext_acrscope.arm.client import ArmClient, ArmError
from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import find_text
from azext_acrscope.consumers import errors, queries, role_assignments

Rows = list[dict[str, Any]]

_MAX_PRINCIPALS_PER_QUERY = 400
_ASSIGNMENTS = "Role assignments"  # for the sentence on what cannot be read


class InventoryQueries:  # pylint: disable=too-many-instance-attributes  # an answer each
    """Queries over all subscriptions, under way: each of the futures gives the rows of an answer.

    :ivar incomplete: a sentence for each reason why the answers may not be whole.
    """

    def __init__(
        self, arm: ArmClient, registry_ids: list[str], naming: str, known_roles: Iterable[str], ask_all: bool
    ) -> None:
        """:param naming: the condition for what may name one of the registries, see `queries.naming_condition`.
        :param known_roles: GUIDs of roles that pull.
        :param ask_all: ask for whatever may be needed, to wait for one answer. It is too much for many registries.
        """
        self.arm, self.incomplete = arm, list[str]()
        sites = queries.site_condition(naming)
        by_host = f"type in~ ({list_kql(queries.TYPES_NAMING_LOGIN_SERVERS)}) and ({sites})"
        resource = f"type in~ ({list_kql(queries.TYPES_READ_WHOLE)}) or ({by_host})"
        scopes = queries.role_scope_condition(registry_ids)
        self.resources, self.settings, self.batch_pools, self.flux, self.roles = threads.run_each_in_background(
            lambda query: query(),
            [
                partial(self.rows, queries.RESOURCES_QUERY.format(where=resource)),
                partial(
                    self.rows, queries.SITE_SETTINGS_QUERY.format(named=sites), "Settings of App Service and Functions"
                ),
                partial(self.rows, queries.BATCH_POOLS_QUERY.format(named=naming), "Batch pools"),
                partial(self.rows, queries.FLUX_QUERY.format(named=naming), "Flux configurations"),
                partial(self._ask_for_roles, scopes, [] if ask_all else [*known_roles]),
            ],
            threads.MAX_READERS,
        )
        self._owners = threads.run_in_background(partial(self._ask_for_owners_of_all, scopes)) if ask_all else None

    def rows(self, kql: str, optional: str = "", inherited: bool = False) -> Rows:
        """Return the rows of an answer.

        :param optional: what is left out where Resource Graph refuses: other clouds lack some tables.
        :raises ArmError: it refused, and that is not optional.
        """
        try:
            answer = resource_graph.query_graph(self.arm, kql, inherited=inherited)
        except ArmError as error:
            if not optional:
                raise
            self.incomplete.append(errors.kind_unread(optional, str(error)))
            return []
        self.incomplete += [text for text in answer.incomplete if text not in self.incomplete]
        return answer.rows

    def owners(self, principals: set[str]) -> Rows:
        """Return the resources whose identities these principals are, with a query of their own if need be."""
        all_owners = self._owners.result() if self._owners else None
        if all_owners is not None:
            wanted = {*principals, ""}
            return [row for row in all_owners if find_text(row, "principalId").lower() in wanted]
        ordered, found = sorted(principals), Rows()
        for start in range(0, len(ordered), _MAX_PRINCIPALS_PER_QUERY):
            some = list_kql(ordered[start : start + _MAX_PRINCIPALS_PER_QUERY])  # noqa: E203
            condition = queries.PRINCIPALS_CONDITION.format(principals=some)
            found += self.rows(queries.IDENTITY_OWNERS_QUERY.format(those=condition), "Owners of identities")
        return found

    def _ask_for_roles(self, scopes: str, known_roles: list[str]) -> Rows:
        """Roles that could pull, and their assignments; with `known_roles` none of other roles, in two queries."""
        roles, assigned = queries.ROLES_CONDITION, queries.ASSIGNMENTS_CONDITION.format(scopes=scopes)
        if not known_roles:
            return self.rows(queries.ROLES_QUERY.format(where=f"({roles}) or ({assigned})"), _ASSIGNMENTS, True)
        found = self.rows(queries.ROLES_QUERY.format(where=roles), _ASSIGNMENTS, True)
        judged, _ = role_assignments.judge_readable_roles(found)
        of_these = f"extract('[^/]+$', 0, roleId) in ({list_kql([*judged, *known_roles])})"
        return found + self.rows(queries.ROLES_QUERY.format(where=f"{assigned} and {of_these}"), _ASSIGNMENTS, True)

    def _ask_for_owners_of_all(self, scopes: str) -> Rows | None:
        """The owners of identities with any role that reaches a registry; None where they are to be asked for by name.

        To join two tables is documented to be allowed once in a query; the real service was not asked.
        """
        try:
            those = queries.ASSIGNED_PRINCIPALS_JOIN.format(scopes=scopes)
            answer = resource_graph.query_graph(
                self.arm, queries.IDENTITY_OWNERS_QUERY.format(those=those), inherited=True
            )
        except (ArmError, AzCLIError):
            return None
        return None if answer.incomplete else answer.rows
