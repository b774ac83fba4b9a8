"""Errors and sentences of docker-credential-acrscope: its launcher, its answers, renewing tokens."""

import re

from azure.cli.core.azclierror import (
    AuthenticationError,
    AzCLIError,
    AzureConnectionError,
    AzureResponseError,
    FileOperationError,
    UnauthorizedError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, sentence
from azext_acrscope.base.tokens import redact_secrets, safe_word
from azext_acrscope.credentials.helper import state


def _in_one_line(error: AzCLIError) -> str:
    """Return an error with its advice in one line, as a container client shows it for a credential helper."""
    what = error.error_msg.strip()
    # Commands stand in lines of their own, after a sentence that ends with a colon.
    lines = [re.sub(r"(?<!:)\n", "; ", each) for each in error.recommendations]
    advice = [f"Run: {each}" if each.startswith("az ") else each for each in lines]
    return sentence(" ".join(" ".join([what if what.endswith(".") else f"{what}.", *advice]).split()))


def helper_said(error: Exception) -> str:
    """Return any error as one line for a container client to show."""
    return sentence(f"acrscope: {helper_reason(error)}")


def helper_reason(error: Exception) -> str:
    """Return any error as one line."""
    from knack.util import CLIError

    if isinstance(error, state.Unreadable):
        error = unreadable_state(error)
    if isinstance(error, AzCLIError):
        text = _in_one_line(error)
    elif isinstance(error, CLIError):
        text = f"The Azure CLI failed: {redact_secrets(str(error))}"
    else:
        text = (
            f"docker-credential-acrscope failed in an unexpected way ({type(error).__name__}). "
            "`az acr scope login --name LOGIN_SERVER --expose-token --debug` makes the same requests and prints more."
        )
    return sentence(" ".join(text.split()))


def helper_slow(seconds: float) -> AzCLIError:
    """Return the error for a helper that took too long."""
    return cli_error(
        AzureConnectionError, f"It took longer than {seconds:g} seconds.", "Check the network and HTTPS_PROXY."
    )


def helper_failed_before(why: str) -> AzCLIError:
    """Return the error of another process that this one waited for; it already contains the advice."""
    return cli_error(AzureResponseError, why)


def launcher_not_ours(file: str) -> AzCLIError:
    """Return the error for another program in the launcher's place."""
    return cli_error(
        FileOperationError,
        f"{file} is another program. It was not changed.",
        "Give another directory on PATH with --bin-dir DIR, or move that program.",
    )


def launcher_unwritable(file: str, why: str) -> AzCLIError:
    """Return the error for a launcher that cannot be written."""
    return cli_error(
        FileOperationError, f"{file} cannot be written: {why}.", "Give another directory on PATH with --bin-dir DIR."
    )


def launcher_repaired(file: str) -> str:
    """Return the line on a launcher that named a CLI which has moved."""
    return sentence(f"{file} named an Azure CLI that is gone. It was written again and names this one.")


def launcher_missing() -> str:
    """Return the remark that no launcher is on PATH."""
    return sentence(
        "docker-credential-acrscope is not on PATH, so no client finds it. "
        "`az acr scope configure-docker --name LOGIN_SERVER` installs it."
    )


def launcher_dead(file: str, why: str) -> str:
    """Return the remark on a launcher that does not work."""
    return sentence(f"{file} does not work: {' '.join(why.split()).rstrip('.')}.")


def nobody_asks_helper(login_server: str) -> str:
    """Return the remark on a host that no client has the helper for."""
    return sentence(
        f"No client here asks the helper for {login_server}. `az acr scope configure-docker --name {login_server}` "
        "changes that."
    )


def nothing_configured() -> str:
    """Return the line on a helper without any host."""
    return sentence("The helper is not set up for any registry.")


def not_configured(name: str) -> str:
    """Return the line on a registry that was named and is not set up."""
    return sentence(f"The helper is not set up for {name}. `az acr scope configure-docker --name {name}` changes that.")


def nobody_signed_in(login_server: str, subscription: str) -> str:
    """Return the remark on a host whose account is not signed in.

    :param subscription: the one that was chosen for it; empty for that in use.
    """
    if subscription:
        return helper_reason(helper_account_gone(login_server, subscription))
    return sentence("The Azure CLI is not signed in. Run: az login")


def no_bin_dir(usual: str) -> AzCLIError:
    """Return the error for a PATH without a directory for the launcher.

    :param usual: a directory to suggest.
    """
    return cli_error(
        ValidationError,
        "No directory on PATH belongs to you and is writable, so docker-credential-acrscope cannot be installed.",
        f"Give one with --bin-dir, for example --bin-dir {usual}, and add it to PATH.",
    )


def helper_not_on_path(folder: str) -> str:
    """Return the warning that the launcher's directory is not on PATH."""
    return sentence(
        f"{folder} is not on PATH, so clients will not find docker-credential-acrscope there. Add it, for "
        f'example with the line export PATH="$PATH:{folder}" in your profile.'
    )


def launcher_changes_hands(program: str, before: str) -> str:
    """Return the warning that the launcher was made for another configuration of the CLI.

    :param before: that configuration's directory; empty for the usual one.
    """
    return sentence(
        f"{program} was made for the configuration of the Azure CLI in {before or '~/.azure'}. Clients that run "
        "without AZURE_CONFIG_DIR get this one's credentials now. To keep both, give this one a directory of its own "
        "with --bin-dir, and put that first on PATH only where it is meant."
    )


def helper_replaces(login_server: str, helper: str) -> str:
    """Return the warning that a registry's helper is replaced."""
    return sentence(
        f"{login_server} has another credential helper, docker-credential-{safe_word(helper)}, which is replaced."
    )


def helper_shadows(login_server: str, file: str) -> str:
    """Return the warning that a stored credential is no longer used."""
    return sentence(
        f"The credential for {login_server} in {file} is no longer used. `docker logout {login_server}` "
        "(or `podman logout`) removes it."
    )


def helper_is_shadowed(client: str, login_server: str) -> str:
    """Return the warning that podman, or its kin, uses a stored credential before the helper."""
    return sentence(
        f"{client} is signed in to {login_server} and uses that credential first. `{client} logout {login_server}` "
        "removes it."
    )


def helper_many(many: int) -> str:
    """Return the warning that very many registries have the helper."""
    return sentence(
        f"More than {many} registries have the helper. `docker build` without BuildKit calls it for each of them, "
        "every "
        "time."
    )


def unreadable_state(error: state.Unreadable) -> AzCLIError:
    """Return the error for the helper's settings, or the CLI's profile, that cannot be read."""
    if error.file == state.settings_file():
        return helper_settings_unreadable(error.file)
    return cli_error(
        FileOperationError,
        f"The Azure CLI's file {error.file} cannot be read, so it is not known who is signed in.",
        "Run `az account clear`, then `az login`. If the file is still there, delete it first.",
    )


def helper_cache_replaced(file: str, why: str) -> str:
    """Return the warning that a cache that could not be read is replaced, with what was lost."""
    return sentence(
        f"acrscope: the cache {file} could not be read and was replaced: {why}. Tokens are fetched again. Where "
        "`docker login` stored another user's credential, repeat it."
    )


def helper_settings_unreadable(file: str) -> AzCLIError:
    """Return the error for settings of the helper that cannot be read."""
    return cli_error(
        FileOperationError,
        f"The settings of docker-credential-acrscope in {file} cannot be read, so the account to use is not known.",
        "Delete the file, then run `az acr scope configure-docker` to write it again.",
    )


def helper_account_gone(login_server: str, subscription: str) -> AzCLIError:
    """Return the error for a registry whose account is no longer signed in."""
    return cli_error(
        AuthenticationError,
        f"{login_server} was set up for the account of subscription {safe_word(subscription)}, which is not signed in.",
        recommendation=[
            "Sign in to it with `az login`.",
            f"`az acr scope configure-docker --name {login_server}` uses the active account from now on.",
        ],
    )


def helper_limited_token_over(login_server: str) -> AzCLIError:
    """Return the error for an expired token that was limited to some repositories."""
    return cli_error(
        UnauthorizedError,
        f"The token for some repositories of {login_server}, which a login stored, has expired.",
        [
            f"`az acr scope login --name {login_server} --repository NAME` stores another one.",
            f"`docker logout {login_server}` goes back to all rights of the account.",
        ],
    )


def helper_renewal_busy(login_server: str, seconds: float) -> AzCLIError:
    """Return the error for a renewal in another process that takes too long."""
    return cli_error(
        AzureConnectionError,
        f"Another process has been fetching a token for {login_server} for {seconds:g} seconds.",
        "Repeat the command. If it fails again, `az acr scope login --expose-token` shows what takes so long.",
    )


def helper_renewal_failed(login_server: str, why: str) -> str:
    """Return the warning that a credential that is still valid could not be renewed."""
    return sentence(f"acrscope: the credential for {login_server} is still valid, but could not be renewed: {why}")
