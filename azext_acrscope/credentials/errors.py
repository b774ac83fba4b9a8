"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    AzureInternalError,
    AzureResponseError,
    ClientRequestError,
    FileOperationError,
    UnauthorizedError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, registries, sentence
from azext_acrscope.base.tokens import redact_secrets, safe_word


def stored_until(client: str, store: str, until: str | None) -> str:
    return sentence(
        f"{client}: {store} holds a credential" + (f" until {until}." if until else " that does not say how long.")
    )


def stored_expired(client: str, store: str, until: str | None, login_server: str) -> tuple[str, str]:
    return (
        f"{client}: the credential in {store} expired on {until}.",
        f"`az acr scope login --name {login_server}` stores a new one; `az acr scope logout` removes it.",
    )


def stored_by_helper(client: str, helper: str) -> str:
    return sentence(f"{client}: {helper} makes a credential whenever it is needed; it was not asked for one.")


def stored_by_arm_helper(client: str, helper: str, login_server: str) -> tuple[str, str]:
    return (
        f"{client}: {helper} signs in with ARM-audience tokens, which stops working with the status `disabled`.",
        f"`az acr scope configure-docker --name {login_server}` replaces it with a helper for the ACR audience.",
    )


def in_one_line(error: AzCLIError) -> str:
    """An error with its advice, as a container client shows it of a credential helper."""
    what = error.error_msg.strip()
    advice = [f"Run: {each}" if each.startswith("az ") else each for each in error.recommendations]
    return sentence(" ".join(" ".join([what if what.endswith(".") else f"{what}.", *advice]).split()))


def helper_said(error: Exception) -> str:
    """Any error, for a container client to show."""
    return sentence(f"acrscope: {helper_reason(error)}")


def helper_reason(error: Exception) -> str:
    """Any error, in one line."""
    from knack.util import CLIError

    if isinstance(error, AzCLIError):
        text = in_one_line(error)
    elif isinstance(error, CLIError):
        text = f"The Azure CLI failed: {redact_secrets(str(error))}"
    else:
        text = (
            f"docker-credential-acrscope failed in an unforeseen way ({type(error).__name__}). "
            "`az acr scope login --name LOGIN_SERVER --expose-token --debug` makes the same requests and tells more."
        )
    return sentence(" ".join(text.split()))


def helper_slow(seconds: float) -> AzCLIError:
    return cli_error(
        AzureConnectionError, f"It took longer than {seconds:g} seconds.", "Check the network and HTTPS_PROXY."
    )


def helper_failed_before(why: str) -> AzCLIError:
    """The error of another process that was waited for, once more; it has its advice in it."""
    return cli_error(AzureResponseError, why)


def launcher_not_ours(file: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"There is another program at {file}, which is left alone.",
        "Give another directory on PATH with --bin-dir DIR, or move that program away.",
    )


def launcher_unwritable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError, f"{file} cannot be written: {why}.", "Give another directory on PATH with --bin-dir DIR."
    )


def no_bin_dir(usual: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        "No directory on PATH is your own and writable, so there is no place for docker-credential-acrscope.",
        f"Name one with --bin-dir, for example --bin-dir {usual}, and put it on PATH.",
    )


def helper_not_on_path(folder: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"{folder} is not on PATH: clients will not find docker-credential-acrscope there. Add it for them, for "
        f'example with the line export PATH="$PATH:{folder}" in your profile.'
    )


def helper_replaces(login_server: str, helper: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"{login_server} has another credential helper now, docker-credential-{safe_word(helper)}, which is replaced."
    )


def helper_shadows(login_server: str, file: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"The credential for {login_server} in {file} is no longer used. `docker logout {login_server}` "
        "(or `podman logout`) removes it."
    )


def helper_is_shadowed(login_server: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"podman is signed in to {login_server} and uses that credential first: `podman logout {login_server}` removes "
        "it."
    )


def helper_many(many: int) -> str:
    """A warning, not an error."""
    return sentence(
        f"More than {many} registries have the helper: `docker build` without BuildKit asks it for each of them, every "
        "time."
    )


def helper_settings_unreadable(file: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The settings of docker-credential-acrscope in {file} cannot be read, so it is not known whose token to use.",
        "Delete the file, then `az acr scope configure-docker` writes it anew.",
    )


def helper_account_gone(login_server: str, subscription: str) -> AzCLIError:
    return cli_error(
        AuthenticationError,
        f"{login_server} was set up for the account of subscription {safe_word(subscription)}, which is not signed in.",
        recommendation=[
            "Sign in to it with `az login`;",
            f"`az acr scope configure-docker --name {login_server}` is for the account in use from now on.",
        ],
    )


def helper_limited_token_over(login_server: str) -> AzCLIError:
    return cli_error(
        UnauthorizedError,
        f"The token for some repositories of {login_server}, which a login handed over, has expired.",
        [
            f"`az acr scope login --name {login_server} --repository NAME` makes another one;",
            f"`docker logout {login_server}` goes back to all that the account may do.",
        ],
    )


def helper_renewal_busy(login_server: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureConnectionError,
        f"Another process has been fetching a token for {login_server} for {seconds:g} seconds.",
        "Repeat the command; if it stays so, `az acr scope login --expose-token` shows what takes so long.",
    )


def helper_renewal_failed(login_server: str, why: str) -> str:
    """A warning, not an error."""
    return sentence(f"acrscope: the credential for {login_server} is still valid, but could not be renewed: {why}")


def less_granted(login_server: str, missing: dict[str, list[str]]) -> str:
    """A warning, not an error."""
    parts = "; ".join(f"{', '.join(actions)} in {name}" for name, actions in missing.items())
    return sentence(f"{login_server} grants this account less than was asked for, without {parts}.")


def sign_ins_failed(failed: int, total: int) -> AzCLIError:
    others = "The others are signed in. " if failed < total else ""
    return cli_error(
        ClientRequestError,
        f"{failed} of {registries(total)} could not be signed in to; the reasons stand in the rows.",
        f"{others}Repeat the command with the failed ones once the reason is mended.",
    )


def unexpected(login_server: str, kind: str) -> AzCLIError:
    return cli_error(
        AzureInternalError,
        f"Signing in to {login_server} failed in a way that was not foreseen ({kind}).",
        "Repeat the command with --debug, and report what it says.",
    )


class FileBusyError(FileOperationError):
    """Another process keeps a file: unlike other file errors, it may help to wait."""


# --- container clients -----------------------------------------------------------------------------------------------


def client_not_on_path(client: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"{client} is not on PATH.",
        "Install it, or write the credential without it: --auth-file FILE.",
    )


def client_not_found(command: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"DOCKER_COMMAND names '{command}', which cannot be found or run.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or unset it.",
    )


def client_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    how = f"failed with exit code {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"
    advice = [f"`az acr scope login --name {login_server} --expose-token` shows the credential without a client."]
    if "Identity token" in said:  # podman will not replace what docker wrote
        advice.insert(0, f"`{client} logout {login_server}` removes the entry that is in the way.")
    return cli_error(
        ClientRequestError,
        f"The registry accepted the sign-in, but `{client} login {login_server}` {how}: {said or 'it said nothing'}",
        advice,
    )


def client_timed_out(client: str, login_server: str, seconds: int) -> AzCLIError:
    return cli_error(
        ClientRequestError,
        f"`{client} login {login_server}` did not end within {seconds} seconds and was stopped.",
        "A credential helper may be waiting for an answer: try the same client by hand.",
    )


def logout_failed(client: str, login_server: str, exit_code: int, said: str) -> AzCLIError:
    return cli_error(
        ClientRequestError,
        f"`{client} logout {login_server}` failed with exit code {exit_code}: {said or 'it said nothing'}",
        "The credential may still be there: try the same command by hand.",
    )


def nothing_stored(store: str) -> str:
    """A reason in a row, not an error, as are the next two."""
    return sentence(f"{store} has no credential for it.")


def nothing_stored_for(name: str) -> str:
    return sentence(f"No credential is stored for a registry named '{name}'.")


def somebody_elses(store: str, username: str) -> str:
    return sentence(
        f"{store} has a credential of the user '{safe_word(username)}' for it, which no sign-in put there: it stays."
    )


def still_stored(login_server: str, store: str) -> AzCLIError:
    return cli_error(
        ClientRequestError,
        f"The logout ended without an error, but {store} still has the credential for {login_server}.",
        "Its credential helper may have failed: try the same logout by hand.",
    )


def identity_token_in_the_way(login_server: str, file: str, own: str) -> AzCLIError:
    program = "podman" if file == own else "docker"
    return cli_error(
        ValidationError,
        f"podman refuses to log in to {login_server}: {file} holds an identity token for it, as docker writes it.",
        [
            f"`{program} logout {login_server}` takes it out; then repeat the command. Or leave it there and write "
            f"podman's own file, which podman reads first: --auth-file {own}",
        ],
    )


# --- credential helpers ----------------------------------------------------------------------------------------------


def helper_not_found(program: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The client's configuration names the credential helper {program}, which is not on PATH.",
        "Install it, take it out of `credHelpers` or `credsStore`, or give another place with --auth-file FILE.",
    )


def helper_failed(program: str, action: str, host: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"`{program} {action}` failed for {host}: {why or 'it said nothing'}",
        "The helper keeps the client's credentials: try it by hand, or give another place with --auth-file FILE.",
    )


def too_large_for_wincred(login_server: str, size: int, limit: int) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The token for {login_server} has {size} bytes, and Windows Credential Manager (wincred) takes {limit} at "
        "most. Nothing was stored, and nothing was deleted.",
        [
            "`az acr scope configure-docker` installs a helper without that limit for this registry;",
            "--auth-file FILE writes a credential file instead.",
        ],
    )


# --- what shadows a credential: sentences, no errors -----------------------------------------------------------------


def shadowed_by_variable(host: str) -> str:
    return sentence(
        f"docker reads the environment variable DOCKER_AUTH_CONFIG first, and it has a credential for {host}: unset it."
    )


def shadowed_by_helper(host: str, file: str, helper: str, for_all: bool) -> str:
    member = "credsStore" if for_all else f"credHelpers[{host}]"
    readers = "docker and others look there" if for_all else "clients ask it"
    return sentence(
        f"{file} names the helper {helper} as {member}: {readers} and not at the credential just written to `auths`."
    )


def shadowed_by_auth_file(named: str) -> str:
    return sentence(
        f"The environment variable REGISTRY_AUTH_FILE names {named}: podman, skopeo and buildah read that file instead."
    )


def shadowed_by_repositories(host: str, file: str, keys: list[str]) -> str:
    return sentence(
        f"{file} has credentials for single repositories, which come before the one for {host}: {', '.join(keys)}."
    )


def shadowed_for_helm(host: str, file: str) -> str:
    return sentence(
        f"helm reads {file} first, and it has an older credential for {host}: `helm registry logout {host}` removes it."
    )


def helper_makes_another(host: str) -> str:
    return sentence(
        f"The helper makes a new token for the next pull from {host}: "
        f"`az acr scope configure-docker --name {host} --remove` ends that."
    )


def literal_tilde(variable: str, value: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"{variable} is '{value}': docker takes the ~ to the letter, and there is no such directory.",
        f'Set {variable}="$HOME{value[1:]}".',
    )


# --- credential files ------------------------------------------------------------------------------------------------


def credential_file_unreadable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The credential file {file} cannot be read: {why}. It was left as it is.",
        "Mend it, or move it away and sign in anew to every registry that it held.",
    )


def credential_file_unwritable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The credential file {file} cannot be written: {why}. It was left as it is.",
        "Give another place with --auth-file FILE, or for docker with the environment variable DOCKER_CONFIG.",
    )


def credential_file_locked(file: str, lock: str, seconds: float) -> AzCLIError:
    return cli_error(
        FileBusyError,
        f"Another process has kept the credential file {file} for {seconds:g} seconds.",
        f"Repeat the command once it has ended; the lock is {lock}.",
    )
