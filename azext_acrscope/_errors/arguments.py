"""What the user typed, and what cannot be meant together."""

from azure.cli.core.azclierror import (
    AzCLIError,
    InvalidArgumentValueError,
    ManualInterrupt,
    MutuallyExclusiveArgumentError,
    NoTTYError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
)


def bad_registry_name(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a registry name: a name has 5 to 50 letters and digits and nothing else.",
        "Give the name (contoso), the login server (contoso.azurecr.io, contoso-e7gg.azurecr.io) or the resource ID.",
    )


def bad_registry_id(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the resource ID of a container registry.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
        "Microsoft.ContainerRegistry/registries/NAME. `az acr show --name NAME --query id` prints it.",
    )


def not_a_bare_host(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a bare login server: scheme, port, path and user info are not accepted.",
        "Give the host alone, for example contoso.azurecr.io.",
    )


def data_endpoint(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is a data endpoint: it serves image layers and is no login server, so no token is sent to it.",
        "Give the login server, for example contoso.azurecr.io.",
    )


def foreign_login_server(text: str, suffix: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a login server of the cloud in use, whose registries are named NAME{suffix}. "
        "No token is sent to it.",
        "Check the spelling. For a registry of another cloud, `az cloud list --output table` and "
        "`az cloud set --name CLOUD` switch over.",
    )


def cloud_without_suffix(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The cloud in use names no login server suffix, so '{text}' cannot be checked.",
        "`az cloud update --name CLOUD --suffix-acr-login-server-endpoint SUFFIX` sets it.",
    )


def bad_group(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' cannot be the name of a resource group.", "`az group list --output table` shows the groups."
    )


def bad_management_group(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' cannot be the name of a management group.",
        "`az account management-group list --output table` shows the groups; the name is wanted, not the display name.",
    )


def bad_subscription(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' cannot be the ID of a subscription.", "`az account list --output table` shows the subscriptions."
    )


def bad_name(text: str) -> AzCLIError:
    return InvalidArgumentValueError(f"'{text}' cannot be a name in Azure.", "Check the spelling.")


def bad_resource_id(text: object, resource_type: str) -> AzCLIError:
    kind = f" of the type {resource_type}" if resource_type else ""
    return InvalidArgumentValueError(
        f"'{str(text)[:200]}' cannot be a resource ID{kind}.",
        "An ID has the form /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/TYPE/NAME.",
    )


def group_contradicts_id(group: str, group_of_id: str) -> AzCLIError:
    return MutuallyExclusiveArgumentError(
        f"--resource-group '{group}' contradicts the resource ID, which names the group '{group_of_id}'.",
        "Leave --resource-group out.",
    )


def bad_setting(name: str, value: str, expected: str) -> AzCLIError:
    variable = f"AZURE_{name.replace('.', '_').upper()}"
    return InvalidArgumentValueError(
        f"The setting {name} is '{value}', which is not {expected}.",
        f"`az config unset {name}` goes back to the default; unset the environment variable {variable}, too.",
    )


def exclusive(one: str, other: str) -> AzCLIError:
    return MutuallyExclusiveArgumentError(f"{one} cannot be combined with {other}.", "Leave one of them out.")


def needs(option: str, other: str) -> AzCLIError:
    return RequiredArgumentMissingError(f"{option} means something with {other} only.", f"Add {other}.")


def no_registry() -> AzCLIError:
    return RequiredArgumentMissingError("No registry was named.", "For example: --name contoso.azurecr.io")


def empty_option(option: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"{option} is empty.", "Give it a value or leave it out; a variable that it was taken from may not be set."
    )


def bad_min_ttl(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not a time of up to three hours, which is how long a registry's token lives.",
        "For example: --min-ttl 45m, or 1h30m.",
    )


def bad_repository(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is not the name of a repository: lower-case letters, digits, and `.`, `_`, `-`, `/` between them.",
        "Give the name without the login server and the tag, for example team/app.",
    )


def nothing_selected() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry was selected.",
        "Name some with --name or --ids, or select with --resource-group, --all (of the subscription), "
        "--all-subscriptions or --management-group.",
    )


def nothing_matches(selection: str) -> AzCLIError:
    return ResourceNotFoundError(
        f"No registry matches the selection ({selection}).", "`az acr scope list` shows what there is."
    )


def bad_tag(text: str) -> AzCLIError:
    return InvalidArgumentValueError(f"'{text}' is not of the form KEY=VALUE.", "For example: --tag environment=test")


def tag_twice() -> AzCLIError:
    return InvalidArgumentValueError(
        "A tag was given twice: a registry has one value for each key.", "Run the command once for each value."
    )


def bad_wave(text: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"'{text}' is no share of the registries.", "Give a percentage between 1% and 99%, for example --wave 10%."
    )


def no_such_canary(names: list[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The plan changes no registry of this name, so it cannot go first: {', '.join(names)}. Nothing was written.",
        "Check the names given with --canary. One may be left out, for consumers of it break: `--dry-run` shows why.",
    )


def nothing_to_exclude(names: list[str]) -> AzCLIError:
    return InvalidArgumentValueError(
        f"No selected registry has this name, login server or ID, so it cannot be excluded: {', '.join(names)}. "
        "Nothing was written.",
        "Check the names given with --exclude; `--dry-run` shows the plan.",
    )


def needs_yes(question: str, otherwise: str = ", or --dry-run to see the plan") -> AzCLIError:
    return NoTTYError(
        f"{question} Nobody can be asked here: there is no terminal.",
        f"Add --yes to go ahead{otherwise}.",
    )


def declined() -> AzCLIError:
    return ManualInterrupt("Nothing was changed: the question was answered with no.")
