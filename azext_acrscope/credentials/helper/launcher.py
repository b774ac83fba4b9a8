"""The launcher `docker-credential-acrscope`: where it is, what is in it, and a new one where the CLI has moved.

Homebrew, mise and the like run az from a folder with its version in the name, which an upgrade takes away. So the
launcher finds the interpreter again, and any `az acr scope` command repairs a launcher that is dead.
"""

import os
import re
import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path

from azure.cli.core.azclierror import AzCLIError, FileOperationError

from azext_acrscope.base import files, systems
from azext_acrscope.base.regular_files import read_regular_file
from azext_acrscope.credentials import credential_file, stores
from azext_acrscope.credentials.helper import cli, errors

PROGRAM_NAME = f"docker-credential-{stores.OWN_HELPER}"
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
if ! [ -x "$python" ]; then # az has moved, as an upgrade does, and tells where it is now
    az=$(command -v az)
    case $az in
    /*) python=$("$az" --version 2>/dev/null </dev/null | sed -n "s/^Python location '\\(.*\\)'\\$/\\1/p") ;;
    esac
fi
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


def launcher_text(main: str = "", folder: str | None = None) -> str:
    """Return the launcher's text, for the interpreter that runs now.

    :param main: the extension's way in; by default of the one that runs now.
    :param folder: the CLI's configuration directory; empty for the usual one, by default that of the environment.
    """
    main = main or os.path.join(cli.EXTENSION_ROOT, "azext_acrscope", "credentials", "helper", "__main__.py")
    folder = configuration_folder() if folder is None else folder
    if systems.this_system().script_suffix:
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
        python=shlex.quote(systems.this_system().stable_path(sys.executable)),
        main=shlex.quote(main),
        options=_packages_option(),
    )


def configuration_folder() -> str:
    """Return the CLI's configuration directory that the environment names; empty for the usual one."""
    named = os.environ.get("AZURE_CONFIG_DIR")
    return os.path.abspath(os.path.expanduser(named)) if named else ""


def configuration_of(text: str) -> str:
    """Return the configuration directory that a launcher's text names; empty for the usual one."""
    on_windows = re.search(r'^if not defined AZURE_CONFIG_DIR set "AZURE_CONFIG_DIR=(.*)"\r?$', text, re.MULTILINE)
    return on_windows[1].replace("%%", "%") if on_windows else _assigned(text, "AZURE_CONFIG_DIR")


def repair_launcher() -> Path | None:
    """Write the launcher on PATH anew if the interpreter or the extension that it names is gone; return its path then.

    It is left alone if it works, for another az may be its own, and if it is not the user's. Errors do not count: no
    command is about this.
    """
    with suppress(AzCLIError, OSError, ValueError):
        program = installed_launcher()
        text = read_own_launcher(program) if program else None
        if program and text and not systems.this_system().script_suffix and is_own_folder(str(program.parent)):
            named = {name: _assigned(text, name) for name in ("python", "main", "AZURE_CONFIG_DIR")}
            has_main = os.path.isfile(named["main"])
            if not (has_main and os.access(named["python"], os.X_OK)):
                write_launcher(program, launcher_text(named["main"] if has_main else "", named["AZURE_CONFIG_DIR"]))
                return program
    return None


def _assigned(text: str, name: str) -> str:
    """What a shell launcher assigns to a variable; empty if it does not."""
    found = re.search(rf"(?:^|export ){name}=(.*)$", text, re.MULTILINE)
    return "".join(shlex.split(found[1])[:1]) if found else ""


def _packages_option() -> str:
    """Where the CLI is, if its own launcher says so in PYTHONPATH (the RPM's does), for -I leaves that out."""
    import azure.cli.core

    folder = str(Path(azure.cli.core.__file__).parents[3])
    named = [os.path.realpath(each) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    return " -X " + shlex.quote(f"{cli.PACKAGES_OPTION}={folder}") if os.path.realpath(folder) in named else ""


def launcher_path(folder: Path) -> Path:
    """Return the launcher's path in a folder."""
    return folder / f"{PROGRAM_NAME}{systems.this_system().script_suffix}"


def read_own_launcher(program: Path) -> str | None:
    """Return the launcher that is there; None if there is none.

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


def installed_launcher() -> Path | None:
    """Return our launcher on PATH, if there is one."""
    for folder in path_folders():
        program = launcher_path(Path(folder))
        if os.path.lexists(program) and _is_own_launcher(program):
            return program
    return None


def _is_own_launcher(program: Path) -> bool:
    try:
        return read_own_launcher(program) is not None
    except FileOperationError:
        return False


def path_folders() -> list[str]:
    """Return the directories of PATH; relative ones are nobody's."""
    return [folder.rstrip(os.sep) for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]


def choose_bin_dir(chosen: str | None) -> Path:
    """Return where the launcher goes: the directory chosen, else that where it is, else the user's own on PATH.

    The usual places first, for the first one on PATH may be an environment's that is not always active.

    :raises ValidationError: no directory on PATH will do.
    """
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    installed = installed_launcher()
    if installed and (read_own_launcher(installed) == launcher_text() or is_own_folder(str(installed.parent))):
        return installed.parent  # else it is another user's, on a machine that is shared
    on_path = path_folders()
    home = os.path.expanduser("~")  # stays as it is where nobody knows a home, and is no folder of PATH then
    usual = [f"{home}/.local/bin", f"{home}/bin", "/usr/local/bin"]
    for folder in [*(each for each in usual if each in on_path), *on_path]:
        if _is_usable_folder(folder):
            return Path(folder)
    raise errors.no_bin_dir(str(Path(home, ".local", "bin")))


def _is_usable_folder(folder: str) -> bool:
    """Whether it is the user's own, and no place for something else."""
    return is_own_folder(folder) and folder not in _SYSTEM_FOLDERS and not (Path(folder).parent / "pyvenv.cfg").exists()


def is_own_folder(folder: str) -> bool:
    """Return whether a folder is the user's own, who may write there, and not everybody."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK):
        return False
    return not systems.this_system().has_owners or (status.st_uid == os.geteuid() and not status.st_mode & 0o002)


def write_launcher(program: Path, text: str) -> None:
    """Write the launcher; an empty text takes it away.

    :raises FileOperationError: it cannot be written.
    """
    try:
        if not text:
            program.unlink(missing_ok=True)
            return
        program.parent.mkdir(parents=True, exist_ok=True)
        credential_file.replace_file(program, text.encode(systems.this_system().script_encoding), mode=0o755)
    except OSError as error:
        raise errors.launcher_unwritable(str(program), files.os_error_reason(error)) from None
