"""Our own credential helper and `configure-docker`."""

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    AzureResponseError,
    FileOperationError,
    RequiredArgumentMissingError,
    UnauthorizedError,
    ValidationError,
)

from azext_acrscope.tokens import plain, redact_strictly


def in_one_line(error: AzCLIError) -> str:
    """An error with its advice, as a container client shows it of a credential helper."""
    what = error.error_msg.strip()
    advice = [f"Run: {each}" if each.startswith("az ") else each for each in error.recommendations]
    return " ".join(" ".join([what if what.endswith(".") else f"{what}.", *advice]).split())


def helper_said(error: Exception) -> str:
    """Any error, for a container client to show."""
    return f"acrscope: {helper_reason(error)}"


def helper_reason(error: Exception) -> str:
    """Any error, in one line."""
    from knack.util import CLIError

    if isinstance(error, AzCLIError):
        text = in_one_line(error)
    elif isinstance(error, CLIError):
        text = f"The Azure CLI failed: {redact_strictly(str(error))}"
    else:
        text = (
            f"docker-credential-acrscope failed in an unforeseen way ({type(error).__name__}). "
            "`az acr scope login --name LOGIN_SERVER --expose-token --debug` makes the same requests and tells more."
        )
    return " ".join(text.split())


def helper_slow(seconds: float) -> AzCLIError:
    return AzureConnectionError(f"It took longer than {seconds:g} seconds.", "Check the network and HTTPS_PROXY.")


def helper_failed_before(why: str) -> AzCLIError:
    """The error of another process that was waited for, once more; it has its advice in it."""
    return AzureResponseError(why)


NAME_HELPERS_LOGIN_SERVER = "A login server, such as NAME.azurecr.io, is taken as it is: give that with --name."


def no_host_selected() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was selected.", "Name some with --name, or take all of the subscription with --all."
    )


def launcher_not_ours(file: str) -> AzCLIError:
    return FileOperationError(
        f"There is another program at {file}, which is left alone.",
        "Give another directory on PATH with --bin-dir DIR, or move that program away.",
    )


def launcher_unwritable(file: str, why: str) -> AzCLIError:
    return FileOperationError(f"{file} cannot be written: {why}.", "Give another directory on PATH with --bin-dir DIR.")


def no_bin_dir(usual: str) -> AzCLIError:
    return ValidationError(
        "No directory on PATH is your own and writable, so there is no place for docker-credential-acrscope.",
        f"Name one with --bin-dir, for example --bin-dir {usual}, and put it on PATH.",
    )


def helper_not_on_path(folder: str) -> str:
    """A warning, not an error."""
    return (
        f"{folder} is not on PATH: clients will not find docker-credential-acrscope there. Add it for them, for "
        f'example with the line export PATH="$PATH:{folder}" in your profile.'
    )


def helper_replaces(login_server: str, helper: str) -> str:
    """A warning, not an error."""
    return f"{login_server} has another credential helper now, docker-credential-{plain(helper)}, which is replaced."


def helper_shadows(login_server: str, file: str) -> str:
    """A warning, not an error."""
    return (
        f"The credential for {login_server} in {file} is no longer used. `docker logout {login_server}` "
        "(or `podman logout`) removes it."
    )


def helper_is_shadowed(login_server: str) -> str:
    """A warning, not an error."""
    return (
        f"podman is signed in to {login_server} and uses that credential first: `podman logout {login_server}` removes "
        "it."
    )


def helper_many(many: int) -> str:
    """A warning, not an error."""
    return (
        f"More than {many} registries have the helper: `docker build` without BuildKit asks it for each of them, every "
        "time."
    )


def helper_settings_unreadable(file: str) -> AzCLIError:
    return FileOperationError(
        f"The settings of docker-credential-acrscope in {file} cannot be read, so it is not known whose token to use.",
        "Delete the file, then `az acr scope configure-docker` writes it anew.",
    )


def helper_account_gone(login_server: str, subscription: str) -> AzCLIError:
    return AuthenticationError(
        f"{login_server} was set up for the account of subscription {plain(subscription)}, which is not signed in.",
        recommendation=[
            "Sign in to it with `az login`;",
            f"`az acr scope configure-docker --name {login_server}` is for the account in use from now on.",
        ],
    )


def helper_limited_token_over(login_server: str) -> AzCLIError:
    return UnauthorizedError(
        f"The token for some repositories of {login_server}, which a login handed over, has expired.",
        [
            f"`az acr scope login --name {login_server} --repository NAME` makes another one;",
            f"`docker logout {login_server}` goes back to all that the account may do.",
        ],
    )


def helper_renewal_busy(login_server: str, seconds: float) -> AzCLIError:
    return AzureConnectionError(
        f"Another process has been fetching a token for {login_server} for {seconds:g} seconds.",
        "Repeat the command; if it stays so, `az acr scope login --expose-token` shows what takes so long.",
    )


def helper_renewal_failed(login_server: str, why: str) -> str:
    """A warning, not an error."""
    return f"acrscope: the credential for {login_server} is still valid, but could not be renewed: {why}"
