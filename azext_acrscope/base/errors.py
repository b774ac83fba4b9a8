"""What went wrong here, in words: the error, why, and the next command to type."""

from collections.abc import Sequence

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    NoTTYError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.text import one_line, replace_invalid
from azext_acrscope.base.tokens import redact_tokens


def cli_error(kind: type[AzCLIError], message: str, recommendation: str | list[str] | None = None) -> AzCLIError:
    """Return an error whose texts hold no token and nothing that a terminal obeys, whatever was put into them.

    They go to telemetry also.

    Every error of this project is made here; a test holds that.

    :param kind: a third-layer type of `azure.cli.core.azclierror`, or a class derived from one.
    :param message: what happened, and why.
    :param recommendation: the next command to type; several sentences are several lines.
    """
    texts = [recommendation] if isinstance(recommendation, str) else recommendation or []
    # Advice may have several lines: a command to copy stands on its own.
    advice = [replace_invalid(redact_tokens(text).replace("\r", " ")) for text in texts]
    return kind(one_line(redact_tokens(message)), recommendation=advice or None)


def sentence(text: str) -> str:
    """Return a sentence for people on one line, without tokens and without anything that a terminal obeys."""
    return one_line(redact_tokens(text))


def bad_registry_name(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a registry name: a name has 5 to 50 letters and digits and nothing else.",
        "Give the name (contoso), the login server (contoso.azurecr.io, contoso-e7gg.azurecr.io) or the resource ID.",
    )


def bad_registry_id(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the resource ID of a container registry.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
        "Microsoft.ContainerRegistry/registries/NAME. `az acr show --name NAME --query id` prints it.",
    )


def not_a_bare_host(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a bare login server: scheme, port, path and user info are not accepted.",
        "Give the host alone, for example contoso.azurecr.io.",
    )


def data_endpoint(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is a data endpoint: it serves image layers and is no login server, so no token is sent to it.",
        "Give the login server, for example contoso.azurecr.io.",
    )


def foreign_login_server(text: str, suffix: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not a login server of the cloud in use, whose registries are named NAME{suffix}. "
        "No token is sent to it.",
        "Check the spelling. For a registry of another cloud, `az cloud list --output table` and "
        "`az cloud set --name CLOUD` switch over.",
    )


def cloud_without_suffix(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"The cloud in use names no login server suffix, so '{text}' cannot be checked.",
        "`az cloud update --name CLOUD --suffix-acr-login-server-endpoint SUFFIX` sets it.",
    )


def exclusive(one: str, other: str) -> AzCLIError:
    return cli_error(
        MutuallyExclusiveArgumentError, f"{one} cannot be combined with {other}.", "Leave one of them out."
    )


def needs_yes(question: str, otherwise: str = ", or --dry-run to see the plan", because: str = "") -> AzCLIError:
    """Return the error for a question that nobody can answer. :param because: why it is asked, if not always."""
    required = "Confirmation is required"
    message = (
        f"{required} because {because}, and there is no terminal to ask at."
        if because
        else f"{required}, and there is no terminal to ask at: {question}"
    )
    return cli_error(NoTTYError, message, f"Add --yes to go ahead{otherwise}.")


def declined() -> AzCLIError:
    return cli_error(ManualInterrupt, "Nothing was changed: the question was answered with no.")


def with_advice(error: AzCLIError, advice: str) -> AzCLIError:
    """The same error with one more next step."""
    return type(error)(error.error_msg, recommendation=[*error.recommendations, advice])


def management_group_not_found(name: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"There is no management group '{name}' that the signed-in account may see.",
        "`az account management-group list --output table` shows their names.",
    )


def bad_proxy() -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        "The proxy address in the environment variable HTTPS_PROXY cannot be understood.",
        "It has the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT.",
    )


def bad_region(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the name of an Azure region.",
        "For example: --endpoint westeurope, or --endpoint all.",
    )


def output_unwritable(why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The report could not be printed as a whole: {why}. What was written of it is not all.",
        "Send it elsewhere, or name a place with --file: that is replaced by a whole report, or left as it is.",
    )


def client_in_working_directory(path: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"'{path}' lies in the working directory, or is found only from there, so it was not run: it could be "
        "anyone's program.",
        "Run the command from another directory, or set DOCKER_COMMAND to the absolute path of a trusted binary.",
    )


def client_not_runnable(path: str, why: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"'{path}' cannot be run: {why}.",
        "Set DOCKER_COMMAND to the absolute path of docker or podman, or mend PATH.",
    )


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: 1 registry, 2 registries."""
    return sentence(f"{number} {one if number == 1 else many}")


def registries(number: int) -> str:
    return sentence(counted(number, "registry", "registries"))


def subscriptions(number: int) -> str:
    return sentence(counted(number, "subscription", "subscriptions"))


def first(names: Sequence[str], most: int) -> str:
    """The first names of many: a, b, c …"""
    return sentence(", ".join(names[:most]) + (" …" if len(names) > most else ""))


def first_and_number(names: Sequence[str], most: int) -> str:
    """The first names of many, and how many there are besides: a, b, c and 4 more."""
    return sentence(", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else ""))
