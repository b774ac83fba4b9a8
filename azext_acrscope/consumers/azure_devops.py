"""The service connections of Azure DevOps organizations as consumers of registries: asking, judging, the rows.

For an organization: its projects, the connections of each (one request a project), the last uses of each connection
that may reach a registry in view, and the files of the pipelines that used one (one request a project at most).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm.azure_devops import AT_ONCE, AzureDevOps, DevOpsError
from azext_acrscope.base import hosts, threads
from azext_acrscope.base.foreign_json import UnexpectedShape
from azext_acrscope.consumers import azure_devops_errors as errors
from azext_acrscope.consumers.checklist import Search
from azext_acrscope.consumers.knowledge import AZURE_DEVOPS, VERDICT_ORDER, Knowledge, count_verdicts
from azext_acrscope.consumers.service_connections import (
    ACR_KIND,
    AZURE_KIND,
    AZURE_TYPE,
    Project,
    ServiceConnection,
    Use,
    read_connection,
    read_pipeline,
    read_project,
    read_use,
)
from azext_acrscope.consumers.versions import reason_with_versions

_FAILURES = (DevOpsError, AzCLIError)
_PIPELINES_AT_ONCE = 100  # numbers in a query: it must fit a URL
_MAX_HISTORIES = 4000  # of an organization: one shared with all projects has one in each
Asked = tuple[ServiceConnection, Project]


def add_service_connections(
    result: dict[str, Any],
    connect: Callable[[str], AzureDevOps],
    organizations: Iterable[str],
    *,
    knowledge: Knowledge,
    suffix: str,
    selected: bool,
) -> Search:
    """Add to a result: `azureDevOps`, a row for each service connection (see `_row`); `organizations`, the names of
    those that were searched; and to `incomplete` what could not be read. Return what was searched, for the checklist.

    :param connect: gives the connection to an organization.
    :param selected: whether connections to others than the registries of the result are left out. One that does not
        say which registry it reaches is never left out.
    :raises AzCLIError: nobody is signed in; or no organization could be read, and nothing else was searched. Else an
        organization that could not be read is in `incomplete`.
    """
    registries = {each["id"]: each["loginServer"] for each in result["registries"]} if selected else None
    rows, searched, failures = list[dict[str, Any]](), list[str](), list[AzCLIError]()
    kinds, known_before = list[dict[str, Any]](), len(result["incomplete"])
    for service in [connect(name) for name in dict.fromkeys(organizations)]:
        name = service.organization
        found = _Organization(service, suffix, registries)
        try:
            found.read()
        except _FAILURES as error:
            failures.append(error.as_cli_error(name) if isinstance(error, DevOpsError) else error)
            result["incomplete"].append(errors.organization_not_read(name, failures[-1].error_msg))
            continue
        searched.append(name)
        rows += [_row(found, each, knowledge) for each in found.connections.values()]
        kinds += [{"kind": each.kind, "signIn": each.sign_in} for each in found.connections.values()]
        result["incomplete"] += found.incomplete
    if failures and not (searched or selected):
        raise failures[0]
    result["azureDevOps"] = sorted(rows, key=_order)
    result["organizations"] = searched
    looked_for = {ACR_KIND, AZURE_KIND} if searched else set[str]()
    return Search(AZURE_DEVOPS, looked_for, kinds, complete=len(result["incomplete"]) == known_before)


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    place = VERDICT_ORDER.index(row["verdict"])
    return place, row["organization"], row["project"].lower(), row["connection"].lower(), row["id"]


class _Organization:  # pylint: disable=too-many-instance-attributes  # what is read, and what it is read with
    """What is read of one organization; `incomplete` holds a sentence for each reason why there may be more."""

    def __init__(self, service: AzureDevOps, suffix: str, registries: dict[str, str] | None) -> None:
        self.name = service.organization
        self._service, self._suffix = service, suffix
        self._selects = registries is not None
        self._ids = {key.lower(): host.lower() for key, host in (registries or {}).items()}
        self._servers = frozenset(self._ids.values())
        self._names = frozenset(map(hosts.without_hash, self._servers))  # as a provider makes them up of the name
        self.projects: dict[str, Project] = {}
        self.connections: dict[str, ServiceConnection] = {}
        self.uses: dict[str, list[Use]] = {}  # by connection; one whose uses could not be read is missing
        self.cut: dict[str, str] = {}  # by connection, the time before which uses were not read
        self.files: dict[tuple[str, int], tuple[str, str | None]] = {}  # kind and file, by project and number
        self.incomplete: list[str] = []

    def read(self) -> None:
        """Read it.

        :raises DevOpsError, AzCLIError: its projects could not be read.
        """
        odd = 0
        for row in self._service.projects():
            try:
                project = read_project(row)
            except UnexpectedShape:
                odd += 1
                continue
            self.projects[project.id] = project
        self.incomplete += [errors.projects_odd(self.name, odd)] if odd else []
        self._read_connections()
        self._read_uses()
        self._read_files()

    def login_server(self, connection: ServiceConnection) -> str:
        """Return the login server of the registry that a connection reaches; empty if it does not say."""
        return self._ids.get(connection.registry_id) or connection.registry

    def _read_connections(self) -> None:
        seen = 0
        projects = list(self.projects.values())
        answers = threads.try_each(lambda each: self._service.connections(each.id), projects, _FAILURES, AT_ONCE)
        failed, odd = dict[str, list[str]](), list[str]()
        for project, answer in zip(projects, answers, strict=True):
            if isinstance(answer, Exception):
                failed.setdefault(_reason(answer), []).append(project.name)
                continue
            seen += len(answer)
            odd += [project.name] if self._take(answer, project) else []
        self.incomplete += [errors.connections_unread(self.name, names, why) for why, names in failed.items()]
        self.incomplete += [errors.connections_odd(self.name, odd)] if odd else []
        if not projects:
            self.incomplete.append(errors.no_project(self.name))
        elif not (seen or failed or odd):
            self.incomplete.append(errors.no_connection(self.name))

    def _take(self, rows: list[dict[str, Any]], project: Project) -> bool:
        """Take in a project's connections, and say whether one could not be read. A shared one is in many lists."""
        odd = False
        for row in rows:
            try:
                found = read_connection(row, project, self._suffix)
            except UnexpectedShape:
                odd = True
                continue
            if found and self._is_wanted(found):
                before = self.connections.get(found.id, found)
                own, *others = found.names  # what a project's own list says counts more than what other lists do
                names = {each.id: (each, name) for each, name in (*others, *before.names, own)}
                self.connections[found.id] = replace(before, names=tuple(names.values()))
        return odd

    def _is_wanted(self, connection: ServiceConnection) -> bool:
        if not self._selects or connection.type == AZURE_TYPE or connection.registry_id in self._ids:
            return True
        if connection.registry_id:
            return connection.registry in self._servers
        return not connection.registry or connection.registry in self._servers | self._names

    def _read_uses(self) -> None:
        asked = self._histories()
        if len(asked) > _MAX_HISTORIES:
            self.incomplete.append(errors.uses_left_out(self.name, len(asked) - _MAX_HISTORIES))
            asked = asked[:_MAX_HISTORIES]
        answers = threads.try_each(lambda each: self._service.uses(each[1].id, each[0].id), asked, _FAILURES, AT_ONCE)
        failed = dict[str, list[str]]()
        for (connection, project), answer in zip(asked, answers, strict=True):
            try:
                if isinstance(answer, Exception):
                    raise answer
                rows, more = answer
                uses = [read_use(row, project) for row in rows]
            except (*_FAILURES, UnexpectedShape) as error:
                failed.setdefault(_reason(error), []).append(connection.id)
                continue
            self.uses.setdefault(connection.id, []).extend(uses)
            if more:
                self.cut[connection.id] = min((each.finished for each in uses), default="")
        for why, connections in failed.items():
            self.incomplete.append(errors.uses_unread(self.name, len(set(connections)), why))
            for each in connections:
                self.uses.pop(each, None)

    def _histories(self) -> list[Asked]:
        """Each connection with each project that it is in, the first project of every connection first.

        Whether the answer for a project has the uses in others is not published: so all are asked.
        """
        ranked = [
            (rank, (connection, project))
            for connection in self.connections.values()
            for rank, (project, _) in enumerate(each for each in connection.names if each[0].id in self.projects)
        ]
        return [pair for _, pair in sorted(ranked, key=lambda each: each[0])]

    def _read_files(self) -> None:
        """A YAML pipeline's definition names its file; without it the pipeline is told all the same."""
        numbers: dict[str, set[int]] = {}
        for uses in self.uses.values():
            for use in uses:
                if use.number and use.project in self.projects:
                    numbers.setdefault(use.project, set()).add(use.number)
        asked = list[tuple[str, list[int]]]()
        for project, those in numbers.items():
            for start in range(0, len(those), _PIPELINES_AT_ONCE):
                end = start + _PIPELINES_AT_ONCE
                asked.append((project, sorted(those)[start:end]))
        answers = threads.try_each(lambda each: self._service.pipelines(*each), asked, _FAILURES, AT_ONCE)
        unread = dict[str, None]()
        for (project, wanted), answer in zip(asked, answers, strict=True):
            try:
                found = [read_pipeline(row) for row in answer] if isinstance(answer, list) else None
            except UnexpectedShape:
                found = None
            if found is None or any(number not in wanted for number, _, _ in found):
                unread[self.projects[project].name] = None
            for number, kind, file in found or []:
                self.files[project, number] = (kind, file)
        self.incomplete += [errors.files_unread(self.name, list(unread))] if unread else []


def _reason(error: Exception) -> str:
    """Why something could not be read, in a few words of our own and codes."""
    if isinstance(error, DevOpsError):
        return str(error)
    return "an answer of another form" if isinstance(error, UnexpectedShape) else type(error).__name__


def _row(found: _Organization, connection: ServiceConnection, knowledge: Knowledge) -> dict[str, Any]:
    """``{organization, project, connection, id, type, scheme, registry, sharedWith, usedBy, usedBySince, verdict, why,
    source, sourceDate, fix, evidence}``.

    Nothing says which project a shared connection belongs to: `project` is the first by name, `sharedWith` has the
    others. `registry` is a login server or, where only that is known, a resource ID; null if it is not known. `usedBy`
    has ``{pipeline, project, kind, file, lastUsed}``, the latest first; null if it could not be read. `usedBySince` is
    the time before which uses were not read, null if there are no more.
    """
    entry = knowledge.entry(connection.kind, connection.sign_in)
    (project, name), *others = sorted(connection.names, key=lambda each: (each[0].name.lower(), each[0].id))
    uses = found.uses.get(connection.id)
    return {
        "organization": found.name,
        "project": project.name,
        "connection": name,
        "id": connection.id,
        "type": connection.type,
        "scheme": connection.scheme,
        "registry": found.login_server(connection) or connection.registry_id or None,
        "sharedWith": [each.name for each, _ in others],
        "usedBy": None if uses is None else _used_by(found, uses),
        "usedBySince": found.cut.get(connection.id),
        "verdict": entry["verdict"],
        "why": reason_with_versions(entry),
        **knowledge.source(entry["source"]),
        "fix": entry["fix"],
        "evidence": entry.get("evidence", ""),
    }


def _used_by(found: _Organization, uses: list[Use]) -> list[dict[str, Any]]:
    latest: dict[tuple[str, str, str, int], str] = {}
    for use in uses:
        key = (use.project, use.kind, use.name, use.number)
        latest[key] = max(latest.get(key, ""), use.finished)
    rows = list[dict[str, Any]]()
    for (project, kind, name, number), finished in latest.items():
        exact, file = found.files.get((project, number), (kind, None))
        place = found.projects.get(project)
        rows.append(
            {
                "pipeline": name,
                "project": place.name if place else project,
                "kind": exact,
                "file": file,
                "lastUsed": finished or None,
            }
        )
    rows.sort(key=lambda row: (row["project"].lower(), row["pipeline"].lower(), row["kind"]))
    return sorted(rows, key=lambda row: row["lastUsed"] or "", reverse=True)


# --- what people are told of them ----------------------------------------------------------------------------------


def connections_summary(result: dict[str, Any]) -> list[str]:
    """Return lines for people: the numbers, and what Azure DevOps leaves out; none if no organization was asked."""
    if "azureDevOps" not in result:
        return []
    numbers = count_verdicts(result["azureDevOps"])
    return [errors.connections_found(result["organizations"], numbers), errors.LIMITS]
