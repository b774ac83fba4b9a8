"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureResponseError,
    FileOperationError,
    InvalidArgumentValueError,
    ManualInterrupt,
    ResourceNotFoundError,
    ValidationError,
)

from azext_acrscope.base.errors import cli_error, counted, first, first_and_number, registries, sentence, subscriptions
from azext_acrscope.consumers.errors import _SHOWN, consumers_that_break


def nothing_matches(selection: str) -> AzCLIError:
    return cli_error(
        ResourceNotFoundError,
        f"No registry matches the selection ({selection}).",
        "`az acr scope list` shows what there is.",
    )


def no_such_canary(names: list[str]) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"The plan changes no registry of this name, so it cannot go first: {', '.join(names)}. Nothing was written.",
        "Check the names given with --canary. One may be left out, for consumers of it break: `--dry-run` shows why.",
    )


def nothing_to_exclude(names: list[str]) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
        f"No selected registry has this name, login server or ID, so it cannot be excluded: {', '.join(names)}. "
        "Nothing was written.",
        "Check the names given with --exclude; `--dry-run` shows the plan.",
    )


def not_verified_in_row(why: str, seconds: float) -> str:
    """A reason in a row, not an error, as are the next two."""
    return sentence(f"not verified after {seconds:.0f} seconds: {why}")


def restored(status: str) -> str:
    return sentence(f"It was restored to `{status}`.")


def restored_with_its_wave(failed: int, status: str) -> str:
    return sentence(f"restored to `{status}`: {failed} of its wave could not be verified")


def not_restored(why: str) -> str:
    return sentence(f"Restoring it failed: {why}")


# What else there is where nobody can be asked.
CONSUMERS_OTHERWISE = ", --skip-consumers to enforce without looking for consumers, or --dry-run to see the plan"


def consumers_question(name: str, breaks: int, unread: bool) -> str:
    """Asked before one registry is enforced."""
    why = [consumers_that_break(breaks)] if breaks else []
    why += ["part of its consumers could not be read"] if unread else []
    return sentence(f"Enforce {name} although {' and '.join(why)}?")


def consumers_unread(count: int, unread: list[str]) -> AzCLIError:
    """:param unread: a sentence for each part of the search that could not be read."""
    some = " ".join(unread[:_SHOWN]) + (f" And {len(unread) - _SHOWN} more." if len(unread) > _SHOWN else "")
    return cli_error(
        ValidationError,
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
    return sentence(
        f"{counted(consumers, 'consumer', 'consumers')} of {registries(count)} may break or not, nobody knows: "
        "`az acr scope consumers` lists them."
    )


def breaking_left_out(names: list[str]) -> str:
    """Why a registry is left out of a run. :param names: of its consumers that break."""
    return sentence(
        f"{consumers_that_break(len(names))} ({first(names, _SHOWN)}): --include-breaking changes it all the same"
    )


def some_failed(failed: int, total: int, unread: int, record: str) -> AzCLIError:
    parts = [f"{failed} of {registries(total)} failed"] if failed else []
    parts += [f"{subscriptions(unread)} could not be read"] if unread else []
    return cli_error(
        AzureResponseError, f"{' and '.join(parts)}; the rows and the lines above say why.", _after_a_run(record)
    )


def was_interrupted(left: int, record: str) -> AzCLIError:
    return cli_error(ManualInterrupt, f"Interrupted: {registries(left)} left as before.", _after_a_run(record))


def _after_a_run(record: str) -> list[str]:
    undo = [f"`az acr scope enforce --undo {record}` takes back what was changed."] if record else []
    return ["The same command again does what is left.", *undo]


def record_exists(file: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The record {file} exists already; a record is never overwritten.",
        "Give another name with --record.",
    )


def record_unwritable(file: str, cause: Exception) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The record {file} cannot be written ({cause}), so nothing more is changed.",
        "Give another place with --record.",
    )


def record_unreadable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"{file} cannot be read as a record: {why}.",
        "A run prints the name of its record at its start; those without --record lie in acrscope/ in the CLI's "
        "configuration directory.",
    )


def hindered(names: list[str], said: str) -> str:
    """The warning before a run."""
    shown = first_and_number(names, 10)
    return sentence(
        f"Setting {shown} to `enabled`: {said}. `az acr scope policy show --name {names[0]}` shows what governs it."
    )
