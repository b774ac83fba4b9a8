"""What `configure-docker --show` says: which clients ask the helper for which hosts, as whom, and whether it works.

Files are read, and the launcher is run once for its version. Nothing is changed, and nothing is requested.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.base import files, processes
from azext_acrscope.base.errors import NoHomeError
from azext_acrscope.base.foreign_json import parse_json
from azext_acrscope.base.text import one_line
from azext_acrscope.base.tokens import read_expiry
from azext_acrscope.credentials import clients, credential_file, stores
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.helper import cache, errors, install, launcher, settings, state

_VERSION_SECONDS = 30
_VERSION_TEXT = f"{launcher.PROGRAM_NAME} (acrscope) "
_SOURCE_MEMBERS = {name: name for name in ("credential", "tenant", "subscription")} | {"clientId": "client_id"}


@dataclass(frozen=True)
class _ClientFile:
    """A client's file, and who reads it; `hosts` are those that it names our helper for, `store` its `credsStore`.

    :ivar content: what it says, with credentials; None if it cannot be read.
    """

    file: Path
    readers: list[str]
    hosts: list[str]
    store: str
    problem: str = ""
    content: dict[str, Any] | None = field(default=None, repr=False)


def describe_status(chosen: Callable[[list[str]], list[str]], client: str | None, cloud: str) -> dict[str, Any]:
    """Return what is set up, as plain data without a token.

    :param chosen: picks of all hosts those that are meant.
    :param client: the client that is meant; None for all.
    :param cloud: the name of the cloud in use.
    :raises FileOperationError: the settings cannot be read.
    """
    read = _read_files(client)
    known, content = settings.read_hosts(), cache.read_cache()
    program, broken = _inspect_launcher()
    named = [host for each in read for host in each.hosts]
    # With a client, only its own hosts: those of others are no fault of it.
    said = {each.file: each.content for each in read}
    concerned = [host for host in known if not client or _asks_helper(client, host, said)]
    hosts = chosen(list(dict.fromkeys([*concerned, *named])))
    rows = []
    for host in sorted(set(hosts)):
        asking = [name for name in ([client] if client else clients.KNOWN_CLIENTS) if _asks_helper(name, host, said)]
        rows.append(_host_row(host, known.get(host), asking, content, cloud))
    for row in rows:
        row["remarks"] = [*broken, *row["remarks"]]
        row["works"] = not row["remarks"]
    return {
        "launcher": {**program, "works": not broken},
        "hosts": rows,
        "files": [
            {
                "file": str(each.file),
                "clients": each.readers,
                "credHelpers": [one_line(host) for host in each.hosts],
                "credsStore": one_line(each.store) or None,
                "remarks": [each.problem] if each.problem else [],
            }
            for each in read
            if each.hosts or each.problem or each.store == install.HELPER_NAME
        ],
        "settings": state.settings_file(),
        "remarks": broken,
    }


def remark_lines(found: dict[str, Any], missing: list[str]) -> list[str]:
    """Return what is wrong, for people, a line each.

    :param found: what `describe_status` returned.
    :param missing: registries that were asked about and are not set up.
    """
    lines = [*found["remarks"]]
    for part in (*found["files"], *found["hosts"]):
        lines += [each for each in part["remarks"] if each not in lines]
    if not (found["hosts"] or missing):
        lines.append(errors.nothing_configured())
    return lines + [errors.not_configured(name) for name in missing]


def _read_files(only: str | None) -> list[_ClientFile]:
    """The files that clients read, and those that were ever written here; as far as a user has a home for them."""
    readers: dict[Path, list[str]] = {}
    for name in [only] if only else clients.KNOWN_CLIENTS:
        for file in _files_of(name):
            readers.setdefault(file, []).append(name)
    for file in [] if only else settings.read_files():
        readers.setdefault(file, [])
    return [_read_file(file, names) for file, names in readers.items()]


def _files_of(client: str) -> list[Path]:
    """The files that a client reads, in its order; none where the user has no home for them."""
    with suppress(NoHomeError):
        found = [*clients.auth_files(ContainerClient(client, "")), install.helper_config_file(client)]
        return list(dict.fromkeys(found))
    return []


def _asks_helper(client: str, host: str, said: dict[Path, dict[str, Any] | None]) -> bool:
    """Return whether the first of a client's files that says anything of a host names our helper for it.

    :param said: what the files say; None for one that cannot be read, which is said of the file.
    """
    rules = clients.KNOWN_CLIENTS[client]
    for file in _files_of(client):
        if (config := said[file]) is None:
            continue
        with suppress(AzCLIError):
            store = stores.choose_store(file, host, rules.knows_store, whole_host=rules.whole_host, config=config)
            if isinstance(store, stores.HelperStore):
                return store.renews
            if store.get(host):
                return False
    return False


def _read_file(file: Path, readers: list[str]) -> _ClientFile:
    try:
        content = credential_file.read_credential_file(file)
    except AzCLIError as error:
        return _ClientFile(file, readers, [], "", error.error_msg)
    helpers = content.get("credHelpers") or {}
    hosts = [host for host, name in helpers.items() if name == install.HELPER_NAME]
    return _ClientFile(file, readers, hosts, content.get("credsStore") or "", content=content)


def _inspect_launcher() -> tuple[dict[str, Any], list[str]]:
    """The launcher on PATH with its version, and what is wrong with it."""
    program = launcher.installed_launcher()
    found: dict[str, Any] = {"file": str(program) if program else None, "version": None}
    if not program:
        return found, [errors.launcher_missing()]
    try:
        ended = processes.run_program([str(program), "version"], b"", _VERSION_SECONDS)
    except TimeoutError:
        return found, [errors.launcher_dead(str(program), f"it did not end within {_VERSION_SECONDS} seconds")]
    except OSError as error:
        return found, [errors.launcher_dead(str(program), files.os_error_reason(error))]
    said = ended.stdout.decode(errors="replace").strip()
    if ended.code != 0 or not said.startswith(_VERSION_TEXT):
        return found, [errors.launcher_dead(str(program), ended.said or f"its exit code is {ended.code}")]
    return {**found, "version": one_line(said.removeprefix(_VERSION_TEXT))}, []


def _host_row(
    host: str, source: dict[str, str] | None, asking: list[str], content: dict[str, Any], cloud: str
) -> dict[str, Any]:
    remarks = []
    if not asking:
        remarks.append(errors.nobody_asks_helper(host))
    known = source or state.DEFAULT_SOURCE
    identity, stored = None, content["stored"].get(host)
    try:
        identity = state.identity_key(known)
    except state.Unreadable as error:
        remarks.append(errors.helper_reason(error))
    else:
        if identity is None and not stored:
            remarks.append(errors.nobody_signed_in(host, known.get("subscription", "")))
    entry = stored or cache.token_entry(content, identity, host)
    if failure := cache.remembered_failure(entry, host):
        remarks.append(failure)
    expires = cache.entry_time(entry, "over" if "over" in entry else "expires")
    if stored and "over" in stored and expires <= time.time():
        remarks.append(errors.helper_reason(errors.helper_limited_token_over(host)))
    return {
        "loginServer": one_line(host),
        "clients": asking,
        **{name: known.get(key) for name, key in _SOURCE_MEMBERS.items()},
        "signsInAs": _account_name(identity, cloud) if known.get("credential") == "cli" else None,
        "storedUsername": one_line(str(stored.get("username"))) if stored else None,
        "tokenExpiresOn": read_expiry({"exp": expires}) if "secret" in entry and expires else None,
        "works": False,
        "remarks": remarks,
    }


def _account_name(identity: str | None, cloud: str) -> str | None:
    """The account in an identity's key: of those in use, one for each cloud, that of this cloud."""
    accounts = parse_json(identity)[1] if identity else []
    names = [str(user.get("name")) for environment, _, user in accounts if environment in (cloud, None)]
    return one_line(names[0]) if names else None
