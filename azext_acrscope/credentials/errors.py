"""The errors and sentences of this room: what happened, why, and the command to type next."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    ClientRequestError,
    FileOperationError,
    InvalidArgumentValueError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, registries, sentence
from azext_acrscope.base.tokens import safe_word


def stored_until(client: str, store: str, until: str | None) -> str:
    """Return the observation of a stored credential.

    :param until: when it expires, as a person reads it; None if it does not say.
    """
    return sentence(
        f"{client}: {store} has a credential" + (f" until {until}." if until else " that does not say when it expires.")
    )


def stored_expired(client: str, store: str, until: str | None, login_server: str) -> tuple[str, str]:
    """Return the observation of an expired credential, and the next step."""
    return (
        f"{client}: the credential in {store} expired on {until}.",
        f"`az acr scope login --name {login_server}` stores a new one. `az acr scope logout` removes it.",
    )


def stored_by_helper(client: str, helper: str) -> str:
    """Return the observation of a credential helper that works, and that was not asked for a credential."""
    return sentence(
        f"{client}: {helper} works, and creates a credential when one is needed. This check did not request one."
    )


def listed_by_helper(client: str, helper: str, listed: bool) -> str:
    """Return the observation of a credential helper whose kind is not known, and that was only asked for its list."""
    has = "lists a credential for it" if listed else "works, and lists no credential for it"
    return sentence(f"{client}: {helper} {has}. This check did not request one.")


def served_by_no_helper(client: str, helper: str, registries_served: str, login_server: str) -> tuple[str, str]:
    """Return the observation of a helper that serves other registries and stores nothing, and the next step."""
    return (
        f"{client}: {helper} serves {registries_served} only. It stores no credential for {login_server}.",
        _use_own_helper(login_server),
    )


def stored_by_arm_helper(client: str, helper: str, login_server: str) -> tuple[str, str]:
    """Return the observation of a helper that uses the ARM audience, and the next step."""
    return (
        f"{client}: {helper} signs in with ARM-audience tokens, which stop working with the status `disabled`.",
        f"`az acr scope configure-docker --name {login_server}` replaces it with a helper that uses the ACR audience.",
    )


def less_granted(login_server: str, missing: dict[str, list[str]]) -> str:
    """Return the warning that a token grants less than was requested.

    :param missing: actions by repository.
    """
    parts = "; ".join(f"{', '.join(actions)} in {name}" for name, actions in missing.items())
    return sentence(f"{login_server} grants this account less than was requested. Missing: {parts}.")


def sign_ins_failed(failed: int, total: int) -> AzCLIError:
    """Return the error for sign-ins to several registries of which some failed."""
    others = "The others are signed in. " if failed < total else ""
    return cli_error(
        ClientRequestError,
        f"Sign-in failed for {failed} of {registries(total)}; see `reason`.",
        f"{others}Repeat the command for the failed ones after fixing the cause.",
    )


def secret_incomplete(failed: list[AzCLIError], total: int) -> AzCLIError:
    """Return the error for a secret of several registries of which some failed."""
    return cli_error(
        ClientRequestError,
        f"Sign-in failed for {len(failed)} of {registries(total)}, so no secret was printed: without those, it would "
        "replace one that still has them.",
        [each.error_msg for each in failed],
    )


def bad_secret_name(name: str) -> AzCLIError:
    """Return the error for a name that no Kubernetes secret can have."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{name}' cannot be the name of a Kubernetes secret. A name has at most 253 lower-case letters, digits, `-` "
        "and `.`, and each part between dots begins and ends with a letter or a digit.",
        "For example: --secret-name acr-pull",
    )


def bad_namespace(namespace: str) -> AzCLIError:
    """Return the error for a name that no Kubernetes namespace can have."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{namespace}' cannot be a Kubernetes namespace. A name has at most 63 lower-case letters, digits and `-`, "
        "and begins and ends with a letter or a digit.",
        "`kubectl get namespaces` lists them.",
    )


def unexpected(login_server: str, kind: str) -> AzCLIError:
    """Return the error for a sign-in that failed in an unexpected way."""
    return cli_error(
        AzureInternalError,
        f"Signing in to {login_server} failed in an unexpected way ({kind}).",
        "Repeat the command with --debug, and report its output.",
    )


# --- container clients -----------------------------------------------------------------------------------------------


def client_not_on_path(client: str) -> AzCLIError:
    """Return the error for a container client that is not on PATH."""
    return cli_error(
        ValidationError,
        f"{client} is not on PATH.",
        "Install it, or write the credential without it: --auth-file FILE.",
    )


def client_not_found(command: str) -> AzCLIError:
    """Return the error for a DOCKER_COMMAND that cannot be run."""
    return cli_error(
        ValidationError,
        f"DOCKER_COMMAND names '{command}', which was not found or cannot be run.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or unset it.",
    )


def client_not_runnable(path: str, why: str) -> AzCLIError:
    """Return the error for a container client that cannot be run."""
    return cli_error(
        ValidationError,
        f"'{path}' cannot be run: {why}.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or fix PATH.",
    )


def client_failed(client: str, login_server: str, exit_code: int, said: str, helper: str = "") -> AzCLIError:
    """Return the error for a container client whose login failed.

    :param exit_code: negative if a signal ended it.
    :param said: its output, without secrets.
    :param helper: the credential helper that keeps its credentials, if one does.
    """
    how = f"failed with exit code {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"
    kept_by = f" It keeps credentials with the credential helper {helper}." if helper else ""
    advice = [f"`az acr scope login --name {login_server} --expose-token` shows the credential without a client."]
    if "cross-device link" in said or "resource busy" in said:
        advice.insert(0, _file_not_renamed(client, login_server))
    if "Identity token" in said:  # podman will not replace what docker wrote
        advice.insert(0, f"`{client} logout {login_server}` removes the entry that is in the way.")
    if helper:
        advice = [f"`{helper} list` shows whether the helper works.", _use_own_helper(login_server), *advice]
    said = said or "it said nothing"
    return cli_error(
        ClientRequestError,
        f"The registry accepted the sign-in, but `{client} login {login_server}` {how}: "
        + (f"{said.rstrip('.')}.{kept_by}" if helper else said),
        advice,
    )


def _file_not_renamed(client: str, login_server: str) -> str:
    return sentence(
        f"{client} replaces its file by renaming another one, which fails where the file is a link to another file "
        "system, or is mounted by itself. Move the whole directory there instead of the file, or write through the "
        f"link: az acr scope login --name {login_server} --auth-file FILE"
    )


def client_timed_out(client: str, login_server: str, seconds: int) -> AzCLIError:
    """Return the error for a container client that did not end in time."""
    return cli_error(
        ClientRequestError,
        f"`{client} login {login_server}` did not end within {seconds} seconds and was stopped.",
        "A credential helper may be waiting for an answer. Run the same client by hand.",
    )


def logout_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    """Return the error for a container client whose logout failed.

    :param said: its output, without secrets.
    """
    return cli_error(
        ClientRequestError,
        f"`{client} logout {login_server}` failed with exit code {exit_code}: {said or 'it said nothing'}",
        "The credential may still be there. Run the same command by hand.",
    )


def nothing_stored(store: str) -> str:
    """Return the reason in a row for a store without a credential."""
    return sentence(f"{store} has no credential for it.")


def stored_elsewhere(client: str, file: str, login_server: str) -> str:
    """Return the sentence on a credential in a file that a client only reads."""
    return sentence(
        f"{client} also reads {file}, which has a credential. "
        f"`az acr scope logout --name {login_server} --auth-file {file}` removes it."
    )


def nothing_stored_for(name: str) -> str:
    """Return the reason in a row for a registry without a credential."""
    return sentence(f"No credential is stored for a registry named '{name}'.")


def somebody_elses(store: str, username: str) -> str:
    """Return the reason in a row for a credential of another user."""
    return sentence(
        f"{store} has a credential of the user '{safe_word(username)}' for it. No sign-in with Entra ID stored it, "
        "so it stays."
    )


def still_stored(login_server: str, store: str) -> AzCLIError:
    """Return the error for a credential that is still there after the logout."""
    return cli_error(
        ClientRequestError,
        f"The logout ended without an error, but {store} still has the credential for {login_server}.",
        "Its credential helper may have failed. Run the same logout by hand.",
    )


def identity_token_in_the_way(client: str, login_server: str, file: str, own: str) -> AzCLIError:
    """Return the error for an identity token that makes podman, or its kin, refuse the login.

    :param own: the client's own file.
    """
    advice = f"`az acr scope logout --name {login_server} --auth-file {file}` removes it; then repeat the command."
    if file != own:
        advice += f" Or keep it and write {client}'s own file, which {client} reads first: --auth-file {own}"
    return cli_error(
        ValidationError,
        f"{client} refuses to log in to {login_server}: {file} holds an identity token for it, which docker wrote.",
        advice,
    )


# --- credential helpers ----------------------------------------------------------------------------------------------


def helper_not_found(program: str, file: str | None = None) -> AzCLIError:
    """Return the error for a configured credential helper that is not on PATH, or that nobody may run.

    :param file: what is there, but is not executable.
    """
    named = f"The client's configuration names the credential helper {program}"
    if file:
        return cli_error(ValidationError, f"{named}, but {file} is not executable.", f"`chmod +x {file}` allows it.")
    return cli_error(
        ValidationError,
        f"{named}, which is not on PATH.",
        "Install it, remove it from `credHelpers` or `credsStore`, or give another file with --auth-file FILE.",
    )


def helper_of_others(client: str, program: str, registries_served: str, login_server: str) -> AzCLIError:
    """Return the error for a credential helper that stores nothing, and serves other registries."""
    return cli_error(
        ValidationError,
        f"{client} keeps credentials with {program}, which serves {registries_served} only and stores no credential "
        f"for {login_server}. No token was requested.",
        _use_own_helper(login_server),
    )


def _use_own_helper(login_server: str) -> str:
    return (
        f"`az acr scope configure-docker --name {login_server}` adds a credential helper for this registry alone to "
        "`credHelpers`. The other registries keep theirs."
    )


def how_it_ended(exit_code: int, said: str) -> str:
    """Return how a program ended that failed: its last words, or its exit code.

    :param exit_code: negative if a signal ended it.
    """
    how = f"exit code {exit_code}" if exit_code >= 0 else f"killed by signal {-exit_code}"
    return sentence(said if said and exit_code == 1 else f"{how}: {said or 'it said nothing'}")


def helper_failed(program: str, action: str, host: str, why: str) -> AzCLIError:
    """Return the error for a credential helper that failed.

    :param action: of the credential helper protocol: get, store, erase or list.
    """
    return cli_error(
        FileOperationError,
        f"`{program} {action}` failed for {host}: {why}",
        [
            "The helper stores the client's credentials. Run it by hand, or give another file with --auth-file FILE.",
            "`az acr scope configure-docker` adds a credential helper for single registries to `credHelpers`.",
        ],
    )


def too_large_for_wincred(login_server: str, size: int, limit: int) -> AzCLIError:
    """Return the error for a token that does not fit into Windows Credential Manager.

    :param size: of the token in bytes, as is the limit.
    """
    return cli_error(
        ValidationError,
        f"The token for {login_server} has {size} bytes, and Windows Credential Manager (wincred) takes at most "
        f"{limit}. Nothing was stored, and nothing was deleted.",
        [
            "`az acr scope configure-docker` installs a helper without that limit for this registry.",
            "--auth-file FILE writes a credential file instead.",
        ],
    )


# --- what shadows a credential: sentences, no errors -----------------------------------------------------------------


def shadowed_by_variable(host: str) -> str:
    """Return the sentence on a variable that docker reads first."""
    return sentence(
        f"docker reads the environment variable DOCKER_AUTH_CONFIG first, and it has a credential for {host}. Unset it."
    )


def shadowed_by_helper(host: str, file: str, helper: str, for_all: bool) -> str:
    """Return the sentence on a helper that clients use instead of the credential.

    :param for_all: whether it is the helper of all registries.
    """
    member = "credsStore" if for_all else f"credHelpers[{host}]"
    readers = "docker and others read that" if for_all else "clients call it"
    return sentence(
        f"{file} names the helper {helper} as {member}: {readers}, not the credential just written to `auths`."
    )


def shadowed_by_auth_file(named: str) -> str:
    """Return the sentence on a variable that names another file."""
    return sentence(
        f"The environment variable REGISTRY_AUTH_FILE names {named}: podman, skopeo and buildah read that file instead."
    )


def shadowed_by_repositories(host: str, file: str, keys: list[str]) -> str:
    """Return the sentence on credentials of repositories, which clients use first."""
    return sentence(
        f"{file} has credentials for single repositories, which clients use before the one for {host}: "
        f"{', '.join(keys)}."
    )


def shadowed_for_helm(host: str, file: str) -> str:
    """Return the sentence on an older credential that helm reads first."""
    return sentence(
        f"helm reads {file} first, and it has an older credential for {host}. `helm registry logout {host}` removes it."
    )


def helper_makes_another(host: str) -> str:
    """Return the sentence on a helper that gets a new token after a logout."""
    return sentence(
        f"The helper gets a new token for the next pull from {host}. "
        f"`az acr scope configure-docker --name {host} --remove` stops that."
    )
