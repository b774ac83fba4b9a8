"""The log of sign-ins beside the consumers: asking for it, its part of the result, and what people are told of it."""

from dataclasses import dataclass
from typing import Any

from azext_acrscope.arm.log_analytics import LogAnalytics
from azext_acrscope.base import errors as base_errors
from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers import errors, login_events
from azext_acrscope.consumers.inventory import RegistryInView

_MAX_CLIENTS_SHOWN = 10  # newly refused clients in the summary; the result has all
_MAX_NAMES_SHOWN = 3  # registries in a sentence


@dataclass(frozen=True)
class LoginLog:
    """The log of a workspace, as far back as `days`."""

    workspace: LogAnalytics
    days: int

    def add(
        self, result: dict[str, Any], registries: list[RegistryInView], owners: dict[str, dict[str, list[str]]]
    ) -> None:
        """Add `logins` to each registry of a result (see `logins.rows_of`), ``log: {workspace, days}`` to the result,
        and to its `incomplete` why there may be more.

        :param owners: by registry ID in lower case: resource IDs by the identity that they pull with.
        :raises ResourceNotFoundError, ForbiddenError, AzureConnectionError …: see `LogAnalytics.query`.
        """
        answer = self.workspace.query(
            login_events.events_query(registries, self.days), login_events.EVENTS_TABLE, self.days
        )
        clients, odd = login_events.read_events(answer.rows, registries)
        for each in result["registries"]:
            key = each["id"].lower()
            each["logins"] = login_events.client_rows(clients[key], owners.get(key, {}))
        result["log"] = {"workspace": self.workspace.guid, "days": self.days}
        result["incomplete"] += answer.incomplete
        result["incomplete"] += [errors.log_rows_unread(odd)] if odd else []
        result["incomplete"] += (
            [errors.log_cut(login_events.MAX_ROWS)] if len(answer.rows) >= login_events.MAX_ROWS else []
        )
        result["incomplete"] += self._silent([each for each in registries if not clients[each.id.lower()]])

    def _silent(self, registries: list[RegistryInView]) -> list[str]:
        """Of registries without any event it is not known whether they have no clients or no log."""
        if not registries:
            return []
        names = base_errors.first_and_number([each.name for each in registries], _MAX_NAMES_SHOWN)
        workspace = self.workspace.workspace.resource_id or "WORKSPACE-RESOURCE-ID"
        return [errors.no_logins(names, self.days, registries[0].id, workspace)]


def newly_refused_clients(result: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the clients that signed in before and are now refused, each with its registry; none without a log."""
    rows = [(registry, row) for registry in result["registries"] for row in registry.get("logins", [])]
    return [(registry, row) for registry, row in rows if row["newlyRefused"]]


def login_summary(result: dict[str, Any]) -> list[str]:
    """Return lines for people: the numbers, and what the log cannot say; none where no log was read."""
    if "log" not in result:
        return []
    newly = newly_refused_clients(result)
    clients = sum(len(each["logins"]) for each in result["registries"])
    return [errors.logins_seen(clients, len(newly), result["log"]["days"]), errors.LOG_LIMITS]


def login_warnings(result: dict[str, Any]) -> list[str]:
    """Return warnings: who is newly refused, and what lets them in again."""
    newly = newly_refused_clients(result)
    if not newly:
        return []
    lines = [errors.newly_refused(len(newly))]
    lines += [f"  {_describe_refused_client(registry, row)}" for registry, row in newly[:_MAX_CLIENTS_SHOWN]]
    lines += [f"  … and {len(newly) - _MAX_CLIENTS_SHOWN} more"] if len(newly) > _MAX_CLIENTS_SHOWN else []
    return [*lines, errors.to_go_back(list(dict.fromkeys(registry["id"] for registry, _ in newly)))]


def _describe_refused_client(registry: dict[str, Any], row: dict[str, Any]) -> str:
    """Who, from where, with what, since when."""
    who = row["identity"] or f"no identity (one of {_first_names(row['possibleIdentities'])})"
    owners = _first_names([name_in_id(each) for each in row["consumers"]])
    agent = row["client"] or row["userAgent"] or "no user agent"
    return errors.newly_refused_client(
        registry["name"],
        who + (f", {owners}," if owners else ""),
        row["address"] or "an unknown address",
        agent,
        signed_in=row["lastSignIn"],
        since=row["refusedSince"],
        last=row["lastRefusal"],
    )


def _first_names(texts: list[str]) -> str:
    return base_errors.first([each or "no name" for each in texts], _MAX_NAMES_SHOWN)
