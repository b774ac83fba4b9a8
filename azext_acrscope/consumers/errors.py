"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, first, first_and_number, registries, sentence, subscriptions
from azext_acrscope.base.resource_ids import name_in_id


def knowledge_unreadable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The knowledge in {file} could not be read: {why}.",
        "Name a file that you may read with --knowledge.",
    )


def bad_knowledge(file: str, why: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"The knowledge in {file} cannot be used: {why}.",
        "It has the form of knowledge.json in the extension's folder consumers; every entry needs a verdict and a "
        "source with the date on which it was read. `az extension show --name acrscope --query path` prints where "
        "that is.",
    )


_SHOWN = 3  # reasons or names in a sentence; the result has all


def consumers_not_asked(why: str) -> str:
    return sentence(f"Who uses the registries could not be asked, so consumers may break: {why.rstrip('.')}.")


def subscription_unseen(subscription: str) -> str:
    return sentence(
        f"Subscription {subscription} is not visible in Resource Graph: registries and consumers there are unknown."
    )


def no_such_registry_in_graph(name: str, group: str | None, tenant: str) -> AzCLIError:
    where = f"in a resource group '{group}' of" if group else "in"
    return cli_error(
        ResourceNotFoundError,
        f"No registry named '{name}' was found {where} any subscription of tenant {tenant} that the account can see.",
        [
            *(["Check --resource-group, or what `az config get defaults.group` says."] if group else []),
            "`az account list --output table` shows the subscriptions; --subscription names one of another tenant.",
            "A registry made or moved minutes ago may not be in Resource Graph yet.",
        ],
    )


def no_registry_in_view(incomplete: list[str]) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        " ".join(["There is no registry in view, so there is nobody to look for.", *incomplete]),
        "`az acr scope list` shows the registries of the same scope.",
    )


def tenant_not_asked(tenant: str, why: str) -> str:
    """A sentence, not an error."""
    return sentence(f"Tenant {tenant} could not be asked, so its registries and consumers are unknown: {why}")


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
    return cli_error(
        ValidationError,
        f"Not every consumer is known to work once only ACR-audience tokens are accepted: {', '.join(said)}.",
        advice,
    )


# --- sentences on why there may be more consumers than were found --------------------------------------------------


def rows_unread(number: int) -> str:
    return sentence(f"{counted(number, 'row', 'rows')} of Resource Graph could not be read.")


def row_unread(resource: str) -> str:
    return sentence(f"The row of {resource} could not be read: which registries it uses is unknown.")


def kind_unread(kind: str, why: str) -> str:
    """:param kind: in the plural, such as Batch pools."""
    return sentence(f"{kind} could not be read in Resource Graph ({why}): they are unknown.")


def login_server_unknown(registry: str) -> str:
    return sentence(f"The login server of {registry} is not known, so neither is who names it in an image.")


def site_without_row(site: str) -> str:
    return sentence(f"The settings of {site} may name a registry, and its own row is not there: it is unknown.")


def containers_unread(site: str, why: str) -> str:
    return sentence(f"The containers of {site} could not be read ({why}): they are unknown.")


def sign_in_unread(site: str, why: str) -> str:
    """:param why: with the space before it."""
    return sentence(f"How {site} signs in could not be read{why}: it is unknown.")


SETTINGS_SILENT = "Its settings do not say."


def settings_unread(why: str) -> str:
    """:param why: with the space before it, as above."""
    return sentence(f"Its settings could not be read{why}.")


def registry_in_a_variable(site: str) -> str:
    return sentence(f"An image of {site} names its registry by a variable: which one it is is unknown.")


def role_unread(role: str) -> str:
    return sentence(f"Role {role} could not be read.")


def assignments_unread(number: int) -> str:
    return sentence(f"{counted(number, 'role assignment', 'role assignments')} could not be read.")


def roles_unseen(names: list[str]) -> str:
    """:param names: of the registries that no role assignment is visible for."""
    return sentence(
        f"No role assignment is visible for {first_and_number(names, _SHOWN)}: to see roles takes "
        "Microsoft.Authorization/roleAssignments/read at a registry and above. AKS clusters are found by roles."
    )


def clusters_on_secrets(names: list[str]) -> str:
    """:param names: of AKS clusters that pull as an application: their role assignments cannot be told apart."""
    return sentence(
        f"{counted(len(names), 'AKS cluster signs', 'AKS clusters sign')} in as a service principal "
        f"({first(names, _SHOWN)}): which registries they pull from is unknown; the service principal is among the "
        "principals with rights."
    )


# --- what is said of those that were found -------------------------------------------------------------------------

_CHECKS_QUERY = '"manualChecks[].{Verdict:verdict,Consumer:consumer}"'  # narrow enough for a terminal


def manual_checks(number: int, breaks: int, selection: str) -> str:
    """:param number: of kinds of consumers that no query sees, of which `breaks` break.
    :param selection: the options that select a registry, such as ``--name contoso``.
    """
    return sentence(
        f"{counted(number, 'kind', 'kinds')} of consumers that no query sees, to check by hand ({breaks} break): "
        f"`az acr scope consumers {selection} --query {_CHECKS_QUERY} --output table` lists them."
    )


def consumers_found(count: int, numbers: dict[str, int], broad: int, searched: list[str]) -> str:
    """:param count: of registries.
    :param numbers: of consumers by verdict: `breaks`, `works`, `unknown`.
    :param broad: of the unknown, those that may pull only by a broad role.
    :param searched: names of subscriptions.
    """
    places = first(searched, _SHOWN)
    consumers = counted(sum(numbers.values()), "consumer", "consumers")
    by_chance = f" ({broad} of them may pull only by a broad role)" if broad else ""
    return sentence(
        f"{registries(count)}, {consumers}: {numbers['breaks']} break, {numbers['works']} work, "
        f"{numbers['unknown']} unknown{by_chance}; searched {subscriptions(len(searched))}: {places}"
    )


def consumers_that_break(number: int) -> str:
    return sentence(counted(number, "consumer breaks", "consumers break"))


_FEW = 5  # registries that a command to type names


def log_cut(most: int) -> str:
    return sentence(
        f"The log has more clients than the {most:,} that were read, those with the latest events: try fewer --days."
    )


def log_rows_unread(number: int) -> str:
    return sentence(f"{counted(number, 'row', 'rows')} of the log could not be read.")


def no_logins(names: str, days: int, registry_id: str, workspace: str) -> str:
    """:param names: of the registries without any event.
    :param registry_id: of the first of them.
    :param workspace: for the command: a resource ID, or a word in its place.
    """
    return sentence(
        f"No sign-in to {names} is in the log of {_last(days)}. That proves nothing: events exist only where a "
        "diagnostic setting sends the category ContainerRegistryLoginEvents to this workspace. "
        f"`az monitor diagnostic-settings create --name acr-logins --resource {registry_id} --workspace {workspace} "
        """--logs '[{"category": "ContainerRegistryLoginEvents", "enabled": true}]'` """
        f"makes one for {name_in_id(registry_id)}."
    )


def logins_seen(clients: int, newly: int, days: int) -> str:
    return sentence(f"Sign-ins of {_last(days)}: {counted(clients, 'client', 'clients')}, {newly} newly refused.")


LOG_LIMITS = (
    "The log does not show the audience, arrives some minutes late, and lacks some pulls (those of Foundry): "
    "absence proves nothing."
)


def newly_refused(number: int) -> str:
    return sentence(
        f"{counted(number, 'client', 'clients')} signed in before and {'is' if number == 1 else 'are'} refused now:"
    )


def newly_refused_client(
    who: str, address: str, agent: str, registry: str, signed_in: str, since: str | None, last: str
) -> str:
    """:param since: None where it is known of the last refusal only that it is later than the last sign-in."""
    refused = f"refused since {since}" if since else f"refused at {last}"
    return sentence(f"{registry}: {who} from {address} with {agent}: signed in until {signed_in}, {refused}")


def to_go_back(ids: list[str]) -> str:
    """:param ids: resource IDs of registries, for they may be in other subscriptions than the one in use."""
    named = " ".join(ids) if len(ids) <= _FEW else "ID …"
    return sentence(
        f"To let them in again at once: `az acr scope enforce --status enabled --ids {named}`, or "
        "`az acr scope enforce --undo RECORD` for all that a run changed."
    )


def _last(days: int) -> str:
    return sentence(f"the last {days} days" if days > 1 else "the last day")
