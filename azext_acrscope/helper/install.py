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

from azext_acrscope import _errors, clients, credential_file, stores
from azext_acrscope.helper import cli, login, state

HELPER = stores.OUR_HELPER
PROGRAM = f"docker-credential-{HELPER}"
MANY = 20
_SYSTEM = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")  # the distribution's: nothing is put there unasked
_MARK = "written by `az acr scope configure-docker`"
# Without anything that a shell would take for its own.
_ADVICE = (
    "acrscope: the Azure CLI or its extension acrscope is no longer where it was. Install it, then run "
    "az acr scope configure-docker for this registry again, or with --remove to be rid of this helper."
)

_SH = """\
#!/bin/sh
# {program}: {mark}; `az acr scope configure-docker --remove` takes it away.
{environment}python={python}
main={main}
if [ -x "$python" ] && [ -f "$main" ]; then
    exec "$python" -I -S{options} "$main" "$@"
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

    :ivar file: the client's file.
    :ivar results: what comes of each host: `added`, `replaced` (another helper was set), `unchanged` or `removed`.
    :ivar helpers: the entries of `credHelpers` that change, as they are (None: missing) and as they will be.
    :ivar settings: the helper's settings that change; None for a host that is taken out.
    :ivar program: the launcher's place, None if there is no launcher and none is to be written.
    :ivar launcher: its text; empty if it is to be taken away, None if it is as it should be.
    """

    file: Path
    results: dict[str, str]
    helpers: dict[str, tuple[str | None, str | None]]
    settings: dict[str, dict[str, str] | None]
    program: Path | None
    launcher: str | None
    warnings: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.helpers or self.settings) and self.launcher is None


def client_file(client: str) -> Path:
    """The file whose `credHelpers` a client reads.

    For podman not the one it signs in to, which is gone after a restart, but the one beside it that it reads, too.
    """
    if client == "podman" and not os.environ.get("REGISTRY_AUTH_FILE"):
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "containers" / "auth.json"
    return clients.config_file(client)


def plan(sources: Sources, client: str, bin_dir: str | None) -> Plan:
    """What it takes to let a client ask the helper for these hosts.

    :raises FileOperationError: the client's file cannot be read, or something else is where the launcher belongs.
    :raises ValidationError: there is no directory for the launcher.
    """
    file = client_file(client)
    content = credential_file.read(file)
    helpers, known = content.get("credHelpers") or {}, state.settings()
    program, text = _program(_bin_dir(bin_dir)), launcher()
    made = Plan(
        file,
        results={host: _result(helpers.get(host)) for host in sorted(sources)},
        helpers={host: (helpers.get(host), HELPER) for host in sorted(sources) if helpers.get(host) != HELPER},
        settings={host: source for host, source in sorted(sources.items()) if known.get(host) != source},
        program=program,
        launcher=text if _read_ours(program) != text else None,
    )
    made.warnings += [_errors.helper_replaces(host, str(old)) for host, (old, _) in made.helpers.items() if old]
    made.warnings += [_errors.helper_shadows(host, str(file)) for host in sorted(_signed_in(content) & set(sources))]
    if client == "podman":
        first = clients.config_file("podman")
        in_the_way = set() if first == file else _signed_in(credential_file.read(first)) & set(sources)
        made.warnings += [_errors.helper_is_shadowed(host) for host in sorted(in_the_way)]
    if len(set(sources).union(_our_hosts(file))) > MANY:
        made.warnings.append(_errors.helper_many(MANY))
    if str(program.parent) not in _path():
        made.warnings.append(_errors.helper_not_on_path(str(program.parent)))
    return made


def plan_removal(chosen: Callable[[list[str]], list[str]], client: str, bin_dir: str | None) -> Plan:
    """What it takes to undo that for the hosts that `chosen` picks of those that are set up. What is not ours stays.

    The launcher goes once no client that is known here has a host left for it.
    """
    file = client_file(client)
    gone = chosen(_our_hosts(file))
    files = {client_file(each) for each in clients.KINDS}.union(_known_files())
    left = {host for each in files for host in _our_hosts(each) if each != file or host not in gone}
    program = _program(Path(os.path.abspath(os.path.expanduser(bin_dir)))) if bin_dir else _installed()
    unused = not left and program is not None and _read_ours(program) is not None
    return Plan(
        file,
        results=dict.fromkeys(gone, "removed"),
        helpers=dict.fromkeys(gone, (HELPER, None)),
        settings={host: None for host in chosen(list(state.settings())) if host not in left},
        program=program,
        launcher="" if unused else None,
    )


def describe(plan: Plan) -> list[str]:
    """The changes, for people: the launcher's text, and the lines of the other two files."""
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
    if plan.helpers:
        lines.append(f"Change credHelpers in {plan.file}:")
    for host, (old, new) in plan.helpers.items():
        lines += [f"    {sign} {host}: {name}" for sign, name in (("-", old), ("+", new)) if name is not None]
    return lines


def apply(plan: Plan) -> None:
    """Make the changes. The client's file comes last when hosts are added and first when they are taken out: it never
    names a helper that is not there.

    :raises FileOperationError: a file cannot be written.
    """
    if plan.launcher != "" and None not in plan.settings.values():
        _write_launcher(plan)
        _edit_settings(plan)
        _edit_helpers(plan)
    else:
        _edit_helpers(plan)
        _edit_settings(plan)
        login.erase([host for host, source in plan.settings.items() if source is None])
        _write_launcher(plan)


def _result(helper: str | None) -> str:
    if helper is None:
        return "added"
    return "unchanged" if helper == HELPER else "replaced"


def _edit_helpers(plan: Plan) -> None:
    if not plan.helpers:
        return
    with credential_file.edit(plan.file) as content:
        helpers = content.get("credHelpers") or {}
        for host, (old, new) in plan.helpers.items():
            if new is not None:
                helpers[host] = new
            elif helpers.get(host) == old:
                del helpers[host]
        content["credHelpers"] = helpers
        if not helpers:
            del content["credHelpers"]


def _edit_settings(plan: Plan) -> None:
    if not (plan.settings or plan.helpers):
        return
    with credential_file.edit(Path(state.settings_file())) as content:
        hosts = content.setdefault("hosts", {})
        if HELPER in [new for _, new in plan.helpers.values()]:
            content["files"] = sorted({*content.get("files", []), str(plan.file)})
        for host, source in plan.settings.items():
            if source is None:
                hosts.pop(host, None)
            else:
                hosts[host] = source


def _write_launcher(plan: Plan) -> None:
    if plan.launcher is None or plan.program is None:
        return
    try:
        if not plan.launcher:
            plan.program.unlink(missing_ok=True)
            return
        plan.program.parent.mkdir(parents=True, exist_ok=True)
        # cmd.exe reads a script in the machine's old code page, not in UTF-8.
        text = plan.launcher.encode("oem" if sys.platform == "win32" else "utf-8")
        credential_file.write(plan.program, text, mode=0o755)
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
        text = _CMD.format(program=PROGRAM, mark=_MARK, advice=_ADVICE, environment=setting if folder else "", **quoted)
        return text.replace("\n", "\r\n")
    setting = f'[ -n "$AZURE_CONFIG_DIR" ] || export AZURE_CONFIG_DIR={shlex.quote(folder)}\n'
    return _SH.format(
        program=PROGRAM,
        mark=_MARK,
        advice=shlex.quote(_ADVICE),
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


def _signed_in(content: dict[str, Any]) -> set[str]:
    """The hosts that a file holds a credential for; docker leaves an empty entry where a helper has it."""
    return {host for host, entry in (content.get("auths") or {}).items() if entry}


def _known_files() -> list[Path]:
    """The clients' files that were ever written here, wherever DOCKER_CONFIG and its like pointed then."""
    return [Path(each) for each in credential_file.read(Path(state.settings_file())).get("files", [])]


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
    if installed and (_read_ours(installed) == launcher() or _own_folder(str(installed.parent))):
        return installed.parent  # else it is another user's, on a machine that is shared
    on_path = _path()
    usual = [str(Path.home() / ".local" / "bin"), str(Path.home() / "bin"), "/usr/local/bin"]
    for folder in [*(each for each in usual if each in on_path), *on_path]:
        if _will_do(folder):
            return Path(folder)
    raise _errors.no_bin_dir(str(Path.home() / ".local" / "bin"))


def _will_do(folder: str) -> bool:
    """Whether it is the user's own, and no place for something else."""
    return _own_folder(folder) and folder not in _SYSTEM and not (Path(folder).parent / "pyvenv.cfg").exists()


def _own_folder(folder: str) -> bool:
    """Whether it is the user's own, who may write there, and not everybody."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK):
        return False
    return os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & 0o002)
