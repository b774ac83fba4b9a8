"""`az acr scope configure-docker`: puts the helper where container clients find it, and tells them for which hosts.

Three files, all shown before they are written: the launcher in a directory on PATH, the helper's settings, and the
`credHelpers` of the client's own file.
"""

import json
import os
import shlex
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azext_acrscope.base import files
from azext_acrscope.base.regular_files import read_regular_file
from azext_acrscope.credentials import clients, credential_file, docker_config, stores
from azext_acrscope.credentials.helper import cli, errors, login, settings, state

HELPER_NAME = stores.OWN_HELPER
PROGRAM_NAME = f"docker-credential-{HELPER_NAME}"
MANY_HOSTS = 20
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")  # the distribution's: nothing is put there unasked
_LAUNCHER_MARK = "written by `az acr scope configure-docker`"
# Without anything that a shell would take for its own.
_MISSING_CLI_ADVICE = (
    "acrscope: the Azure CLI or its extension acrscope was moved or removed. Install it, then run "
    "az acr scope configure-docker for this registry again, or with --remove to remove this helper."
)

_SHELL_LAUNCHER = """\
#!/bin/sh
# {program}: {mark}; `az acr scope configure-docker --remove` removes it.
{environment}python={python}
main={main}
if [ -x "$python" ] && [ -f "$main" ]; then
    exec "$python" -I -S{options} "$main" "$@"
fi
echo {advice}
exit 1
"""
_WINDOWS_LAUNCHER = """\
@echo off
rem {program}: {mark}; `az acr scope configure-docker --remove` removes it.
{environment}if not exist {python} goto missing
if not exist {main} goto missing
{python} -I -S {main} %*
exit /b %errorlevel%
:missing
echo {advice}
exit /b 1
"""


CredentialSources = dict[
    str, dict[str, str]
]  # for each host `credential`, and where given `client_id`, `tenant`, `subscription`


@dataclass
class SetupPlan:
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
        return clients.containers_home_file()
    return clients.config_file(client)


def plan_setup(sources: CredentialSources, client: str, bin_dir: str | None) -> SetupPlan:
    """Return what it takes to let a client ask the helper for these hosts.

    :raises FileOperationError: the client's file cannot be read, or something else is where the launcher belongs.
    :raises ValidationError: there is no directory for the launcher.
    """
    file = helper_config_file(client)
    content = credential_file.read_credential_file(file)
    helpers, known = content.get("credHelpers") or {}, settings.read_hosts()
    program, text = _launcher_path(_choose_bin_dir(bin_dir)), launcher_text()
    made = SetupPlan(
        file,
        results={host: _host_result(helpers.get(host)) for host in sorted(sources)},
        helpers={
            host: (helpers.get(host), HELPER_NAME) for host in sorted(sources) if helpers.get(host) != HELPER_NAME
        },
        settings={host: source for host, source in sorted(sources.items()) if known.get(host) != source},
        program=program,
        launcher=text if _read_own_launcher(program) != text else None,
        store=_keychain(client, content) if sources else None,
    )
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
    if str(program.parent) not in _path_folders():
        made.warnings.append(errors.helper_not_on_path(str(program.parent)))
    return made


def plan_removal(chosen: Callable[[list[str]], list[str]], client: str, bin_dir: str | None) -> SetupPlan:
    """Return what it takes to undo that for those hosts that `chosen` picks. What is not ours stays.

    The launcher goes once no client that is known here has a host left for it.
    """
    file = helper_config_file(client)
    gone = chosen(_hosts_using_helper(file))
    before = settings.replaced_helpers(file)
    known = {helper_config_file(each) for each in clients.KNOWN_CLIENTS}.union(settings.read_files())
    left = {host for each in known for host in _hosts_using_helper(each) if each != file or host not in gone}
    program = _launcher_path(Path(os.path.abspath(os.path.expanduser(bin_dir)))) if bin_dir else _installed_launcher()
    unused = not left and program is not None and _read_own_launcher(program) is not None
    return SetupPlan(
        file,
        results=dict.fromkeys(gone, "removed"),
        helpers={host: (HELPER_NAME, before.get(host)) for host in gone},
        settings={host: None for host in chosen(list(settings.read_hosts())) if host not in left},
        program=program,
        launcher="" if unused else None,
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


def _write_launcher(plan: SetupPlan) -> None:
    if plan.launcher is None or plan.program is None:
        return
    try:
        if not plan.launcher:
            plan.program.unlink(missing_ok=True)
            return
        plan.program.parent.mkdir(parents=True, exist_ok=True)
        # cmd.exe reads a script in the machine's old code page, not in UTF-8.
        text = plan.launcher.encode("oem" if sys.platform == "win32" else "utf-8")
        credential_file.replace_file(plan.program, text, mode=0o755)
    except OSError as error:
        raise errors.launcher_unwritable(str(plan.program), files.os_error_reason(error)) from None


def launcher_text() -> str:
    """Return the launcher's text, for the interpreter and the extension that run now."""
    main = os.path.join(cli.EXTENSION_ROOT, "azext_acrscope", "credentials", "helper", "__main__.py")
    folder = os.environ.get("AZURE_CONFIG_DIR")
    folder = os.path.abspath(os.path.expanduser(folder)) if folder else ""
    if os.name == "nt":
        quoted = {"python": f'"{sys.executable}"'.replace("%", "%%"), "main": f'"{main}"'.replace("%", "%%")}
        setting = f'if not defined AZURE_CONFIG_DIR set "AZURE_CONFIG_DIR={folder}"\n'.replace("%", "%%")
        text = _WINDOWS_LAUNCHER.format(
            program=PROGRAM_NAME,
            mark=_LAUNCHER_MARK,
            advice=_MISSING_CLI_ADVICE,
            environment=setting if folder else "",
            **quoted,
        )
        return text.replace("\n", "\r\n")
    setting = f'[ -n "$AZURE_CONFIG_DIR" ] || export AZURE_CONFIG_DIR={shlex.quote(folder)}\n'
    return _SHELL_LAUNCHER.format(
        program=PROGRAM_NAME,
        mark=_LAUNCHER_MARK,
        advice=shlex.quote(_MISSING_CLI_ADVICE),
        environment=setting if folder else "",
        python=shlex.quote(sys.executable),
        main=shlex.quote(main),
        options=_packages_option(),
    )


def _packages_option() -> str:
    """Where the CLI is, if its own launcher says so in PYTHONPATH (the RPM's does), for -I leaves that out."""
    import azure.cli.core

    folder = str(Path(azure.cli.core.__file__).parents[3])
    named = [os.path.realpath(each) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    return " -X " + shlex.quote(f"{cli.PACKAGES_OPTION}={folder}") if os.path.realpath(folder) in named else ""


def _launcher_path(folder: Path) -> Path:
    return folder / (f"{PROGRAM_NAME}.cmd" if os.name == "nt" else PROGRAM_NAME)


def _read_own_launcher(program: Path) -> str | None:
    """The launcher that is there; None if there is none.

    :raises FileOperationError: what is there is not ours.
    """
    text = ""
    try:
        text = read_regular_file(program, 65536).decode()
    except FileNotFoundError:
        if not program.is_symlink():
            return None
    except (OSError, UnicodeDecodeError):
        pass  # a program, a folder, or another's file: nothing of ours
    if _LAUNCHER_MARK not in text:
        raise errors.launcher_not_ours(str(program))
    return text


def _installed_launcher() -> Path | None:
    """Our launcher on PATH, if there is one."""
    for folder in _path_folders():
        program = _launcher_path(Path(folder))
        if os.path.lexists(program) and _is_own_launcher(program):
            return program
    return None


def _is_own_launcher(program: Path) -> bool:
    from azure.cli.core.azclierror import FileOperationError

    try:
        return _read_own_launcher(program) is not None
    except FileOperationError:
        return False


def _hosts_with_credentials(content: dict[str, Any]) -> set[str]:
    """The hosts that a file holds a credential for; docker leaves an empty entry where a helper has it."""
    return {host for host, entry in (content.get("auths") or {}).items() if entry}


def _hosts_using_helper(file: Path) -> list[str]:
    helpers = credential_file.read_credential_file(file).get("credHelpers") or {}
    return [host for host, name in helpers.items() if name == HELPER_NAME]


def _path_folders() -> list[str]:
    """The directories of PATH; relative ones are nobody's."""
    return [folder.rstrip(os.sep) for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]


def _choose_bin_dir(chosen: str | None) -> Path:
    """Where the launcher goes: the directory chosen, else that where it is, else the user's own on PATH.

    The usual places first, for the first one on PATH may be an environment's that is not always active.

    :raises ValidationError: no directory on PATH will do.
    """
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    installed = _installed_launcher()
    if installed and (_read_own_launcher(installed) == launcher_text() or _is_own_folder(str(installed.parent))):
        return installed.parent  # else it is another user's, on a machine that is shared
    on_path = _path_folders()
    usual = [str(Path.home() / ".local" / "bin"), str(Path.home() / "bin"), "/usr/local/bin"]
    for folder in [*(each for each in usual if each in on_path), *on_path]:
        if _is_usable_folder(folder):
            return Path(folder)
    raise errors.no_bin_dir(str(Path.home() / ".local" / "bin"))


def _is_usable_folder(folder: str) -> bool:
    """Whether it is the user's own, and no place for something else."""
    return (
        _is_own_folder(folder) and folder not in _SYSTEM_FOLDERS and not (Path(folder).parent / "pyvenv.cfg").exists()
    )


def _is_own_folder(folder: str) -> bool:
    """Whether it is the user's own, who may write there, and not everybody."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK):
        return False
    return os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & 0o002)
