"""The one way to make an error or a sentence, and the texts that several rooms share."""

from collections.abc import Sequence

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    NoTTYError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.text import one_line, replace_invalid
from azext_acrscope.base.tokens import redact_tokens


class NoHomeError(FileOperationError):
    """A user without a home directory, where a file would be in it: so there is no such file."""


def cli_error(kind: type[AzCLIError], message: str, recommendation: str | list[str] | None = None) -> AzCLIError:
    """Return an error whose texts hold no token and nothing that a terminal obeys, whatever was put into them.

    Error texts also go to telemetry.

    Every error of this project is made here; a test makes sure of it.

    :param kind: a third-layer type of `azure.cli.core.azclierror`, or a class derived from one.
    :param message: what happened, and why.
    :param recommendation: the next command to type; several sentences are printed as several lines.
    """
    texts = [recommendation] if isinstance(recommendation, str) else recommendation or []
    # Advice may have several lines: a command to copy stands on its own.
    advice = [replace_invalid(redact_tokens(text).replace("\r", " ")) for text in texts]
    return kind(one_line(redact_tokens(message)), recommendation=advice or None)


def sentence(text: str) -> str:
    """Return a sentence for people on one line, without tokens and without anything that a terminal obeys."""
    return one_line(redact_tokens(text))


def bad_registry_name(text: str) -> AzCLIError:
    """Return the error for a text that is not a registry name."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a registry name. A name has 5 to 50 letters and digits, and nothing else.",
        "Give the name (contoso), the login server (contoso.azurecr.io, contoso-e7gg.azurecr.io) or the resource ID.",
    )


def bad_registry_id(text: str) -> AzCLIError:
    """Return the error for a resource ID that is not the ID of a registry."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the resource ID of a container registry.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
        "Microsoft.ContainerRegistry/registries/NAME. `az acr show --name NAME --query id` prints it.",
    )


def not_a_bare_host(text: str) -> AzCLIError:
    """Return the error for a login server with a scheme, port, path or user name."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a bare login server. A scheme, port, path or user name is not accepted.",
        "Give only the host name, for example contoso.azurecr.io.",
    )


def data_endpoint(text: str) -> AzCLIError:
    """Return the error for a data endpoint given in place of a login server."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is a data endpoint, not a login server. It serves image layers. No token was sent to it.",
        "Give the login server, for example contoso.azurecr.io.",
    )


def foreign_login_server(text: str, suffix: str) -> AzCLIError:
    """Return the error for a host outside the active cloud.

    :param suffix: of the cloud's login servers, with its dot.
    """
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a login server of the active cloud, whose registries are named NAME{suffix}. "
        "No token was sent to it.",
        "Check the spelling. For a registry in another cloud, run `az cloud list --output table`, then "
        "`az cloud set --name CLOUD`.",
    )


def cloud_without_suffix(text: str) -> AzCLIError:
    """Return the error for a cloud that defines no login server suffix."""
    return cli_error(
        InvalidArgumentValueError,
        f"The active cloud defines no login server suffix, so '{text}' cannot be checked.",
        "`az cloud update --name CLOUD --suffix-acr-login-server-endpoint SUFFIX` sets it.",
    )


def exclusive(one: str, other: str) -> AzCLIError:
    """Return the error for two options that exclude each other."""
    return cli_error(
        MutuallyExclusiveArgumentError, f"{one} cannot be combined with {other}.", "Leave one of them out."
    )


def needs_yes(question: str, otherwise: str = ", or --dry-run to see the plan", because: str = "") -> AzCLIError:
    """Return the error for a question where there is no terminal.

    :param question: a whole sentence, with its question mark.
    :param otherwise: the other ways to go ahead, beginning with a comma.
    :param because: why confirmation is required here, if it is not required always.
    """
    required = "Confirmation is required"
    message = (
        f"{required} because {because}, and there is no terminal to ask at."
        if because
        else f"{required}, and there is no terminal to ask at: {question}"
    )
    return cli_error(NoTTYError, message, f"Add --yes to go ahead{otherwise}.")


def declined() -> AzCLIError:
    """Return the error for a question that was answered with no."""
    return cli_error(ManualInterrupt, "Nothing was changed because the answer was no.")


def with_advice(error: AzCLIError, advice: str) -> AzCLIError:
    """Return the same error with one more next step."""
    return type(error)(error.error_msg, recommendation=[*error.recommendations, advice])


CHECK_GROUP = "Or the group does not exist: `az account management-group list --output table` lists the names."


def management_group_not_found(name: str) -> AzCLIError:
    """Return the error for a management group that the account does not see."""
    return cli_error(
        ResourceNotFoundError,
        f"The signed-in account sees no management group '{name}'.",
        "`az account management-group list --output table` shows their names.",
    )


def bad_proxy() -> AzCLIError:
    """Return the error for a proxy address that is not valid."""
    return cli_error(
        InvalidArgumentValueError,
        "The proxy address in the environment variable HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY) is not valid.",
        "Use the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT. In a password, write / as %2F, ? as %3F, "
        "# as %23 and @ as %40.",
    )


def no_home(variable: str) -> AzCLIError:
    """Return the error for a user without a home directory, where a file is in it.

    :param variable: another one that says where the file is.
    """
    return cli_error(
        NoHomeError,
        "This user has no home directory: HOME is not set, and the user ID has no entry in /etc/passwd, as in a pod "
        "with a random user ID.",
        f"Set {variable}, or set HOME to a directory that this user can write.",
    )


def bad_ca_bundle(variable: str, file: str, why: str) -> AzCLIError:
    """Return the error for a file of trusted certificates that cannot be used.

    :param variable: that names it.
    """
    return cli_error(
        FileOperationError,
        f"{variable} names {file}, a file of trusted certificates that cannot be used: {why}. Nothing was sent.",
        f"Set {variable} to the file with the certificates to trust, in PEM form, or unset it.",
    )


def bad_region(text: str) -> AzCLIError:
    """Return the error for a text that is not the name of a region."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the name of an Azure region.",
        "For example: --endpoint westeurope, or --endpoint all.",
    )


def output_unwritable(why: str) -> AzCLIError:
    """Return the error for a report that could not be printed completely."""
    return cli_error(
        FileOperationError,
        f"The report could not be printed completely: {why}. The output so far is only a part of it.",
        "Write the report to a file with --file. The command replaces that file only with a complete report.",
    )


def client_in_working_directory(path: str) -> AzCLIError:
    """Return the error for a program that is found only from the working directory."""
    return cli_error(
        ValidationError,
        f"'{path}' is in the working directory, or is found only from there. It was not run because anyone may "
        "have put it there.",
        "Run the command from another directory, or set DOCKER_COMMAND to the absolute path of a trusted binary.",
    )


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: 1 registry, 2 registries."""
    return sentence(f"{number} {one if number == 1 else many}")


def registries(number: int) -> str:
    """Return a number of registries: 1 registry, 2 registries."""
    return sentence(counted(number, "registry", "registries"))


def subscriptions(number: int) -> str:
    """Return a number of subscriptions: 1 subscription, 2 subscriptions."""
    return sentence(counted(number, "subscription", "subscriptions"))


def first(names: Sequence[str], most: int) -> str:
    """Return the first names of many: a, b, c …"""
    return sentence(", ".join(names[:most]) + (" …" if len(names) > most else ""))


def first_and_number(names: Sequence[str], most: int) -> str:
    """Return the first names of many and the number of the others: a, b, c and 4 more."""
    return sentence(", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else ""))


def needs(option: str, other: str) -> AzCLIError:
    """Return the error for an option that requires another one."""
    return cli_error(RequiredArgumentMissingError, f"{option} requires {other}.", f"Add {other}.")


def bad_setting(name: str, value: str, expected: str) -> AzCLIError:
    """Return the error for a setting of the CLI with a wrong value.

    :param expected: what it should be, such as "a URL".
    """
    variable = f"AZURE_{name.replace('.', '_').upper()}"
    return cli_error(
        InvalidArgumentValueError,
        f"The setting {name} is '{value}', which is not {expected}.",
        f"`az config unset {name}` goes back to the default. Unset the environment variable {variable} also.",
    )
