"""`az acr scope configure-docker`: puts the helper where container clients find it, and tells them for which hosts.

Three files, all shown before they are written: the launcher in a directory on PATH, the helper's settings, and the
`credHelpers` of the client's own file.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azext_acrscope.base.errors import NoHomeError
from azext_acrscope.credentials import clients, credential_file, docker_config, stores
from azext_acrscope.credentials.helper import errors, launcher, login, settings, state

HELPER_NAME = stores.OWN_HELPER
MANY_HOSTS = 20
CredentialSources = dict[
    str, dict[str, str]
]  # for each host `credential`, and where given `client_id`, `tenant`, `subscription`


@dataclass
class SetupPlan:  # pylint: disable=too-many-instance-attributes  # all that is shown before it is done
    """What is to be changed.

    :ivar file: the client's file.
    :ivar results: what comes of each host: `added`, `replaced` (another helper was set), `unchanged` or `removed`.
    :ivar helpers: the entries of `credHelpers` that change, as they are (None: missing) and as they will be.
    :ivar settings: the helper's settings that change; None for a host that is taken out.
    :ivar program: the launcher's place, None if there is no launcher and none is to be written.
    :ivar store: the `credsStore` of the file, as it is and as it will be, if it changes.
    :ivar launcher: its text; empty if it is to be taken away, None if it is as it should be.
    """

    file: Path
    results: dict[str, str]
    helpers: dict[str, tuple[str | None, str | None]]
    settings: dict[str, dict[str, str] | None]
    program: Path | None
    launcher: str | None
    store: tuple[str | None, str | None] | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to change."""
        return not (self.helpers or self.settings or self.store) and self.launcher is None

    @property
    def removes(self) -> bool:
        """Return whether hosts are taken out."""
        return self.launcher == "" or "removed" in self.results.values() or None in self.settings.values()


def helper_config_file(client: str) -> Path:
    """Return the file whose `credHelpers` a client reads.

    For podman not the one it signs in to, which is gone after a restart, but the one beside it that it reads, too.
    """
    if not clients.KNOWN_CLIENTS[client].whole_host and not os.environ.get("REGISTRY_AUTH_FILE"):
        return clients.locate_file(clients.containers_home_file, "XDG_CONFIG_HOME")
    return clients.config_file(client)


def plan_setup(sources: CredentialSources, client: str, bin_dir: str | None) -> SetupPlan:
    """Return what it takes to let a client ask the helper for these hosts.

    :raises FileOperationError: the client's file cannot be read, or something else is where the launcher belongs.
    :raises ValidationError: there is no directory for the launcher.
    """
    file = helper_config_file(client)
    content = credential_file.read_credential_file(file)
    helpers, known = content.get("credHelpers") or {}, settings.read_hosts()
    program, text = launcher.launcher_path(launcher.choose_bin_dir(bin_dir)), launcher.launcher_text()
    there = launcher.read_own_launcher(program)
    made = SetupPlan(
        file,
        results={host: _host_result(helpers.get(host)) for host in sorted(sources)},
        helpers={
            host: (helpers.get(host), HELPER_NAME) for host in sorted(sources) if helpers.get(host) != HELPER_NAME
        },
        settings={host: source for host, source in sorted(sources.items()) if known.get(host) != source},
        program=program,
        launcher=text if there != text else None,
        store=_keychain(client, content) if sources else None,
    )
    if there and launcher.configuration_of(there) != launcher.configuration_folder():
        made.warnings.append(errors.launcher_changes_hands(str(program), launcher.configuration_of(there)))
    made.warnings += [errors.helper_replaces(host, str(old)) for host, (old, _) in made.helpers.items() if old]
    made.warnings += [
        errors.helper_shadows(host, str(file)) for host in sorted(_hosts_with_credentials(content) & set(sources))
    ]
    if not clients.KNOWN_CLIENTS[client].whole_host:
        first = clients.config_file(client)
        in_the_way = (
            set()
            if first == file
            else _hosts_with_credentials(credential_file.read_credential_file(first)) & set(sources)
        )
        made.warnings += [errors.helper_is_shadowed(client, host) for host in sorted(in_the_way)]
    if len(set(sources).union(_hosts_using_helper(file))) > MANY_HOSTS:
        made.warnings.append(errors.helper_many(MANY_HOSTS))
    if str(program.parent) not in launcher.path_folders():
        made.warnings.append(errors.helper_not_on_path(str(program.parent)))
    return made


def plan_removal(chosen: Callable[[list[str]], list[str]], client: str, bin_dir: str | None) -> SetupPlan:
    """Return what it takes to undo that for those hosts that `chosen` picks. What is not ours stays.

    The launcher goes once no client that is known here has a host left for it, unless another configuration of the
    CLI made it: its clients are not known here.
    """
    file = helper_config_file(client)
    gone = chosen(_hosts_using_helper(file))
    before = settings.replaced_helpers(file)
    known = _known_files().union(settings.read_files())
    left = {host for each in known for host in _hosts_using_helper(each) if each != file or host not in gone}
    program = launcher.launcher_path(launcher.choose_bin_dir(bin_dir)) if bin_dir else launcher.installed_launcher()
    there = launcher.read_own_launcher(program) if program else None
    ours = there is not None and launcher.configuration_of(there) == launcher.configuration_folder()
    return SetupPlan(
        file,
        results=dict.fromkeys(gone, "removed"),
        helpers={host: (HELPER_NAME, before.get(host)) for host in gone},
        settings={host: None for host in chosen(list(settings.read_hosts())) if host not in left},
        program=program,
        launcher="" if ours and not left else None,
        store=_added_keychain(file, before, gone),
    )


def _keychain(client: str, content: dict[str, Any]) -> tuple[None, str] | None:
    """The keychain to write down: the client picks it by itself only while its file has no entry and no helper."""
    picked = docker_config.default_store(content) if clients.KNOWN_CLIENTS[client].detects_store else ""
    return (None, picked) if picked else None


def _added_keychain(file: Path, before: dict[str, str], gone: list[str]) -> tuple[str, None] | None:
    """The keychain that was written down, to be taken out once the client picks it by itself again."""
    content, added = credential_file.read_credential_file(file), settings.added_store(file)
    others = {host for host in content.get("credHelpers") or {} if host not in gone or before.get(host) is not None}
    return (
        (added, None) if added and added == content.get("credsStore") and not (others or content.get("auths")) else None
    )


def describe_setup(plan: SetupPlan) -> list[str]:
    """Return the changes, for people: the launcher's text, and the lines of the other two files."""
    lines = []
    if plan.launcher:
        lines += [f"Write {plan.program}:", *(f"    {line}" for line in plan.launcher.splitlines())]
    elif plan.launcher == "":
        lines.append(f"Delete {plan.program}")
    if plan.settings:
        lines.append(f"Change hosts in {state.settings_file()}:")
        lines += [
            f"    - {host}" if source is None else f"    + {host}: {json.dumps(source)}"
            for host, source in plan.settings.items()
        ]
    if plan.store:
        lines.append(f"Change credsStore in {plan.file}, so that it still uses the keychain for other registries:")
        lines += [f"    {sign} {name}" for sign, name in zip("-+", plan.store, strict=True) if name is not None]
    if plan.helpers:
        lines.append(f"Change credHelpers in {plan.file}:")
    for host, (old, new) in plan.helpers.items():
        lines += [f"    {sign} {host}: {name}" for sign, name in (("-", old), ("+", new)) if name is not None]
    return lines


def apply_setup(plan: SetupPlan) -> None:
    """Make the changes. The client's file comes last when hosts are added and first when they are taken out: it never
    names a helper that is not there.

    :raises FileOperationError: a file cannot be written.
    """
    if not plan.removes:
        _write_launcher(plan)
        _edit_settings(plan)
        _edit_credential_helpers(plan)
    else:
        _edit_credential_helpers(plan)
        _edit_settings(plan)
        login.forget_hosts([host for host, source in plan.settings.items() if source is None])
        _write_launcher(plan)


def _host_result(helper: str | None) -> str:
    if helper is None:
        return "added"
    return "unchanged" if helper == HELPER_NAME else "replaced"


def _edit_credential_helpers(plan: SetupPlan) -> None:
    if not plan.helpers and not plan.store:
        return
    with credential_file.edit_credential_file(plan.file) as content:
        if plan.store and (content.get("credsStore") or None) == plan.store[0]:
            content["credsStore"] = plan.store[1]
            if plan.store[1] is None:
                del content["credsStore"]
        helpers = content.get("credHelpers") or {}
        for host, (old, new) in plan.helpers.items():
            if plan.removes and helpers.get(host) != old:
                continue  # somebody has set another one since
            if new is None:
                del helpers[host]
            else:
                helpers[host] = new
        content["credHelpers"] = helpers
        if not helpers:
            del content["credHelpers"]


def _edit_settings(plan: SetupPlan) -> None:
    if not (plan.settings or plan.helpers or plan.store):
        return
    before = {host: None if plan.removes else old for host, (old, _) in plan.helpers.items()}
    store = (plan.store[1] or "") if plan.store else None
    settings.save(plan.settings, plan.file, bool(plan.helpers) and not plan.removes, store, before)


def _hosts_with_credentials(content: dict[str, Any]) -> set[str]:
    """The hosts that a file holds a credential for; docker leaves an empty entry where a helper has it."""
    return {host for host, entry in (content.get("auths") or {}).items() if entry}


def _known_files() -> set[Path]:
    """The files of all clients that are known here, where the user has a home for them."""
    found = set()
    for client in clients.KNOWN_CLIENTS:
        with suppress(NoHomeError):
            found.add(helper_config_file(client))
    return found


def _hosts_using_helper(file: Path) -> list[str]:
    helpers = credential_file.read_credential_file(file).get("credHelpers") or {}
    return [host for host, name in helpers.items() if name == HELPER_NAME]


def _write_launcher(plan: SetupPlan) -> None:
    if plan.launcher is not None and plan.program is not None:
        launcher.write_launcher(plan.program, plan.launcher)
