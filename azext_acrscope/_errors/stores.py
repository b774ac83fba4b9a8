"""Container clients, credential helpers and files, and what shadows a credential."""

from azure.cli.core.azclierror import (
    AzCLIError,
    ClientRequestError,
    FileOperationError,
    RequiredArgumentMissingError,
    ValidationError,
)

from azext_acrscope.tokens import plain


class FileBusyError(FileOperationError):
    """Another process keeps a file: unlike other file errors, it may help to wait."""


# --- container clients -----------------------------------------------------------------------------------------------


def client_not_on_path(client: str) -> AzCLIError:
    return ValidationError(
        f"{client} is not on PATH.",
        "Install it, or write the credential without it: --auth-file FILE.",
    )


def client_not_found(command: str) -> AzCLIError:
    return ValidationError(
        f"DOCKER_COMMAND names '{command}', which cannot be found or run.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or unset it.",
    )


def client_in_working_directory(path: str) -> AzCLIError:
    return ValidationError(
        f"'{path}' lies in the working directory, or is found only from there, so it was not run: it could be "
        "anyone's program.",
        "Run the command from another directory, or set DOCKER_COMMAND to the absolute path of a trusted binary.",
    )


def client_not_runnable(path: str, why: str) -> AzCLIError:
    return ValidationError(
        f"'{path}' cannot be run: {why}.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or mend PATH.",
    )


def client_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    how = f"failed with exit code {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"
    advice = [f"`az acr scope login --name {login_server} --expose-token` shows the credential without a client."]
    if "Identity token" in said:  # podman will not replace what docker wrote
        advice.insert(0, f"`{client} logout {login_server}` removes the entry that is in the way.")
    return ClientRequestError(
        f"The registry accepted the sign-in, but `{client} login {login_server}` {how}: {said or 'it said nothing'}",
        advice,
    )


def client_timed_out(client: str, login_server: str, seconds: int) -> AzCLIError:
    return ClientRequestError(
        f"`{client} login {login_server}` did not end within {seconds} seconds and was stopped.",
        "A credential helper may be waiting for an answer: try the same client by hand.",
    )


def logout_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    return ClientRequestError(
        f"`{client} logout {login_server}` failed with exit code {exit_code}: {said or 'it said nothing'}",
        "The credential may still be there: try the same command by hand.",
    )


def nothing_to_log_out_of() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was named.", "Name some with --name, or give --all: every registry of the cloud in use."
    )


def logouts_failed(failed: int, total: int) -> AzCLIError:
    return ClientRequestError(
        f"{failed} of {total} credentials could not be removed; the reasons stand in the rows.",
        "The others are removed. Repeat the command once the reason is mended.",
    )


def nothing_stored(store: str) -> str:
    """A reason in a row, not an error, as are the next two."""
    return f"{store} has no credential for it."


def nothing_stored_for(name: str) -> str:
    return f"No credential is stored for a registry named '{name}'."


def somebody_elses(store: str, username: str) -> str:
    return f"{store} has a credential of the user '{plain(username)}' for it, which no sign-in put there: it stays."


def still_stored(login_server: str, store: str) -> AzCLIError:
    return ClientRequestError(
        f"The logout ended without an error, but {store} still has the credential for {login_server}.",
        "Its credential helper may have failed: try the same logout by hand.",
    )


def identity_token_in_the_way(login_server: str, file: str, own: str) -> AzCLIError:
    program = "podman" if file == own else "docker"
    return ValidationError(
        f"podman refuses to log in to {login_server}: {file} holds an identity token for it, as docker writes it.",
        [
            f"`{program} logout {login_server}` takes it out; then repeat the command. Or leave it there and write "
            f"podman's own file, which podman reads first: --auth-file {own}",
        ],
    )


# --- credential helpers ----------------------------------------------------------------------------------------------


def helper_not_found(program: str) -> AzCLIError:
    return ValidationError(
        f"The client's configuration names the credential helper {program}, which is not on PATH.",
        "Install it, take it out of `credHelpers` or `credsStore`, or give another place with --auth-file FILE.",
    )


def helper_failed(program: str, action: str, host: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"`{program} {action}` failed for {host}: {why or 'it said nothing'}",
        "The helper keeps the client's credentials: try it by hand, or give another place with --auth-file FILE.",
    )


def too_large_for_wincred(login_server: str, size: int, limit: int) -> AzCLIError:
    return ValidationError(
        f"The token for {login_server} has {size} bytes, and Windows Credential Manager (wincred) takes {limit} at "
        "most. Nothing was stored, and nothing was deleted.",
        [
            "`az acr scope configure-docker` installs a helper without that limit for this registry;",
            "--auth-file FILE writes a credential file instead.",
        ],
    )


# --- what shadows a credential: sentences, no errors -----------------------------------------------------------------


def shadowed_by_variable(host: str) -> str:
    return (
        f"docker reads the environment variable DOCKER_AUTH_CONFIG first, and it has a credential for {host}: unset it."
    )


def shadowed_by_helper(host: str, file: str, helper: str, for_all: bool) -> str:
    member = "credsStore" if for_all else f"credHelpers[{host}]"
    readers = "docker and others look there" if for_all else "clients ask it"
    return f"{file} names the helper {helper} as {member}: {readers} and not at the credential just written to `auths`."


def shadowed_by_auth_file(named: str) -> str:
    return (
        f"The environment variable REGISTRY_AUTH_FILE names {named}: podman, skopeo and buildah read that file instead."
    )


def shadowed_by_repositories(host: str, file: str, keys: list[str]) -> str:
    return f"{file} has credentials for single repositories, which come before the one for {host}: {', '.join(keys)}."


def shadowed_for_helm(host: str, file: str) -> str:
    return (
        f"helm reads {file} first, and it has an older credential for {host}: `helm registry logout {host}` removes it."
    )


def helper_makes_another(host: str) -> str:
    return (
        f"The helper makes a new token for the next pull from {host}: "
        f"`az acr scope configure-docker --name {host} --remove` ends that."
    )


def literal_tilde(variable: str, value: str) -> AzCLIError:
    return FileOperationError(
        f"{variable} is '{value}': docker takes the ~ to the letter, and there is no such directory.",
        f'Set {variable}="$HOME{value[1:]}".',
    )


# --- credential files ------------------------------------------------------------------------------------------------


def credential_file_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The credential file {file} cannot be read: {why}. It was left as it is.",
        "Mend it, or move it away and sign in anew to every registry that it held.",
    )


def credential_file_unwritable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The credential file {file} cannot be written: {why}. It was left as it is.",
        "Give another place with --auth-file FILE, or for docker with the environment variable DOCKER_CONFIG.",
    )


def credential_file_locked(file: str, lock: str, seconds: float) -> AzCLIError:
    return FileBusyError(
        f"Another process has kept the credential file {file} for {seconds:g} seconds.",
        f"Repeat the command once it has ended; the lock is {lock}.",
    )
