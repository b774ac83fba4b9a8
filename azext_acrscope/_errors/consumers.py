"""Who uses a registry, and what is known about them."""

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope._errors.wording import counted, first, first_and_number, registries, subscriptions


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


_SHOWN = 3  # reasons or names in a sentence; the result has all
_SHOWN_SUBSCRIPTIONS = 10

# What else there is where nobody can be asked.
CONSUMERS_OTHERWISE = ", --skip-consumers to enforce without looking for consumers, or --dry-run to see the plan"


def consumers_question(name: str, breaks: int, unread: bool) -> str:
    """Asked before one registry is enforced."""
    why = [consumers_that_break(breaks)] if breaks else []
    why += ["part of its consumers could not be read"] if unread else []
    return f"Enforce {name} although {' and '.join(why)}?"


def consumers_unread(count: int, unread: list[str]) -> AzCLIError:
    """:param unread: a sentence for each part of the search that could not be read."""
    some = " ".join(unread[:_SHOWN]) + (f" And {len(unread) - _SHOWN} more." if len(unread) > _SHOWN else "")
    return ValidationError(
        f"Before enforcing {registries(count)}, part of the search for their consumers could not be read, so some may "
        f"break unseen. Nothing was written. {some}",
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
    said = [consumers_that_break(breaks)] if breaks else []
    if newly_refused:
        said.append(counted(newly_refused, "client is newly refused", "clients are newly refused"))
    if fail_on == "unknown":
        said += [counted(unknown, "consumer is unknown", "consumers are unknown")] if unknown else []
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


# --- sentences on why there may be more consumers than were found --------------------------------------------------


def rows_unread(number: int) -> str:
    return f"{counted(number, 'row', 'rows')} of Resource Graph could not be read."


def row_unread(resource: str) -> str:
    return f"The row of {resource} could not be read: which registries it uses is unknown."


def kind_unread(kind: str, why: str) -> str:
    """:param kind: in the plural, such as Batch pools."""
    return f"{kind} could not be read in Resource Graph ({why}): they are unknown."


def login_server_unknown(registry: str) -> str:
    return f"The login server of {registry} is not known, so neither is who names it in an image."


def site_without_row(site: str) -> str:
    return f"The settings of {site} may name a registry, and its own row is not there: it is unknown."


def containers_unread(site: str, why: str) -> str:
    return f"The containers of {site} could not be read ({why}): they are unknown."


def sign_in_unread(site: str, why: str) -> str:
    """:param why: with the space before it."""
    return f"How {site} signs in could not be read{why}: it is unknown."


SETTINGS_SILENT = "Its settings do not say."


def settings_unread(why: str) -> str:
    """:param why: with the space before it, as above."""
    return f"Its settings could not be read{why}."


def registry_in_a_variable(site: str) -> str:
    return f"An image of {site} names its registry by a variable: which one it is is unknown."


def role_unread(role: str) -> str:
    return f"Role {role} could not be read."


def assignments_unread(number: int) -> str:
    return f"{counted(number, 'role assignment', 'role assignments')} could not be read."


def roles_unseen(names: list[str]) -> str:
    """:param names: of the registries that no role assignment is visible for."""
    return (
        f"No role assignment is visible for {first_and_number(names, _SHOWN)}: to see roles takes "
        "Microsoft.Authorization/roleAssignments/read at a registry and above. AKS clusters are found by roles."
    )


def clusters_on_secrets(names: list[str]) -> str:
    """:param names: of AKS clusters that pull as an application: their role assignments cannot be told apart."""
    return (
        f"{counted(len(names), 'AKS cluster signs', 'AKS clusters sign')} in as a service principal "
        f"({first(names, _SHOWN)}): which registries they pull from is unknown; the service principal is among the "
        "principals with rights."
    )


# --- what is said of those that were found -------------------------------------------------------------------------

NOT_SEEN = "What no query sees, to be checked by hand (where and why: `notSeen` in the result, and in a report):"


def consumers_found(count: int, numbers: dict[str, int], broad: int, searched: list[str]) -> str:
    """:param count: of registries.
    :param numbers: of consumers by verdict: `breaks`, `works`, `unknown`.
    :param broad: of the unknown, those that may pull only by a broad role.
    :param searched: names of subscriptions.
    """
    places = first(searched, _SHOWN_SUBSCRIPTIONS)
    consumers = counted(sum(numbers.values()), "consumer", "consumers")
    by_chance = f" ({broad} of them may pull only by a broad role)" if broad else ""
    return (
        f"{registries(count)}, {consumers}: {numbers['breaks']} break, {numbers['works']} work, "
        f"{numbers['unknown']} unknown{by_chance}; searched {subscriptions(len(searched))}: {places}"
    )


def consumers_that_break(number: int) -> str:
    return counted(number, "consumer breaks", "consumers break")


def breaking_left_out(names: list[str]) -> str:
    """Why a registry is left out of a run. :param names: of its consumers that break."""
    return f"{consumers_that_break(len(names))} ({first(names, _SHOWN)}): --include-breaking changes it all the same"
