"""What went wrong here, in words: the error, why, and the next command to type."""

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
    return cli_error(RequiredArgumentMissingError, "No registry was named.", "For example: --name contoso.azurecr.io")


def empty_option(option: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"{option} is empty.",
        "Give it a value or leave it out; a variable that it was taken from may not be set.",
    )


def bad_min_ttl(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a time of up to three hours, which is how long a registry's token lives.",
        "For example: --min-ttl 45m, or 1h30m.",
    )


def bad_repository(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the name of a repository: lower-case letters, digits, and `.`, `_`, `-`, `/` between them.",
        "Give the name without the login server and the tag, for example team/app.",
    )


def nothing_selected() -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Name some with --name or --ids, or select with --resource-group, --all (of the subscription), "
        "--all-subscriptions or --management-group.",
    )


def bad_tag(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError, f"'{text}' is not of the form KEY=VALUE.", "For example: --tag environment=test"
    )


def tag_twice() -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        "A tag was given twice: a registry has one value for each key.",
        "Run the command once for each value.",
    )


def bad_wave(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is no share of the registries.",
        "Give a percentage between 1% and 99%, for example --wave 10%.",
    )


def arm_audience_named(audience: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"The setting acr.audience_resource names {audience}: signing in with a token that opens far more than images."
    )


def nothing_to_check() -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Name some with --name, or select with --resource-group, --all, --all-subscriptions or --management-group.",
    )


def arm_audience_not_used(audience: str) -> str:
    """A warning, not an error."""
    return sentence(
        f"The setting acr.audience_resource names {audience}, which is ARM's: checking with {ACR_AUDIENCE} instead."
    )


def no_registry_for_consumers() -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        "No registry is named.",
        "Name registries with --name, or take all of the subscription with --all, of a group with --resource-group, of "
        "all subscriptions with --all-subscriptions, of those below a management group with --management-group.",
    )


def identity_option(option: str, credential: str) -> AzCLIError:
    return cli_error(
        MutuallyExclusiveArgumentError,
        f"{option} means nothing with --credential {credential}.",
        f"Leave {option} out, or name another --credential.",
    )


def bad_client_id(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{safe_word(text)}' cannot be a client ID.",
        "Give the application (client) ID, which is a GUID.",
    )


NAME_HELPERS_LOGIN_SERVER = "A login server, such as NAME.azurecr.io, is taken as it is: give that with --name."


def no_host_selected() -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was selected.",
        "Name some with --name, or take all of the subscription with --all.",
    )


def bad_days(text: str, longest: int) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"--days takes a whole number from 1 to {longest}, not '{redact_secrets(text)}'.",
        "Leave it out for a week.",
    )


def remediation_begun(name: str, option: str) -> str:
    """:param option: that names the place, with the space before it."""
    return sentence(f"The remediation {name} has begun: `az policy remediation show --name {name}{option}`")


def nothing_to_log_out_of() -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        "No registry was named.",
        "Name some with --name, or give --all: every registry of the cloud in use.",
    )


def logouts_failed(failed: int, total: int) -> AzCLIError:
    return cli_error(
        ClientRequestError,
        f"{failed} of {total} credentials could not be removed; the reasons stand in the rows.",
        "The others are removed. Repeat the command once the reason is mended.",
    )
