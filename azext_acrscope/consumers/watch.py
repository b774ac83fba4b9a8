"""The log of sign-ins beside the consumers: asking for it, its part of the result, and what people are told of it."""

from dataclasses import dataclass
from typing import Any

from azext_acrscope import _errors
from azext_acrscope.consumers import logins
from azext_acrscope.consumers.inventory import Registry
from azext_acrscope.log_analytics import LogAnalytics

_SHOWN = 10  # newly refused clients in the summary; the result has all
_NAMED = 3  # registries in a sentence


@dataclass(frozen=True)
class Log:
    """The log of a workspace, as far back as `days`."""

    workspace: LogAnalytics
    days: int

    def add(self, result: dict[str, Any], registries: list[Registry], owners: dict[str, dict[str, list[str]]]) -> None:
        """Add `logins` to each registry of a result (see `logins.rows_of`), ``log: {workspace, days}`` to the result,
        and to its `incomplete` why there may be more.

        :param owners: by registry ID in lower case: resource IDs by the identity that they pull with.
        :raises ResourceNotFoundError, ForbiddenError, AzureConnectionError …: see `LogAnalytics.query`.
        """
        answer = self.workspace.query(logins.query(registries, self.days), logins.TABLE, self.days)
        clients, odd = logins.read(answer.rows, registries)
        for each in result["registries"]:
            key = each["id"].lower()
            each["logins"] = logins.rows_of(clients[key], owners.get(key, {}))
        result["log"] = {"workspace": self.workspace.guid, "days": self.days}
        result["incomplete"] += answer.incomplete
        result["incomplete"] += [_errors.log_rows_unread(odd)] if odd else []
        result["incomplete"] += [_errors.log_cut(logins.MOST)] if len(answer.rows) >= logins.MOST else []
        result["incomplete"] += self._silent([each for each in registries if not clients[each.id.lower()]])

    def _silent(self, registries: list[Registry]) -> list[str]:
        """Of registries without any event it is not known whether they have no clients or no log."""
        if not registries:
            return []
        names = _errors.first_and_number([each.name for each in registries], _NAMED)
        workspace = self.workspace.workspace.resource_id or "WORKSPACE-RESOURCE-ID"
        return [_errors.no_logins(names, self.days, registries[0].id, workspace)]


def newly_refused(result: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The clients that signed in before and are refused now, each with its registry; none where no log was read."""
    rows = [(registry, row) for registry in result["registries"] for row in registry.get("logins", [])]
    return [(registry, row) for registry, row in rows if row["newlyRefused"]]


def summary(result: dict[str, Any]) -> list[str]:
    """Lines for people: numbers, who is newly refused and what lets them in again, and what the log cannot say."""
    if "log" not in result:
        return []
    newly = newly_refused(result)
    clients = sum(len(each["logins"]) for each in result["registries"])
    lines = [_errors.logins_seen(clients, len(newly), result["log"]["days"])]
    if newly:
        lines.append(_errors.newly_refused(len(newly)))
        lines += [f"  {_told(registry, row)}" for registry, row in newly[:_SHOWN]]
        lines += [f"  … and {len(newly) - _SHOWN} more"] if len(newly) > _SHOWN else []
        lines.append(_errors.to_go_back(list(dict.fromkeys(registry["id"] for registry, _ in newly))))
    return [*lines, _errors.LOG_LIMITS]


def _told(registry: dict[str, Any], row: dict[str, Any]) -> str:
    """Who, from where, with what, since when."""
    who = row["identity"] or f"no identity (one of {_first(row['mayBe'])})"
    owners = _first([each.rpartition("/")[2] for each in row["consumers"]])
    agent = row["client"] or row["userAgent"] or "no user agent"
    return _errors.newly_refused_client(
        who + (f", {owners}," if owners else ""),
        row["address"] or "an unknown address",
        agent,
        registry["name"],
        row["lastSignIn"],
        row["refusedSince"],
        row["lastRefusal"],
    )


def _first(texts: list[str]) -> str:
    return _errors.first([each or "no name" for each in texts], _NAMED)
