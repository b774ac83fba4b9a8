"""The errors of credential files: what happened, why, and the command to type next."""

from azure.cli.core.azclierror import AzCLIError, FileOperationError

from azext_acrscope.base.errors import cli_error


class FileBusyError(FileOperationError):
    """A file that another process keeps: unlike with other file errors, it may help to wait."""


def literal_tilde(variable: str, value: str) -> AzCLIError:
    """Return the error for a variable whose ~ docker does not expand."""
    return cli_error(
        FileOperationError,
        f"{variable} is '{value}': docker does not expand the ~, and there is no such directory.",
        f'Set {variable}="$HOME{value[1:]}".',
    )


def credential_file_unreadable(file: str, why: str) -> AzCLIError:
    """Return the error for a credential file that cannot be read."""
    return cli_error(
        FileOperationError,
        f"The credential file {file} cannot be read: {why}. The file was not changed.",
        "Fix it, or move it and sign in again to every registry in it.",
    )


class BrokenEntryError(FileOperationError):
    """An entry of a credential file that cannot be decoded."""


def auth_entry_broken(host: str, file: str, key: str) -> AzCLIError:
    """Return the error for an entry whose `auth` cannot be decoded."""
    return cli_error(
        BrokenEntryError,
        f"The entry '{key}' in {file} is broken: its 'auth' is not base64. Clients fail on it.",
        "Remove the entry from the file, then sign in again."
        if "/" in key and "://" not in key
        else f"`az acr scope logout --name {host} --auth-file {file}` removes the entry. Then sign in again.",
    )


def client_ignores_file(client: str, file: str, problem: str) -> AzCLIError:
    """Return the error for a file that a client cannot read, and would write anew with its credentials lost.

    :param problem: what it cannot read.
    """
    return cli_error(
        FileOperationError,
        f"{client} cannot read {file}: {problem}. Its next login would remove the other credentials from that file. "
        "The file was not changed.",
        "Fix that, or remove it from the file.",
    )


def credential_file_unwritable(file: str, why: str) -> AzCLIError:
    """Return the error for a credential file that cannot be written."""
    return cli_error(
        FileOperationError,
        f"The credential file {file} cannot be written: {why}. The file was not changed.",
        "Give another file with --auth-file FILE, or for docker with the environment variable DOCKER_CONFIG.",
    )


def credential_file_locked(file: str, lock: str, seconds: float) -> AzCLIError:
    """Return the error for a credential file that another process keeps locked."""
    return cli_error(
        FileBusyError,
        f"Another process has locked the credential file {file} for {seconds:g} seconds.",
        f"Repeat the command after it has ended. The lock is {lock}.",
    )
