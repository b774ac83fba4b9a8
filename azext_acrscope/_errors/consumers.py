"""Who uses a registry, and what is known about them."""

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
    ValidationError,
)

from azext_acrscope._errors.wording import counted


def knowledge_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The knowledge in {file} could not be read: {why}.", "Name a file that you may read with --knowledge."
    )


def bad_knowledge(file: str, why: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"The knowledge in {file} cannot be used: {why}.",
        "It has the form of knowledge.json in the extension's folder consumers; every entry needs a verdict and a "
        "source with the date on which it was read. `az extension show --name acrscope --query path` prints where "
        "that is.",
    )


def break_question(name: str, breaks: int) -> str:
    return f"Enforce {name} although {counted(breaks, 'consumer breaks', 'consumers break')}?"


def consumers_not_asked(why: str) -> str:
    return f"Who uses the registries could not be asked, so consumers may break: {why.rstrip('.')}."


def no_registry_for_consumers() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry is named.",
        "Name registries with --name, or take all of the subscription with --all, of a group with --resource-group, of "
        "all subscriptions with --all-subscriptions.",
    )


def consumers_in_the_way(fail_on: str, breaks: int, unknown: int, incomplete: int, newly_refused: int) -> AzCLIError:
    said = [f"{counted(breaks, 'consumer breaks', 'consumers break')}"] if breaks else []
    if newly_refused:
        said.append(f"{counted(newly_refused, 'client is newly refused', 'clients are newly refused')}")
    if fail_on == "unknown":
        said += [f"{counted(unknown, 'consumer is unknown', 'consumers are unknown')}"] if unknown else []
        said += [f"{counted(incomplete, 'part', 'parts')} of the search could not be read"] if incomplete else []
    advice = ["The rows say why and what mends it; --knowledge FILE takes what your team knows better."]
    if newly_refused:
        advice.append(
            "Newly refused clients are in `logins` of their registry; "
            "`az acr scope enforce --status enabled --name REGISTRY` lets them in again."
        )
    return ValidationError(
        f"Not every consumer is known to work once only ACR-audience tokens are accepted: {', '.join(said)}.", advice
    )
