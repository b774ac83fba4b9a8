"""Make the errors and sentences about consumers of registries: what breaks, and what could not be read."""

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
    """Return the error for a knowledge file that cannot be read."""
    return cli_error(
        FileOperationError,
        f"The knowledge in {file} could not be read: {why}.",
        "Name a file that you may read with --knowledge.",
    )


def bad_knowledge(file: str, why: str) -> AzCLIError:
    """Return the error for a knowledge file with a wrong content."""
    return cli_error(
        InvalidArgumentValueError,
        f"The knowledge in {file} cannot be used: {why}.",
        "Use the form of consumers/knowledge.json in the extension's folder. Every entry needs a verdict and a source "
        "with the date on which it was read. `az extension show --name acrscope --query path` prints the folder.",
    )


_SHOWN = 3  # reasons or names in a sentence; the result has all


def consumers_not_asked(why: str) -> str:
    """Return the sentence on a search for consumers that failed as a whole."""
    return sentence(f"The search for consumers of the registries failed, so some may break: {why.rstrip('.')}.")


def subscription_unseen(subscription: str) -> str:
    """Return the sentence on a subscription that Resource Graph does not show."""
    return sentence(
        f"Subscription {subscription} is not visible in Resource Graph. Its registries and consumers are unknown."
    )


def no_such_registry_in_graph(name: str, group: str | None, tenant: str) -> AzCLIError:
    """Return the error for a name that no registry in Resource Graph has."""
    where = f"in a resource group '{group}' of" if group else "in"
    return cli_error(
        ResourceNotFoundError,
        f"No registry named '{name}' was found {where} any subscription of tenant {tenant} that the account sees.",
        [
            *(["Check --resource-group, or the default in `az config get defaults.group`."] if group else []),
            "`az account list --output table` lists the subscriptions. --subscription selects one of another tenant.",
            "A registry created or moved minutes ago may not be in Resource Graph yet.",
        ],
    )


def no_registry_in_view(incomplete: list[str]) -> AzCLIError:
    """Return the error for a scope without registries.

    :param incomplete: sentences on what could not be read.
    """
    return cli_error(
        ResourceNotFoundError,
        " ".join(["There is no registry in scope, so there are no consumers to find.", *incomplete]),
        "`az acr scope list` lists the registries of the same scope.",
    )


def tenant_not_asked(tenant: str, why: str) -> str:
    """Return the sentence on a tenant that could not be searched."""
    return sentence(f"Tenant {tenant} could not be searched, so its registries and consumers are unknown: {why}")


def consumers_in_the_way(fail_on: str, breaks: int, unknown: int, incomplete: int, refused: int) -> AzCLIError:
    """Return the error of `az acr scope consumers --fail-on`.

    :param fail_on: `breaks` or `unknown`.
    :param breaks: how many consumers break; the other numbers are of unknown consumers, unread parts and clients.
    """
    said = [_consumers_that_break(breaks)] if breaks else []
    if refused:
        said.append(counted(refused, "client is newly refused", "clients are newly refused"))
    if fail_on == "unknown":
        said += [counted(unknown, "consumer is unknown", "consumers are unknown")] if unknown else []
        said += [f"{counted(incomplete, 'part', 'parts')} of the search could not be read"] if incomplete else []
    advice = ["The rows give the reason and the fix. If your team knows more, add it with --knowledge FILE."]
    if refused:
        advice.append(
            "Newly refused clients are in `logins` of their registry. "
            "`az acr scope enforce --status enabled --name REGISTRY` lets them in again."
        )
    return cli_error(
        ValidationError,
        f"Not every consumer is known to work once only ACR-audience tokens are accepted: {', '.join(said)}.",
        advice,
    )


# --- sentences on why there may be more consumers than were found --------------------------------------------------


def row_unread(resource: str) -> str:
    """Return the sentence on a resource whose row could not be read."""
    return sentence(f"The row of {resource} could not be read. Which registries it uses is unknown.")


def kind_unread(kind: str, why: str) -> str:
    """Return the sentence on a kind of resource that could not be read.

    :param kind: in the plural, such as Batch pools.
    """
    return sentence(f"{kind} could not be read in Resource Graph ({why}). They are unknown.")


def login_server_unknown(registry: str) -> str:
    """Return the sentence on a registry without a known login server."""
    return sentence(f"The login server of {registry} is not known. Resources that name it in an image cannot be found.")


def site_without_row(site: str) -> str:
    """Return the sentence on a site whose settings were found without the site."""
    return sentence(
        f"The settings of {site} may name a registry, but the site itself is not in Resource Graph. It is unknown."
    )


def containers_unread(site: str, why: str) -> str:
    """Return the sentence on a site whose containers could not be read."""
    return sentence(f"The containers of {site} could not be read ({why}). They are unknown.")


def sign_in_unread(site: str, why: str) -> str:
    """Return the sentence on a site whose way to sign in could not be read.

    :param why: with the space before it.
    """
    return sentence(f"How {site} signs in could not be read{why}. It is unknown.")


SETTINGS_SILENT = "Its settings do not show it."


def settings_unread(why: str) -> str:
    """Return the reason for settings that could not be read.

    :param why: with the space before it, as above.
    """
    return sentence(f"Its settings could not be read{why}.")


def registry_in_a_variable(site: str) -> str:
    """Return the sentence on an image whose registry is named by a variable."""
    return sentence(f"An image of {site} names its registry with a variable. Which registry it is is unknown.")


def role_unread(role: str) -> str:
    """Return the sentence on a role definition that could not be read."""
    return sentence(f"Role {role} could not be read.")


def assignments_unread(number: int) -> str:
    """Return the sentence on role assignments that could not be read."""
    return sentence(f"{counted(number, 'role assignment', 'role assignments')} could not be read.")


def roles_unseen(names: list[str]) -> str:
    """Return the sentence on registries without any visible role assignment.

    :param names: of the registries that no role assignment is visible for.
    """
    return sentence(
        f"No role assignment is visible for {first_and_number(names, _SHOWN)}. To see role assignments you need "
        "Microsoft.Authorization/roleAssignments/read on the registry and above. AKS clusters are found by their roles."
    )


def clusters_on_secrets(names: list[str]) -> str:
    """Return the sentence on AKS clusters that pull as an application.

    :param names: of AKS clusters that pull as an application: their role assignments cannot be told apart.
    """
    return sentence(
        f"{counted(len(names), 'AKS cluster signs', 'AKS clusters sign')} in as a service principal "
        f"({first(names, _SHOWN)}). Which registries they pull from is unknown. The service principal is listed among "
        "the principals with rights."
    )


# --- sentences on the consumers that were found -----------------------------------------------------------------------

_CHECKS_COLUMNS = "{Verdict:verdict,Consumer:consumer}"  # narrow enough for a terminal


def manual_checks(number: int, breaks: int, selection: str, some_searched: bool) -> str:
    """Return the line on the consumers that no query finds: how many kinds, and the command that lists them.

    :param number: of kinds of consumers that no query finds, of which `breaks` break.
    :param selection: the options that select a registry, such as ``--name contoso``.
    :param some_searched: whether the result has others, too, which need no check by hand.
    """
    which = "manualChecks[?searched.found==null]" if some_searched else "manualChecks[]"
    return sentence(
        f"{counted(number, 'kind', 'kinds')} of consumers that no query finds, to check by hand ({breaks} break): "
        f'`az acr scope consumers {selection} --query "{which}.{_CHECKS_COLUMNS}" --output table` lists them.'
    )


def searched_elsewhere(number: int, found: int, places: str) -> str:
    """Return the line on the kinds of consumers that other searches looked for.

    :param found: how much they found.
    :param places: that were searched, in words, such as ``code``.
    """
    return sentence(
        f"{counted(number, 'kind', 'kinds')} of consumers that no query finds, searched in {places}: {found} found."
    )


def consumers_found(count: int, numbers: dict[str, int], broad: int, searched: list[str]) -> str:
    """Return the summary of a search for consumers.

    :param count: of registries.
    :param numbers: of consumers by verdict: `breaks`, `works`, `unknown`.
    :param broad: of the unknown, those that can pull only through a broad inherited role.
    :param searched: names of subscriptions.
    """
    places = first(searched, _SHOWN)
    consumers = counted(sum(numbers.values()), "consumer", "consumers")
    by_chance = f" ({broad} of them can pull only through a broad inherited role)" if broad else ""
    return sentence(
        f"{registries(count)}, {consumers}: {numbers['breaks']} break, {numbers['works']} work, "
        f"{numbers['unknown']} unknown{by_chance}; searched {subscriptions(len(searched))}: {places}"
    )


def _consumers_that_break(number: int) -> str:
    """Return the number of consumers that break: 2 consumers break."""
    return sentence(counted(number, "consumer breaks", "consumers break"))


_FEW = 5  # registries that a command to type names


def log_cut(most: int) -> str:
    """Return the sentence on a log with more clients than are read.

    :param most: how many clients were read.
    """
    return sentence(
        f"The log has more than {most:,} clients. Those with the latest events were read. Use fewer --days to read all."
    )


def log_rows_unread(number: int) -> str:
    """Return the sentence on rows of the log that could not be read."""
    return sentence(f"{counted(number, 'row', 'rows')} of the log could not be read.")


def no_logins(names: str, days: int, registry_id: str, workspace: str) -> str:
    """Return the sentence on registries without any event in the log.

    :param names: of the registries without any event.
    :param registry_id: of the first of them.
    :param workspace: for the command: a resource ID, or a word in its place.
    """
    return sentence(
        f"The log of {_last(days)} has no sign-in to {names}. That proves nothing, because events exist only where "
        "a diagnostic setting sends the category ContainerRegistryLoginEvents to this workspace. "
        f"`az monitor diagnostic-settings create --name acr-logins --resource {registry_id} --workspace {workspace} "
        """--logs '[{"category": "ContainerRegistryLoginEvents", "enabled": true}]'` """
        f"creates one for {name_in_id(registry_id)}."
    )


def logins_seen(clients: int, newly: int, days: int) -> str:
    """Return the summary of the sign-ins in the log."""
    return sentence(f"Sign-ins of {_last(days)}: {counted(clients, 'client', 'clients')}, {newly} newly refused.")


LOG_LIMITS = (
    "The log does not show the audience, is some minutes late, and lacks some pulls (those of Foundry). "
    "A client that is not in the log may still pull."
)


def newly_refused(number: int) -> str:
    """Return the heading of the clients that are newly refused."""
    return sentence(
        f"{counted(number, 'client', 'clients')} signed in before and {'is' if number == 1 else 'are'} now refused:"
    )


def newly_refused_client(
    registry: str, who: str, address: str, agent: str, *, signed_in: str, since: str | None, last: str
) -> str:
    """Return the line on one client that is newly refused.

    :param since: None where only the time of the last refusal is known.
    """
    refused = f"refused since {since}" if since else f"refused at {last}"
    return sentence(f"{registry}: {who} from {address} with {agent}: signed in until {signed_in}, {refused}")


def to_go_back(ids: list[str]) -> str:
    """Return the sentence with the commands that let refused clients in again.

    :param ids: resource IDs, because the registries may be in other subscriptions than the one in use.
    """
    named = " ".join(ids) if len(ids) <= _FEW else "ID …"
    return sentence(
        f"To let them in again at once: `az acr scope enforce --status enabled --ids {named}`, or "
        "`az acr scope enforce --undo RECORD` for everything that a run changed."
    )


def _last(days: int) -> str:
    return sentence(f"the last {days} days" if days > 1 else "the last day")
