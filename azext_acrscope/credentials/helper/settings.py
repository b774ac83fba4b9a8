"""The helper's settings as `configure-docker` reads and writes them: all of the file that `state` reads the hosts of.

``{"hosts": {HOST: {"credential", …}}, "files": [FILE], "undo": {FILE: {"credsStore": NAME, "credHelpers": {HOST:
NAME}}}}``. `files` are the clients' files that were ever written here, wherever DOCKER_CONFIG and its like pointed
then. `undo` is what to do to a file on the way back: the `credsStore` to take out, and the helpers to put in again.
"""

from pathlib import Path
from typing import Any

from azext_acrscope.base.foreign_json import find_object, find_value
from azext_acrscope.credentials import credential_file
from azext_acrscope.credentials.helper import errors, state


def read_hosts() -> dict[str, dict[str, str]]:
    """Return the settings of each host.

    :raises FileOperationError: they cannot be read.
    """
    try:
        return state.read_settings()
    except state.Unreadable as error:
        raise errors.unreadable_state(error) from None


def read_files() -> list[Path]:
    """Return the clients' files that were ever written here. Errors are those of `read_hosts`."""
    return [Path(each) for each in _files(_read())]


def added_store(file: Path) -> str:
    """Return the `credsStore` that was added to a client's file; empty if none was."""
    found = find_value(_read(), "undo", str(file), "credsStore")
    return found if isinstance(found, str) else ""


def replaced_helpers(file: Path) -> dict[str, str]:
    """Return the helper of each host that was replaced in a client's file."""
    found = find_object(_read(), "undo", str(file), "credHelpers")
    return {host: name for host, name in found.items() if isinstance(name, str)}


def save(
    hosts: dict[str, dict[str, str] | None],
    file: Path,
    added: bool,
    store: str | None,
    helpers: dict[str, str | None],
) -> None:
    """Keep the settings that change.

    :param hosts: their new settings; None for a host that is taken out.
    :param added: hosts are added to the client's file, rather than taken out.
    :param store: the `credsStore` to take out of the file on the way back; None if that stays as it is.
    :param helpers: those to put in again; None where there is nothing to put in.
    :raises FileOperationError: they cannot be read or written.
    """
    with credential_file.edit_json_file(Path(state.settings_file()), _unreadable) as content:
        known = content["hosts"] = find_object(content, "hosts")
        if added:
            content["files"] = sorted({*_files(content), str(file)})
        undo = find_object(content, "undo", str(file))
        undo = {**undo, **({"credsStore": store} if store is not None else {})}
        undo["credHelpers"] = {**find_object(undo, "credHelpers"), **helpers}
        undo["credHelpers"] = {host: name for host, name in undo["credHelpers"].items() if name is not None}
        undo = {name: value for name, value in undo.items() if value}
        content["undo"] = {**find_object(content, "undo"), str(file): undo}
        content["undo"] = {name: value for name, value in content["undo"].items() if value}
        if not content["undo"]:
            del content["undo"]
        for host, source in hosts.items():
            if source is None:
                known.pop(host, None)
            else:
                known[host] = source


def _read() -> dict[str, Any]:
    return credential_file.read_json_file(Path(state.settings_file()), _unreadable)


def _unreadable(file: str, _: str) -> Exception:
    return errors.helper_settings_unreadable(file)


def _files(content: dict[str, Any]) -> list[str]:
    found = content.get("files")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
