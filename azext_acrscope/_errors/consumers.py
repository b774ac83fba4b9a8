"""Who uses a registry, and what is known about them."""

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope._errors.wording import counted, registries


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


# What else there is where nobody can be asked.
CONSUMERS_OTHERWISE = ", --skip-consumers to enforce without looking for consumers, or --dry-run to see the plan"


def consumers_question(name: str, breaks: int, unread: bool) -> str:
    """Asked before one registry is enforced."""
    why = [counted(breaks, "consumer breaks", "consumers break")] if breaks else []
    why += ["part of its consumers could not be read"] if unread else []
    return f"Enforce {name} although {' and '.join(why)}?"


def consumers_unread(count: int, parts: int) -> AzCLIError:
    return ValidationError(
        f"Before enforcing {registries(count)}: {counted(parts, 'part', 'parts')} of the "
        "search for their consumers could not be read (see above), so some may break unseen. Nothing was written.",
        [
            "Repeat it with the rights, or at the time, that let it be read: `az acr scope consumers` shows what is.",
            "--include-breaking goes on, with registries whose consumers are known to break as well; "
            "--skip-consumers goes on without looking. The record says so.",
        ],
    )


def consumers_unknown(consumers: int, count: int) -> str:
    """A sentence, not an error, as are the next two."""
    return (
        f"{counted(consumers, 'consumer', 'consumers')} of {registries(count)} may break or not, nobody knows: "
        "`az acr scope consumers` lists them."
    )


def consumers_not_asked(why: str) -> str:
    return f"Who uses the registries could not be asked, so consumers may break: {why.rstrip('.')}."


def subscription_unseen(subscription: str) -> str:
    return f"Subscription {subscription} is not visible in Resource Graph: registries and consumers there are unknown."


def no_registry_for_consumers() -> AzCLIError:
    return RequiredArgumentMissingError(
        "No registry is named.",
        "Name registries with --name, or take all of the subscription with --all, of a group with --resource-group, of "
        "all subscriptions with --all-subscriptions, of those below a management group with --management-group.",
    )


def no_such_registry_in_graph(name: str, group: str | None, tenant: str) -> AzCLIError:
    where = f"in a resource group '{group}' of" if group else "in"
    return ResourceNotFoundError(
        f"No registry named '{name}' was found {where} any subscription of tenant {tenant} that the account can see.",
        [
            *(["Check --resource-group, or what `az config get defaults.group` says."] if group else []),
            "`az account list --output table` shows the subscriptions; --subscription names one of another tenant.",
            "A registry made or moved minutes ago may not be in Resource Graph yet.",
        ],
    )


def no_registry_in_view(incomplete: list[str]) -> AzCLIError:
    return ResourceNotFoundError(
        " ".join(["There is no registry in view, so there is nobody to look for.", *incomplete]),
        "`az acr scope list` shows the registries of the same scope.",
    )


def tenant_not_asked(tenant: str, why: str) -> str:
    """A sentence, not an error."""
    return f"Tenant {tenant} could not be asked, so its registries and consumers are unknown: {why}"


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
