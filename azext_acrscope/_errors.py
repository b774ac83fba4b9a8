"""The errors of the commands' arguments: what happened, why, and the command to type next."""

from azure.cli.core.azclierror import (
    AzCLIError,
    ClientRequestError,
    InvalidArgumentValueError,
    MutuallyExclusiveArgumentError,
    RequiredArgumentMissingError,
)

from azext_acrscope.base.errors import cli_error, sentence
from azext_acrscope.base.tokens import ACR_AUDIENCE, redact_secrets, safe_word


def no_registry() -> AzCLIError:
    """Return the error for a command without a registry."""
    return cli_error(RequiredArgumentMissingError, "No registry was named.", "For example: --name contoso.azurecr.io")


def empty_option(option: str) -> AzCLIError:
    """Return the error for an option with an empty value."""
    return cli_error(
        InvalidArgumentValueError,
        f"{option} is empty.",
        "Give it a value, or leave it out. If the value comes from a variable, check that it is set.",
    )


def stored_in_lower_case(text: str) -> str:
    """Return the warning that a login server was typed with capital letters."""
    return sentence(
        f"The credential is for {text.lower()}, in lower case. Clients do not find it for {text}: write the login "
        "server in lower case in the names of images."
    )


def bad_min_ttl(text: str) -> AzCLIError:
    """Return the error for a --min-ttl that is not a time."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a time of up to three hours, the lifetime of a registry's token.",
        "For example: --min-ttl 45m, or 1h30m.",
    )


def bad_repository(text: str) -> AzCLIError:
    """Return the error for a text that is not the name of a repository."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the name of a repository. A name has lower-case letters and digits, with `.`, `_`, `-` or "
        "`/` between.",
        "Give the name without the login server and the tag, for example team/app.",
    )


def nothing_selected() -> AzCLIError:
    """Return the error for `enforce` without a selection."""
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Give registries with --name or --ids, or select them with --resource-group, --all (the whole subscription), "
        "--all-subscriptions or --management-group.",
    )


def bad_tag(text: str) -> AzCLIError:
    """Return the error for a --tag that is not KEY=VALUE."""
    return cli_error(
        InvalidArgumentValueError, f"'{text}' does not have the form KEY=VALUE.", "For example: --tag environment=test"
    )


def tag_twice() -> AzCLIError:
    """Return the error for a --tag whose key was given twice."""
    return cli_error(
        InvalidArgumentValueError,
        "The same tag was given twice, but a registry has one value for each key.",
        "Run the command once for each value.",
    )


def bad_wave(text: str) -> AzCLIError:
    """Return the error for a --wave that is not a percentage."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a percentage of the registries.",
        "Give a percentage between 1% and 99%, for example --wave 10%.",
    )


def arm_audience_named(audience: str) -> str:
    """Return the warning that the CLI is configured to sign in with the ARM audience."""
    return sentence(
        f"The setting acr.audience_resource names {audience}. The command signs in with a token that gives access to "
        "far more than images."
    )


def nothing_to_check() -> AzCLIError:
    """Return the error for `check` without a selection."""
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Give registries with --name, or use --resource-group, --all, --all-subscriptions or --management-group.",
    )


def arm_audience_not_used(audience: str) -> str:
    """Return the warning that a check does not use the configured ARM audience."""
    return sentence(
        f"The setting acr.audience_resource names {audience}, the ARM audience. The check uses {ACR_AUDIENCE} instead."
    )


def no_registry_for_consumers() -> AzCLIError:
    """Return the error for `consumers` without a selection."""
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Give registries with --name, or use --all (the whole subscription), --resource-group, --all-subscriptions or "
        "--management-group.",
    )


def identity_option(option: str, credential: str) -> AzCLIError:
    """Return the error for an option that does not belong to a credential.

    :param credential: the value of --credential.
    """
    return cli_error(
        MutuallyExclusiveArgumentError,
        f"{option} cannot be used with --credential {credential}.",
        f"Leave out {option}, or use another --credential.",
    )


def bad_client_id(text: str) -> AzCLIError:
    """Return the error for a text that is not a client ID."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{safe_word(text)}' cannot be a client ID.",
        "Give the application (client) ID, which is a GUID.",
    )


NAME_HELPERS_LOGIN_SERVER = "A login server, such as NAME.azurecr.io, is used as it is. Give it with --name."


def no_host_selected() -> AzCLIError:
    """Return the error for `configure-docker` without a selection."""
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Give registries with --name, or use --all for the whole subscription.",
    )


def bad_days(text: str, longest: int) -> AzCLIError:
    """Return the error for a --days out of range.

    :param longest: the most days.
    """
    return cli_error(
        InvalidArgumentValueError,
        f"--days takes a whole number from 1 to {longest}, not '{redact_secrets(text)}'.",
        "Leave it out for the default of 7 days.",
    )


def remediation_begun(name: str, option: str) -> str:
    """Return the line on a remediation that has started.

    :param option: that names the scope, with the space before it.
    """
    return sentence(f"The remediation {name} has started: `az policy remediation show --name {name}{option}`")


def nothing_to_log_out_of() -> AzCLIError:
    """Return the error for `logout` without a selection."""
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was named.",
        "Give registries with --name, or use --all for every registry of the active cloud.",
    )


def logouts_failed(failed: int, total: int) -> AzCLIError:
    """Return the error for a logout in which some credentials were not removed."""
    return cli_error(
        ClientRequestError,
        f"{failed} of {total} credentials could not be removed; see `reason`.",
        "The others are removed. Repeat the command after fixing the cause.",
    )
