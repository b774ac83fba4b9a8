"""`az acr scope configure-docker`: puts the helper where container clients find it, and tells them for which hosts.

Three files, all shown before they are written: the launcher in a directory on PATH, the helper's settings, and the
`credHelpers` of the client's own file.
"""

import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azext_acrscope import _errors, clients, credential_file
from azext_acrscope.helper import cli, login, state

PROGRAM = "docker-credential-acrscope"
HELPER = PROGRAM.removeprefix("docker-credential-")  # as credHelpers name it
MANY = 20
_MARK = "written by `az acr scope configure-docker`"
_ADVICE = "acrscope: the Azure CLI or its extension acrscope is no longer where it was. Install it with az extension add, "
_ADVICE += "then run az acr scope configure-docker again; with --remove it takes this helper away."

_SH = """\
#!/bin/sh
# {program}: {mark}; `az acr scope configure-docker --remove` takes it away.
{environment}python={python}
main={main}
if [ -x "$python" ] && [ -f "$main" ]; then
    exec "$python" -I -S "$main" "$@"
fi
echo {advice}
exit 1
"""
_CMD = """\
@echo off
rem {program}: {mark}; `az acr scope configure-docker --remove` takes it away.
{environment}if not exist {python} goto missing
if not exist {main} goto missing
{python} -I -S {main} %*
exit /b %errorlevel%
:missing
echo {advice}
exit /b 1
"""


Sources = dict[str, dict[str, str]]  # for each host `credential`, and where given `client_id`, `tenant`, `subscription`


@dataclass
class Plan:
    """What is to be changed.

    :ivar before: the helper that each host has now in the client's file, None for none.
    :ivar program: the launcher's place, None if there is no launcher and none is to be written.
    :ivar launcher: its text; empty if it is to be taken away, None if it is as it should be.
    :ivar sources: the settings of each host that is set up; None when hosts are taken out.
    """

    file: Path
    before: dict[str, str | None]
    program: Path | None
    launcher: str | None
    sources: Sources | None
    settings_change: bool
    warnings: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> list[str]:
        """The hosts whose entry in the client's file changes."""
        if self.sources is None:
            return [host for host, helper in self.before.items() if helper == HELPER]
        return [host for host, helper in self.before.items() if helper != HELPER]

    @property
    def empty(self) -> bool:
        return not self.hosts and self.launcher is None and not self.settings_change


def client_file(client: str) -> Path:
    """The file whose `credHelpers` a client reads.

    For podman not the one it signs in to, which is gone after a restart, but the one beside it that it reads, too.
    """
    if client == "podman" and not os.environ.get("REGISTRY_AUTH_FILE"):
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "containers" / "auth.json"
    return Path(os.path.abspath(clients._FILES[client]()))


def plan(sources: Sources, client: str, bin_dir: str | None) -> Plan:
    """What it takes to let a client ask the helper for these hosts.

    :raises FileOperationError: the client's file cannot be read, or something else is where the launcher belongs.
    :raises ValidationError: there is no directory for the launcher.
    """
    file = client_file(client)
    content = credential_file.read(file)
    helpers = content.get("credHelpers") or {}
    before = {host: helpers.get(host) for host in sorted(sources)}
    program = _program(_bin_dir(bin_dir))
    text, settings = launcher(), state.settings()
    made = Plan(
        file,
        before,
        program,
        text if _read_ours(program) != text else None,
        sources,
        any(settings.get(host) != source for host, source in sources.items()),
    )
    auths = content.get("auths") or {}
    made.warnings += [_errors.helper_replaces(host, name) for host, name in before.items() if name not in (None, HELPER)]
    made.warnings += [_errors.helper_shadows(host, str(file)) for host in before if host in auths]
    if client == "podman":
        signed_in = credential_file.read(clients._FILES["podman"]()).get("auths") or {}
        made.warnings += [_errors.helper_is_shadowed(host) for host in before if host in signed_in and host not in auths]
    if len({*before, *(host for host, name in helpers.items() if name == HELPER)}) > MANY:
        made.warnings.append(_errors.helper_many(MANY))
    if str(program.parent) not in _path():
        made.warnings.append(_errors.helper_not_on_path(str(program.parent)))
    return made


def plan_removal(chosen: Callable[[str], bool], client: str, bin_dir: str | None) -> Plan:
    """What it takes to undo that for the hosts that are chosen. What is not ours stays.

    The launcher goes once no client that is known here has a host left for it.
    """
    file = client_file(client)
    helpers = credential_file.read(file).get("credHelpers") or {}
    before = {host: name for host, name in sorted(helpers.items()) if name == HELPER and chosen(host)}
    places = {client_file(each) for each in clients._FILES}
    left = [host for place in places for host in _our_hosts(place) if place != file or host not in before]
    program = _program(Path(bin_dir)) if bin_dir else _installed()
    launcher = "" if not left and program and _read_ours(program) is not None else None
    unused = {host for host in state.settings() if chosen(host)} - set(left)
    return Plan(file, before, program, launcher, None, bool(unused))


def describe(plan: Plan) -> list[str]:
    """The changes, for people: the launcher's text and the lines of the client's file."""
    lines = []
    if plan.launcher:
        lines += [f"Write {plan.program}:", *(f"    {line}" for line in plan.launcher.splitlines())]
    elif plan.launcher == "":
        lines.append(f"Delete {plan.program}")
    if plan.hosts:
        lines.append(f"Change credHelpers in {plan.file}:")
    for host in plan.hosts:
        if plan.before[host] is not None:
            lines.append(f'  - "{host}": "{plan.before[host]}"')
        if plan.sources is not None:
            lines.append(f'  + "{host}": "{HELPER}"')
    if plan.settings_change:
        lines.append(f"Change {state.settings_file()}:")
        lines += [f"  - {host}" if source is None else f"  + {host}: {_named(source)}" for host, source in _settings(plan)]
    return lines


def _named(source: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in source.items())


def apply(plan: Plan) -> list[dict[str, str]]:
    """Make the changes; a row for each host with `loginServer` and `result`.

    `result` is `added`, `replaced` (another helper was set), `unchanged` or `removed`. The client's file comes last
    when hosts are added and first when they are taken out: it never names a helper that is not there.

    :raises FileOperationError: a file cannot be written.
    """
    if plan.sources is None:
        _edit_helpers(plan)
        _edit_settings(plan)
        login.erase(list(plan.before))
        _write_launcher(plan)
    else:
        _write_launcher(plan)
        _edit_settings(plan)
        _edit_helpers(plan)
    return [{"loginServer": host, "result": _result(plan, helper)} for host, helper in plan.before.items()]


def _result(plan: Plan, before: str | None) -> str:
    if plan.sources is None:
        return "removed"
    if before is None:
        return "added"
    return "unchanged" if before == HELPER else "replaced"


def _edit_helpers(plan: Plan) -> None:
    if not plan.hosts:
        return
    with credential_file.edit(plan.file) as content:
        helpers = content.get("credHelpers") or {}
        for host in plan.hosts:
            if plan.sources is not None:
                helpers[host] = HELPER
            elif helpers.get(host) == HELPER:
                del helpers[host]
        content["credHelpers"] = helpers
        if not helpers:
            del content["credHelpers"]


def _edit_settings(plan: Plan) -> None:
    if not plan.settings_change:
        return
    with credential_file.edit(Path(state.settings_file())) as content:
        hosts = content.setdefault("hosts", {})
        for host in plan.before:
            if plan.sources is None:
                hosts.pop(host, None)
            else:
                hosts[host] = plan.source


def _write_launcher(plan: Plan) -> None:
    if plan.launcher is None:
        return
    try:
        if not plan.launcher:
            plan.program.unlink(missing_ok=True)
            return
        plan.program.parent.mkdir(parents=True, exist_ok=True)
        credential_file.write(plan.program, plan.launcher.encode(), mode=0o755)
    except OSError as error:
        raise _errors.launcher_unwritable(str(plan.program), error.strerror or type(error).__name__) from None


def launcher() -> str:
    """The launcher's text, for the interpreter and the extension that run now."""
    main = os.path.join(cli.ROOT, "azext_acrscope", "helper", "__main__.py")
    folder = os.environ.get("AZURE_CONFIG_DIR")
    folder = os.path.abspath(os.path.expanduser(folder)) if folder else ""
    if os.name == "nt":
        quoted = {"python": f'"{sys.executable}"'.replace("%", "%%"), "main": f'"{main}"'.replace("%", "%%")}
        setting = f'if not defined AZURE_CONFIG_DIR set "AZURE_CONFIG_DIR={folder}"\n'.replace("%", "%%")
        text = _CMD.format(
            program=PROGRAM, mark=_MARK, advice=_ADVICE, environment=setting if folder else "", **quoted
        )
        return text.replace("\n", "\r\n")
    setting = f"[ -n \"$AZURE_CONFIG_DIR\" ] || export AZURE_CONFIG_DIR={shlex.quote(folder)}\n"
    return _SH.format(
        program=PROGRAM,
        mark=_MARK,
        advice=shlex.quote(_ADVICE),
        environment=setting if folder else "",
        python=shlex.quote(sys.executable),
        main=shlex.quote(main),
    )


def _program(folder: Path) -> Path:
    return folder / (f"{PROGRAM}.cmd" if os.name == "nt" else PROGRAM)


def _read_ours(program: Path) -> str | None:
    """The launcher that is there; None if there is none.

    :raises FileOperationError: what is there is not ours.
    """
    text = ""
    try:
        with open(program, encoding="utf-8", newline="") as file:
            text = file.read(65536)
    except FileNotFoundError:
        if not program.is_symlink():
            return None
    except (OSError, UnicodeDecodeError):
        pass  # a program, a folder, or another's file: nothing of ours
    if _MARK not in text:
        raise _errors.launcher_not_ours(str(program))
    return text


def _installed() -> Path | None:
    """Our launcher on PATH, if there is one."""
    for folder in _path():
        program = _program(Path(folder))
        if os.path.lexists(program) and _is_ours(program):
            return program
    return None


def _is_ours(program: Path) -> bool:
    from azure.cli.core.azclierror import FileOperationError

    try:
        return _read_ours(program) is not None
    except FileOperationError:
        return False


def _our_hosts(file: Path) -> list[str]:
    helpers = credential_file.read(file).get("credHelpers") or {}
    return [host for host, name in helpers.items() if name == HELPER]


def _path() -> list[str]:
    """The directories of PATH; relative ones are nobody's."""
    return [folder.rstrip(os.sep) for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]


def _bin_dir(chosen: str | None) -> Path:
    """Where the launcher goes: the directory chosen, else that where it is, else the user's own on PATH.

    The usual places first, for the first one on PATH may be an environment's that is not always active.

    :raises ValidationError: no directory on PATH will do.
    """
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    installed = _installed()
    if installed:
        return installed.parent
    on_path = _path()
    usual = [str(Path.home() / ".local" / "bin"), str(Path.home() / "bin"), "/usr/local/bin"]
    for folder in [*(each for each in usual if each in on_path), *on_path]:
        if _will_do(folder):
            return Path(folder)
    raise _errors.no_bin_dir(str(Path.home() / ".local" / "bin"))


def _will_do(folder: str) -> bool:
    """Whether it is the user's own, nobody else may write there, and it is no virtual environment's."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK):
        return False
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o002):
        return False
    return not (Path(folder).parent / "pyvenv.cfg").exists()
