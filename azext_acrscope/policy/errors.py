"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    ForbiddenError,
    InvalidArgumentValueError,
    ManualInterrupt,
    RequiredArgumentMissingError,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, registries, sentence, subscriptions


def needs(option: str, other: str) -> AzCLIError:
    return cli_error(RequiredArgumentMissingError, f"{option} means something with {other} only.", f"Add {other}.")


# --- policy ----------------------------------------------------------------------------------------------------------


CHECK_GROUP = "Or there is no such group: `az account management-group list --output table` shows the names."


def right_missing(
    doing: str, where: str, path: str, role: str, code: str, message: str, correlation: str
) -> AzCLIError:
    """A 403 around policy assignments.

    :param doing: what was not allowed, such as "assign policies".
    :param role: the narrowest built-in role that allows it.
    """
    detail = f"{message} [{code}, HTTP 403, correlation id {correlation}]."
    return cli_error(
        ForbiddenError,
        f"The signed-in account may not {doing} at {where}: {detail}",
        [
            f'Ask for the role "{role}" there: `az role assignment create --assignee ACCOUNT --role "{role}" '
            f"--scope {path}`.",
            "Then repeat the command, which does what is left; `az account clear && az login` if the role is new.",
        ],
    )


def identity_right_missing(role: str, code: str, message: str, correlation: str) -> AzCLIError:
    return cli_error(
        ForbiddenError,
        "The signed-in account may not give that identity to a policy assignment: "
        f"{message} [{code}, HTTP 403, correlation id {correlation}].",
        f'Ask for the role "{role}" on the identity, or leave --identity out: then the assignment has one of its own.',
    )


def no_subscription_for_policy(tenant: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"The signed-in account has no subscription in tenant {tenant}, so no scope was named.",
        "Name a management group with --management-group, or another account's subscription with --subscription.",
    )


def bad_assignment_name(name: str, longest: int) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{name}' cannot be the name of a policy assignment here: 1 to {longest} characters without "
        "< > * % & : ? . + / \\ and without a space at the end.",
        "Leave --assignment-name out for the usual name; --display-name takes any text.",
    )


def bad_identity(text: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the resource ID of a user-assigned managed identity.",
        "`az identity list --query [].id --output tsv` prints them.",
    )


def bad_not_scope(text: str, where: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the ID of something inside {where}, so it cannot be excluded from it.",
        "Give IDs such as /subscriptions/SUBSCRIPTION/resourceGroups/GROUP, or a registry's ID.",
    )


def name_taken(name: str, where: str, definition: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The policy assignment '{name}' at {where} assigns another definition ({definition}), and Azure lets no "
        "assignment change its definition. Nothing was written.",
        "Give another name with --assignment-name, or the effect that belongs to that definition with --effect.",
    )


def assignment_elsewhere(there: str, wanted: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The policy assignment has its identity in {there}; it cannot be moved to {wanted}. Nothing was written.",
        "Leave --location out, or `az acr scope policy unassign` and assign again.",
    )


def location_needed(where: str) -> AzCLIError:
    return cli_error(
        RequiredArgumentMissingError,
        f"The effect modify works by a managed identity, which needs a location, and {where} has none.",
        "Add --location, for example --location westeurope; it does not limit which registries are covered.",
    )


def identity_unknown(principal: str, where: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The policy is assigned at {where}, but its new identity {principal} was still unknown to the directory after "
        f"{seconds:g} seconds, so it has no role and cannot change registries yet.",
        "Repeat the command in a few minutes: it gives the role and changes nothing else.",
    )


def no_identity(assignment_id: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"Azure took the policy assignment {assignment_id} but names no identity for it, so no role can be given.",
        "Repeat the command: it reads the assignment again and goes on from there.",
    )


def not_an_assignment() -> AzCLIError:
    return cli_error(
        AzureResponseError,
        "Azure Resource Manager's answer is not a policy assignment.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def not_our_assignment(name: str, where: str, definition: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The policy assignment '{name}' at {where} ({definition}) was not made by `az acr scope policy assign`, so it "
        "is left alone. Nothing was removed.",
        "Whoever made it (a template, the portal, another tool) should remove it there, or use "
        "`az policy assignment delete`.",
    )


def several_assignments(names: list[str], where: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"There are {len(names)} assignments of ours at {where}: {', '.join(names)}. Nothing was removed.",
        "Say which one with --assignment-name.",
    )


def counted_with(group: str) -> str:
    """A sentence, no error."""
    return sentence(f"Registries in the excluded {group} are counted, too.")


# --- Azure Policy: what governs, what it sees, what it mends ---------------------------------------------------------


def no_such_assignment(name: str, where: str, known: list[str]) -> AzCLIError:
    there = f"; there: {', '.join(known)}" if known else ""
    return cli_error(
        ResourceNotFoundError,
        f"No assignment '{name}' of the modifying definition governs {where}{there}.",
        "`az acr scope policy show` with the same scope shows what governs it.",
    )


def nothing_modifies(where: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"No assignment with the effect modify governs {where}, so there is nothing that a remediation could use.",
        "`az acr scope policy assign --effect modify` makes one; `az acr scope enforce` needs none.",
    )


def several_modify(names: list[str]) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"Several assignments with the effect modify govern it, and a remediation belongs to one: {', '.join(names)}.",
        "Name one with --assignment, by its name or its ID.",
    )


def identity_without_role(name: str, scope: str, command: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"The identity of the assignment '{name}' has no role, so it could change no registry at {scope}: nothing was "
        "started.",
        f"`{command}` completes the assignment.",
    )


def identity_with_other_roles(name: str, command: str) -> str:
    return sentence(
        f"The identity of the assignment '{name}' does not have the role Contributor where it was assigned. Should its "
        f"changes be refused: `{command}` completes the assignment."
    )


def remediation_running(where: str, message: str, correlation: str) -> AzCLIError:
    return cli_error(
        ValidationError,
        f"Azure will not start a remediation for {where}: {message} [correlation id {correlation}]",
        "`az policy remediation list --output table` shows those that are running; wait for their end, or cancel one.",
    )


def remediation_goes_on(name: str, option: str, why: str) -> AzCLIError:
    """Nobody follows it any more, but Azure has not been told to stop."""
    return cli_error(
        ManualInterrupt,
        f"{why}: the remediation {name} goes on in Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows how far it is;",
            f"`az policy remediation cancel --name {name}{option}` stops it.",
        ],
    )


def remediation_too_slow(name: str, option: str, seconds: float, state: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The remediation {name} had not ended after {seconds:g} seconds (last reported as {state}); it goes on in "
        "Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows how far it is;",
            "`az config set acrscope.policy_timeout=SECONDS` lets this command wait longer.",
        ],
    )


def evaluation_too_slow(where: str, seconds: float) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"The evaluation of {where} had not ended after {seconds:g} seconds; it goes on in Azure.",
        [
            "Repeat the command without --refresh in some minutes;",
            "`az config set acrscope.policy_timeout=SECONDS` lets this command wait longer.",
        ],
    )


def evaluation_goes_on(where: str) -> AzCLIError:
    return cli_error(
        ManualInterrupt,
        f"Interrupted: the evaluation of {where} goes on in Azure.",
        "Repeat the command without --refresh in some minutes.",
    )


def evaluation_failed(where: str, state: str) -> AzCLIError:
    return cli_error(AzureResponseError, f"Azure reports the evaluation of {where} as {state}.", "Repeat the command.")


def not_a_policy_answer(what: str) -> AzCLIError:
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager's answer about {what} cannot be read.",
        "Something between here and Azure Resource Manager may be answering in its place: check HTTPS_PROXY.",
    )


def still_not_enforced(left: int, total: int, unread: int, encrypted: list[str]) -> AzCLIError:
    """The end of a remediation that did not mend everything."""
    parts = [f"{left} of {registries(total)} still not `disabled`"] if left else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    advice = ["The rows say why. `az acr scope policy remediate --enforce-rest` enforces what Azure Policy cannot."]
    if encrypted:
        advice = [
            "Azure Policy cannot change registries with customer-managed keys: "
            f"`az acr scope enforce --name {' '.join(encrypted[:20])}` or --enforce-rest does."
        ]
    return cli_error(AzureResponseError, f"{' and '.join(parts)}.", advice)


def encrypted_registries(names: list[str]) -> str:
    return sentence(
        f"{registries(len(names))} with customer-managed keys, which Azure Policy cannot change and "
        f"`az acr scope enforce` can: {', '.join(names)}"
    )


def policy_unread(where: str, why: str) -> str:
    return sentence(f"Whether Azure Policy will refuse or undo this in {where} cannot be told: {why}")


def policy_hinders(assignment: str, scope: str, how: str) -> str:
    """What Azure Policy will do to a registry that is set to `enabled`.

    :param how: `refused` or `undone`.
    """
    does = "refuse it" if how == "refused" else "set it back to `disabled` in the same write"
    return sentence(f"the Azure Policy assignment {assignment} (at {scope}) will {does}")


def states_lag(number: int) -> str:
    """:param number: of registries whose status is not what Azure Policy has seen."""
    verb = "differs" if number == 1 else "differ"
    return sentence(
        f"The status of {registries(number)} {verb} from what Azure Policy has seen: its states lag. "
        "--refresh renews them."
    )


# --- sentences on what is not known, and on what has begun ---------------------------------------------------------


def exemptions_unread(why: str) -> str:
    return sentence(f"Exemptions are unknown: {why}")


def initiative_unread(initiative: str, code: str) -> str:
    return sentence(
        f"Whether the initiative {initiative} holds one of the two definitions is unknown ({code}): "
        "ask for the role Reader where it is defined."
    )


def identity_roles_unread(code: str) -> str:
    return sentence(f"The roles of the assignment's identity cannot be read ({code}), so they are not checked.")
