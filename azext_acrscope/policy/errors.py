"""Make the errors and sentences about Azure Policy: scopes, assignments, roles, compliance and remediation."""

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

from azext_acrscope.base.errors import cli_error, counted, registries, sentence, subscriptions

# --- policy ----------------------------------------------------------------------------------------------------------


def right_missing(
    doing: str, where: str, path: str, role: str, *, code: str, message: str, correlation: str
) -> AzCLIError:
    """Return the error for a 403 around policy assignments.

    :param doing: what was not allowed, such as "assign policies".
    :param role: the narrowest built-in role that allows it.
    """
    detail = f"{message} [{code}, HTTP 403, correlation id {correlation}]."
    return cli_error(
        ForbiddenError,
        f"The signed-in account has no permission to {doing} at {where}: {detail}",
        [
            f'Ask for the role "{role}" there: `az role assignment create --assignee ACCOUNT --role "{role}" '
            f"--scope {path}`.",
            "Then repeat the command to continue. If the role is new, run `az account clear && az login` first.",
        ],
    )


def identity_right_missing(role: str, code: str, message: str, correlation: str) -> AzCLIError:
    """Return the error for an identity that the account may not assign.

    :param role: the narrowest built-in role that allows it.
    """
    return cli_error(
        ForbiddenError,
        "The signed-in account has no permission to give that identity to a policy assignment: "
        f"{message} [{code}, HTTP 403, correlation id {correlation}].",
        f'Ask for the role "{role}" on the identity. Or leave out --identity: the assignment then gets its own.',
    )


def no_subscription_for_policy(tenant: str) -> AzCLIError:
    """Return the error for an account without any subscription in its tenant."""
    return cli_error(
        ResourceNotFoundError,
        f"The signed-in account has no subscription in tenant {tenant}, so there is no default scope.",
        "Give a management group with --management-group, or a subscription of another account with --subscription.",
    )


def bad_assignment_name(name: str, longest: int) -> AzCLIError:
    """Return the error for a text that cannot be the name of a policy assignment.

    :param longest: the most characters that a name may have at this scope.
    """
    return cli_error(
        InvalidArgumentValueError,
        f"'{name}' cannot be the name of a policy assignment here. A name has 1 to {longest} characters, none "
        "of < > * % & : ? . + / \\ and no space at the end.",
        "Leave out --assignment-name for the default name. --display-name takes any text.",
    )


def bad_identity(text: str) -> AzCLIError:
    """Return the error for a text that is not the ID of a user-assigned identity."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the resource ID of a user-assigned managed identity.",
        "`az identity list --query [].id --output tsv` prints them.",
    )


def bad_not_scope(text: str, where: str) -> AzCLIError:
    """Return the error for an excluded scope that is not inside the assignment's.

    :param where: the assignment's scope, as a person names it.
    """
    return cli_error(
        InvalidArgumentValueError,
        f"'{text}' is not the ID of a scope inside {where}, so it cannot be excluded.",
        "Give IDs such as /subscriptions/SUBSCRIPTION/resourceGroups/GROUP, or a registry's ID.",
    )


def name_taken(name: str, where: str, definition: str) -> AzCLIError:
    """Return the error for a name whose assignment has another definition."""
    return cli_error(
        ValidationError,
        f"The policy assignment '{name}' at {where} assigns another definition ({definition}), and Azure cannot "
        "change the definition of an assignment. Nothing was written.",
        "Give another name with --assignment-name, or the effect of that definition with --effect.",
    )


def assignment_elsewhere(there: str, wanted: str) -> AzCLIError:
    """Return the error for an identity that would have to move to another location."""
    return cli_error(
        ValidationError,
        f"The policy assignment has its identity in {there}, and the identity cannot move to {wanted}. Nothing was "
        "written.",
        "Leave out --location, or run `az acr scope policy unassign` and assign again.",
    )


def location_needed(where: str) -> AzCLIError:
    """Return the error for an identity without a location."""
    return cli_error(
        RequiredArgumentMissingError,
        f"The effect modify uses a managed identity, which needs a location, and {where} has none.",
        "Add --location, for example --location westeurope. It does not limit which registries are covered.",
    )


def identity_unknown(principal: str, where: str, seconds: float) -> AzCLIError:
    """Return the error for a new identity that the directory does not know yet.

    :param principal: its object ID.
    """
    return cli_error(
        AzureResponseError,
        f"The policy is assigned at {where}, but its new identity {principal} was still unknown to the directory after "
        f"{seconds:g} seconds, so it has no role and cannot change registries yet.",
        "Repeat the command in a few minutes. It assigns the role and changes nothing else.",
    )


def no_identity(assignment_id: str) -> AzCLIError:
    """Return the error for an assignment that Azure returns without an identity."""
    return cli_error(
        AzureResponseError,
        f"Azure accepted the policy assignment {assignment_id} but returned no identity for it, so it has no role.",
        "Repeat the command. It reads the assignment again and continues from there.",
    )


def not_our_assignment(name: str, where: str, definition: str) -> AzCLIError:
    """Return the error for an assignment that this extension did not create."""
    return cli_error(
        ValidationError,
        f"The policy assignment '{name}' at {where} ({definition}) was not created by `az acr scope policy assign`. "
        "Nothing was removed.",
        "Remove it where it was created (a template, the portal, another tool), or use `az policy assignment delete`.",
    )


def several_assignments(names: list[str], where: str) -> AzCLIError:
    """Return the error for a removal that several assignments match."""
    return cli_error(
        ValidationError,
        f"`az acr scope policy assign` created {len(names)} assignments at {where}: {', '.join(names)}. Nothing was "
        "removed.",
        "Select one with --assignment-name.",
    )


def counted_with(group: str) -> str:
    """Return the sentence on an excluded group whose registries are counted."""
    return sentence(f"The count includes registries in the excluded {group}.")


# --- Azure Policy: what applies, its states and its remediations -----------------------------------------------------


def no_such_assignment(name: str, where: str, known: list[str]) -> AzCLIError:
    """Return the error for a name that no modifying assignment has.

    :param known: the names of the assignments that there are.
    """
    there = f"; assignments there: {', '.join(known)}" if known else ""
    return cli_error(
        ResourceNotFoundError,
        f"No assignment '{name}' with the effect modify applies to {where}{there}.",
        "`az acr scope policy show` with the same scope shows the assignments that apply.",
    )


def nothing_modifies(where: str) -> AzCLIError:
    """Return the error for a scope without a modifying assignment."""
    return cli_error(
        ResourceNotFoundError,
        f"No assignment with the effect modify applies to {where}, so no remediation can run.",
        "`az acr scope policy assign --effect modify --location REGION` creates one. "
        "`az acr scope enforce` needs none.",
    )


def several_modify(names: list[str]) -> AzCLIError:
    """Return the error for a remediation that several assignments match."""
    return cli_error(
        InvalidArgumentValueError,
        f"Several assignments with the effect modify apply, and a remediation belongs to one: {', '.join(names)}.",
        "Select one with --assignment, by its name or its ID.",
    )


def identity_without_role(name: str, scope: str, command: str) -> AzCLIError:
    """Return the error for an assignment whose identity has no role.

    :param command: that completes the assignment.
    """
    return cli_error(
        ValidationError,
        f"The identity of the assignment '{name}' has no role, so it cannot change registries at {scope}. No "
        "remediation was started.",
        f"`{command}` completes the assignment.",
    )


def identity_with_other_roles(name: str, command: str) -> str:
    """Return the sentence on an identity without the usual role.

    :param command: that completes the assignment.
    """
    return sentence(
        f"The identity of the assignment '{name}' does not have the role Contributor where it was assigned. If its "
        f"changes are refused, `{command}` completes the assignment."
    )


def remediation_running(where: str, message: str, correlation: str) -> AzCLIError:
    """Return the error for a remediation that Azure does not start because another one is running."""
    return cli_error(
        ValidationError,
        f"Azure will not start a remediation for {where}: {message} [correlation id {correlation}]",
        "`az policy remediation list --output table` lists the running ones. Wait until they end, or cancel one.",
    )


def remediation_goes_on(name: str, option: str, why: str) -> AzCLIError:
    """Return the error for a remediation that continues although nobody waits for it.

    :param option: that names the scope, with the space before it.
    """
    return cli_error(
        ManualInterrupt,
        f"{why}: the remediation {name} continues in Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows its progress.",
            f"`az policy remediation cancel --name {name}{option}` stops it.",
        ],
    )


def remediation_too_slow(name: str, option: str, seconds: float, state: str) -> AzCLIError:
    """Return the error for a remediation that did not end in time.

    :param option: that names the scope, with the space before it.
    """
    return cli_error(
        AzureResponseError,
        f"The remediation {name} had not ended after {seconds:g} seconds (last state: {state}). It continues in Azure.",
        [
            f"`az policy remediation show --name {name}{option}` shows its progress.",
            "`az config set acrscope.policy_timeout=SECONDS` makes this command wait longer.",
        ],
    )


def evaluation_too_slow(where: str, seconds: float) -> AzCLIError:
    """Return the error for an evaluation that did not end in time."""
    return cli_error(
        AzureResponseError,
        f"The evaluation of {where} had not ended after {seconds:g} seconds. It continues in Azure.",
        [
            "Repeat the command without --refresh in a few minutes.",
            "`az config set acrscope.policy_timeout=SECONDS` makes this command wait longer.",
        ],
    )


def evaluation_goes_on(where: str) -> AzCLIError:
    """Return the error for an interrupt while an evaluation runs."""
    return cli_error(
        ManualInterrupt,
        f"Interrupted: the evaluation of {where} continues in Azure.",
        "Repeat the command without --refresh in a few minutes.",
    )


def evaluation_failed(where: str, state: str) -> AzCLIError:
    """Return the error for an evaluation that Azure reports as failed."""
    return cli_error(AzureResponseError, f"Azure reports the evaluation of {where} as {state}.", "Repeat the command.")


def not_a_policy_answer(what: str) -> AzCLIError:
    """Return the error for an answer about policy that cannot be read.

    :param what: the answer is about.
    """
    return cli_error(
        AzureResponseError,
        f"Azure Resource Manager's answer about {what} cannot be read.",
        "A proxy may be answering in place of Azure Resource Manager. Check HTTPS_PROXY.",
    )


def still_there(what: str) -> AzCLIError:
    """Return the error for something that Azure said to have removed, and that is there."""
    return cli_error(AzureResponseError, f"{what} was removed but is still there.", "Repeat the command.")


def still_not_enforced(left: int, total: int, unread: int, encrypted: list[str]) -> AzCLIError:
    """Return the error for a remediation that left registries unchanged.

    :param left: how many registries are still not `disabled`.
    :param unread: how many subscriptions could not be read.
    :param encrypted: names of registries with customer-managed keys.
    """
    parts = [f"{left} of {registries(total)} still not `disabled`"] if left else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    advice = [
        "The rows give the reasons. `az acr scope policy remediate --enforce-rest` enforces what Azure Policy cannot."
    ]
    if encrypted:
        advice = [
            "Azure Policy cannot change registries with customer-managed keys: "
            f"`az acr scope enforce --name {' '.join(encrypted[:20])}` changes them, or use --enforce-rest."
        ]
    return cli_error(AzureResponseError, f"{' and '.join(parts)}.", advice)


def encrypted_registries(names: list[str]) -> str:
    """Return the sentence on registries that Azure Policy cannot change."""
    return sentence(
        f"{registries(len(names))} with customer-managed keys. Azure Policy cannot change them, but "
        f"`az acr scope enforce` can: {', '.join(names)}"
    )


def policy_unread(where: str, why: str) -> str:
    """Return the sentence on a scope whose policy could not be read."""
    return sentence(f"It is not known whether Azure Policy will refuse or undo this in {where}: {why}")


def policy_hinders(assignment: str, scope: str, how: str) -> str:
    """Return what Azure Policy will do to a registry that is set to `enabled`.

    :param how: `refused` or `undone`.
    """
    does = "refuse it" if how == "refused" else "set it back to `disabled` in the same write"
    return sentence(f"the Azure Policy assignment {assignment} (at {scope}) will {does}")


def states_lag(number: int) -> str:
    """Return the sentence on registries whose status differs from the state in Azure Policy."""
    verb = "differs" if number == 1 else "differ"
    return sentence(
        f"The status of {registries(number)} {verb} from the older state in Azure Policy. "
        "Use --refresh to update the states."
    )


# --- sentences on what is not known, and on what has begun ---------------------------------------------------------

ASSIGNMENT_UNSURE = "It is not known whether the policy is assigned as it was written."


def items_unread(number: int, kind: str) -> list[str]:
    """Return the sentence on items of a list of Azure Policy that could not be read; none if there are none."""
    return [sentence(f"{counted(number, kind, f'{kind}s')} could not be read.")] if number else []


def exemptions_unread(why: str) -> str:
    """Return the sentence on exemptions that could not be read."""
    return sentence(f"Exemptions are unknown: {why}")


def initiative_unread(initiative: str, code: str) -> str:
    """Return the sentence on an initiative that could not be read."""
    return sentence(
        f"It is not known whether the initiative {initiative} contains one of the two definitions ({code}). "
        "Ask for the role Reader where it is defined."
    )


def ancestors_unread(subscription: str) -> str:
    """Return the sentence on a subscription whose management groups could not be read."""
    return sentence(f"The management groups above {subscription} could not be read.")


def identity_roles_unread(code: str) -> str:
    """Return the sentence on an identity whose roles could not be read."""
    return sentence(f"The roles of the assignment's identity cannot be read ({code}), so they are not checked.")
