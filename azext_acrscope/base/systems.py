"""What differs between Linux, macOS and Windows: each rule once, for all three, so that any of them can be tested here.

The credential helper reads it on each `get`, so it imports nothing that a starting Python has not loaded.
"""

# pylint: disable=unused-argument  # a rule takes the same on each system

import os
import sys

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOWS_SUFFIX = ".exe"
# Links that stay while the version changes, in place of the folder that it names: Homebrew's, and mise's.
_STABLE_LINKS = (
    (r"^(.*)/Cellar/([^/]+)/[^/]+/", r"\1/opt/\2/"),
    (r"^(.*/mise/installs/[^/]+)/[^/]+/", r"\1/latest/"),
)


class Linux:
    """Rules of Linux, and of what is like it.

    :cvar has_owners: files have owners and modes.
    :cvar encrypts: what only its user may read is encrypted, because a mode says nothing.
    :cvar script_encoding: of the scripts that the system's shell runs.
    :cvar script_suffix: what the name of a script ends with, for programs to find it on PATH.
    """

    has_owners = True
    encrypts = False
    script_encoding = "utf-8"
    script_suffix = ""

    def keychain(self, find: "Callable[[str], str | None]") -> str:
        """Return the name of the credential helper that docker, helm and oras take by themselves.

        :param find: finds a program on PATH.
        """
        return "pass" if find("pass") else "secretservice"

    def containers_auth_file(self, home: str) -> str:
        """Return the file that podman and its kin sign in to, where no variable names one."""
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        return f"{runtime}/containers/auth.json" if runtime else f"/run/containers/{os.getuid()}/auth.json"

    def helm_folder(self, home: str) -> str:
        """Return helm's configuration folder, where no variable names one."""
        return f"{home}/.config/helm"

    def machine_name(self) -> str:
        """Return the name of this machine."""
        return os.uname().nodename

    def stable_path(self, program: str) -> str:
        """Return a program by a link that an upgrade keeps, if there is one that leads to the very same file."""
        import re

        for pattern, link in _STABLE_LINKS:
            stable = re.sub(pattern, link, program)
            if stable != program and os.path.exists(stable) and os.path.samefile(stable, program):
                return stable
        return program

    def arc_key_advice(self) -> str:
        """Return how a user gets the right to read the key file of Azure Arc's agent."""
        command = 'sudo usermod --append --groups himds "$USER"'
        return f"Add your user to the group himds, sign in to the machine again, then repeat the command:\n{command}"


class MacOS(Linux):
    """Rules of macOS."""

    def keychain(self, find: "Callable[[str], str | None]") -> str:
        """Return the name of the credential helper that docker, helm and oras take by themselves."""
        return "osxkeychain"

    def containers_auth_file(self, home: str) -> str:
        """Return the file that podman and its kin sign in to, where no variable names one."""
        return f"{home}/.config/containers/auth.json"

    def helm_folder(self, home: str) -> str:
        """Return helm's configuration folder, where no variable names one."""
        return f"{home}/Library/Preferences/helm"


class Windows(MacOS):
    """Rules of Windows."""

    has_owners = False
    encrypts = True
    script_encoding = "oem"  # cmd.exe reads a script in the machine's old code page
    script_suffix = ".cmd"

    def keychain(self, find: "Callable[[str], str | None]") -> str:
        """Return the name of the credential helper that docker, helm and oras take by themselves."""
        return "wincred"

    def helm_folder(self, home: str) -> str:
        """Return helm's configuration folder, where no variable names one."""
        return os.environ.get("APPDATA", home) + "\\helm"

    def machine_name(self) -> str:
        """Return the name of this machine."""
        return os.environ.get("COMPUTERNAME", "")

    def stable_path(self, program: str) -> str:
        """Return a program as it is: an upgrade by the MSI keeps the path."""
        return program

    def arc_key_advice(self) -> str:
        """Return how a user gets the right to read the key file of Azure Arc's agent."""
        return "Add your user to the local group 'Hybrid agent extension applications', then sign in again."


def this_system() -> Linux:
    """Return the rules of the system that this runs on."""
    return {"win32": Windows, "darwin": MacOS}.get(sys.platform, Linux)()


def program_names(command: str) -> "tuple[str, str]":
    """Return what a program's file may be called. WSL runs those of its host, by their whole name."""
    return command, command + _WINDOWS_SUFFIX


def plain_name(program: str) -> str:
    """Return a program's name as it is called everywhere: Docker Desktop writes `desktop.exe` in WSL."""
    return program[: -len(_WINDOWS_SUFFIX)] if program.lower().endswith(_WINDOWS_SUFFIX) else program
