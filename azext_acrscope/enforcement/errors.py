"""Make the errors and sentences about changing registries: plans, records, waves and what a run could not do."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    AzureResponseError,
    FileOperationError,
    InvalidArgumentValueError,
    ManualInterrupt,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, first, first_and_number, registries, sentence, subscriptions
from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers.errors import _SHOWN


def nothing_matches(selection: str) -> AzCLIError:
    """Return the error for a scope without a registry to change."""
    return cli_error(
        ResourceNotFoundError,
        f"No registry matches the selection ({selection}).",
        "`az acr scope list --all-subscriptions` lists those that the account sees.",
    )


def no_such_canary(names: list[str]) -> AzCLIError:
    """Return the error for canaries that the plan does not change."""
    return cli_error(
        InvalidArgumentValueError,
        f"The plan does not change these registries, so they cannot go first: {', '.join(names)}. Nothing was written.",
        "Check the names given with --canary. A registry whose consumers would break is left out. `--dry-run` shows "
        "the "
        "reason.",
    )


def nothing_to_exclude(names: list[str]) -> AzCLIError:
    """Return the error for names that exclude nothing."""
    return cli_error(
        InvalidArgumentValueError,
        f"No selected registry has these names, login servers or IDs, so they cannot be excluded: {', '.join(names)}. "
        "Nothing was written.",
        "Check the names given with --exclude. `--dry-run` shows the plan.",
    )


def still_throttled(seconds: float) -> str:
    """Return why the rest of a subscription was given up: Azure has refused everything for so long."""
    return f"Azure has throttled this account in the subscription for {seconds:.0f} seconds without a break"


def unexpected(kind: str) -> AzCLIError:
    """Return the error for an unexpected failure.

    :param kind: the name of the exception.
    """
    return cli_error(
        AzureInternalError,
        f"unexpected error: {kind}. Its state could not be read.",
        "`az acr scope show --name REGISTRY` reads the state again. --debug shows where it happened.",
    )


def not_verified(registry_id: str, status: str, changed: bool, seconds: float, why: str) -> AzCLIError:
    """Return the error for one registry whose status is not in effect.

    :param changed: whether this run set it.
    """
    other = "disabled" if status == "enabled" else "enabled"
    end = "The change was kept." if changed else "The registry had that status before, and nothing was written."
    return cli_error(
        ValidationError,
        f"Registry '{name_in_id(registry_id)}' has the status `{status}`, but after {seconds:.0f} seconds that "
        f"is not verified: {why} {end}",
        [
            f"`az acr scope check --name {registry_id}` repeats the check. "
            "`az config set acrscope.verify_timeout=SECONDS` makes --verify wait longer.",
            f"`az acr scope enforce --name {registry_id} --status {other}` sets the other status.",
        ],
    )


def verification_interrupted(names: list[str], status: str, record: str) -> AzCLIError:
    """Return the error for a run that was interrupted after the registries had got the status."""
    shown = first_and_number([f"'{name}'" for name in names], _SHOWN)
    which, have = ("registry", "has") if len(names) == 1 else ("registries", "have")
    return cli_error(
        ManualInterrupt,
        f"Interrupted while verifying: {which} {shown} {have} the status `{status}`. It is not known whether it "
        "is in effect.",
        ["`az acr scope check` repeats the check.", *_undo_advice(record)],
    )


def not_verified_reason(why: str, seconds: float) -> str:
    """Return the reason in a row that was changed but not verified."""
    return sentence(f"not verified after {seconds:.0f} seconds: {why}")


def restored(status: str) -> str:
    """Return the sentence on a registry whose status was restored."""
    return sentence(f"It was restored to `{status}`.")


def restored_with_its_wave(failed: int, status: str) -> str:
    """Return the reason in a row that was restored because others in its wave were not verified."""
    return sentence(f"restored to `{status}`: {failed} in its wave could not be verified")


def not_restored(why: str) -> str:
    """Return the sentence on a registry that could not be restored."""
    return sentence(f"Restoring it failed: {why}")


# What else can be typed where there is no terminal to ask at.
CONSUMERS_OTHERWISE = ", --skip-consumers to enforce without looking for consumers, or --dry-run to see the plan"


def consumers_objection(breaks: int, unread: bool) -> str:
    """Return why one registry needs confirmation before it is enforced: "3 consumers would break"."""
    why = [f"{counted(breaks, 'consumer', 'consumers')} would break"] if breaks else []
    why += ["part of its consumers could not be read"] if unread else []
    return sentence(" and ".join(why))


def consumers_will_break(number: int, name: str) -> str:
    """Return the line above the list of a registry's consumers that would break."""
    return sentence(f"{counted(number, 'consumer breaks', 'consumers break')} once {name} is enforced:")


def consumers_question(name: str, objection: str) -> str:
    """Return the question asked before one registry is enforced."""
    return sentence(f"Enforce {name} even though {objection}?")


def consumers_unread(count: int, unread: list[str]) -> AzCLIError:
    """Return the error for a run that does not start.

    :param unread: a sentence for each part that was not read.
    """
    some = " ".join(unread[:_SHOWN]) + (f" And {len(unread) - _SHOWN} more." if len(unread) > _SHOWN else "")
    return cli_error(
        ValidationError,
        f"Part of the search for the consumers of {registries(count)} could not be read, so consumers may break that "
        "are not known. "
        f"Nothing was written. {some}",
        [
            "Grant read access or retry later. `az acr scope consumers --name REGISTRY` shows what can be read.",
            "--include-breaking changes all of them, even those whose consumers would break. "
            "--skip-consumers skips the search for consumers. The record notes either option.",
        ],
    )


def consumers_unknown(consumers: int, count: int) -> str:
    """Return the sentence on consumers whose verdict is unknown."""
    return sentence(
        f"It is not known whether {counted(consumers, 'consumer', 'consumers')} of {registries(count)} would break. "
        "`az acr scope consumers --name REGISTRY` lists them."
    )


def breaking_left_out(names: list[str]) -> str:
    """Return the reason why a registry is left out of a run.

    :param names: of its consumers that would break.
    """
    return sentence(
        f"{counted(len(names), 'consumer', 'consumers')} would break ({first(names, _SHOWN)}): --include-breaking "
        "changes it anyway"
    )


def some_failed(failed: int, total: int, unread: int, record: str) -> AzCLIError:
    """Return the error at the end of a run in which registries failed.

    :param record: empty if nothing was changed.
    """
    parts = [f"{failed} of {registries(total)} failed"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return cli_error(
        AzureResponseError,
        f"{' and '.join(parts)}. The rows and the lines above give the reasons.",
        _after_a_run(record),
    )


def was_interrupted(left: int, record: str) -> AzCLIError:
    """Return the error at the end of a run that Ctrl-C stopped.

    :param left: registries that were not started.
    """
    what = f"{registries(left)} not changed" if left else "every change that was sent has ended"
    return cli_error(ManualInterrupt, f"Interrupted: {what}.", _after_a_run(record) if left else _undo_advice(record))


def interrupted_again(record: str) -> AzCLIError:
    """Return the error for a second Ctrl-C, after which nobody waits for the changes that were sent."""
    return cli_error(
        ManualInterrupt,
        "Interrupted again. Azure continues with the changes that it has accepted. The status of their registries is "
        "unknown.",
        ["`az acr scope list --live` shows the results.", *_undo_advice(record)],
    )


def _after_a_run(record: str) -> list[str]:
    return [
        "Repeat the command to continue with the rest. If --record names a file, name another one.",
        *_undo_advice(record),
    ]


def _undo_advice(record: str) -> list[str]:
    return [f"`az acr scope enforce --undo {record}` undoes the changes."] if record else []


def record_exists(file: str) -> AzCLIError:
    """Return the error for a record that would overwrite a file."""
    return cli_error(
        FileOperationError,
        f"The record {file} already exists. A record is never overwritten.",
        "Give another file with --record.",
    )


def record_unwritable(file: str, cause: Exception) -> AzCLIError:
    """Return the error for a record that cannot be written; nothing more may be changed then."""
    return cli_error(
        FileOperationError,
        f"The record {file} cannot be written ({cause}), so the run does not continue.",
        "Give another file with --record.",
    )


def record_unreadable(file: str, why: str) -> AzCLIError:
    """Return the error for a file that `--undo` cannot read."""
    return cli_error(
        FileOperationError,
        f"{file} cannot be read as a record: {why}.",
        "A run prints the name of its record when it starts. Without --record it is in the folder acrscope of the "
        "CLI's "
        "configuration directory.",
    )


def hindered(names: list[str], said: str) -> str:
    """Return the warning before a run.

    :param names: of registries that Azure Policy keeps from being changed.
    """
    shown = first_and_number(names, 10)
    return sentence(
        f"Setting {shown} to `enabled`: {said}. `az acr scope policy show --name {names[0]}` shows the assignments "
        "that apply."
    )
