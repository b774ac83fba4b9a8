"""Make the errors and sentences about folders of code: what cannot be read, and what was found in them."""

from azure.cli.core.azclierror import AzCLIError, FileOperationError, RequiredArgumentMissingError

from azext_acrscope.base.errors import cli_error, counted, sentence
from azext_acrscope.consumers.code.counts import Named

_REASONS = {"otherFormats": "of other formats"}
_SHOWN = 3  # names in a sentence; the result has more
NO_OBJECT = "it is neither YAML nor JSON of objects"  # why what is piped was not read
NOT_UNDERSTOOD = "it was not understood"  # why a file was read only in part, if its reader failed


def no_such_source(path: str) -> AzCLIError:
    """Return the error for a --source that is not there."""
    return cli_error(
        FileOperationError,
        f"There is no folder or file {path}, so no code was searched.",
        "Give folders or files with --source, or - for what is piped into the command.",
    )


def nothing_piped() -> AzCLIError:
    """Return the error for --source - at a terminal, or where what was piped is empty."""
    return cli_error(
        RequiredArgumentMissingError,
        "--source - reads what is piped into the command, and nothing is.",
        "If a program before the pipe failed, its own error says why. For example:\n"
        "kubectl get all,secrets --all-namespaces --output json | az acr scope consumers --source -",
    )


def bad_pattern(file: str, why: str) -> AzCLIError:
    """Return the error for a file of patterns with a wrong content: the installed extension is damaged."""
    return cli_error(
        FileOperationError,
        f"The patterns in {file} cannot be used: {why}.",
        "Install the extension again: az extension remove --name acrscope, then az extension add.",
    )


# --- sentences on what was found -------------------------------------------------------------------------------------


def places_found(numbers: dict[str, int], unnamed: int, others: int) -> str:
    """Return the summary of the places that sign in.

    :param numbers: of places by verdict: `breaks`, `works`, `unknown`.
    :param unnamed: how many of them do not say which registry.
    :param others: how many more name a registry that was not asked about.
    """
    said = f"{counted(sum(numbers.values()), 'place', 'places')} in code: {numbers['breaks']} break, "
    said += f"{numbers['works']} work, {numbers['unknown']} unknown"
    said += f"; {unnamed} of them without the registry's name" if unnamed else ""
    said += f"; {others} more with another registry's name" if others else ""
    return sentence(f"{said}.")


def turned_back_on(number: int) -> str:
    """Return the line on places that set the status back."""
    return sentence(f"{counted(number, 'place', 'places')} in code would set the status back to `enabled`.")


def source_searched(files: int, in_part: int, skipped: dict[str, int], left_out: dict[str, int]) -> str:
    """Return the line on what was searched, and what was not.

    :param in_part: how many of the files were read only in part.
    :param skipped: numbers by reason.
    :param left_out: numbers of folders by name.
    """
    said = f"Searched {counted(files, 'file', 'files')}"
    said += f", {in_part} of them only in part" if in_part else ""
    reasons = [f"{number} {_REASONS.get(reason, reason)}" for reason, number in skipped.items() if number]
    said += f"; not searched: {', '.join(reasons)}" if reasons else ""
    folders = [f"{name} ({number})" for name, number in left_out.items()]
    said += f"; left out folders: {', '.join(folders)}" if folders else ""
    return sentence(f"{said}.")


# --- sentences on what was not searched ------------------------------------------------------------------------------


def unreadable(which: Named) -> str:
    """Return the sentence on folders and files that could not be read."""
    return sentence(f"{counted(which.number, 'file or folder', 'files and folders')} of the source could not be read: "
                    f"{_some(which)}.")  # fmt: skip


def too_large(which: Named, most: int) -> str:
    """Return the sentence on files that are larger than `most` bytes."""
    many = counted(which.number, "file is", "files are")
    return sentence(f"{many} larger than {most >> 20} MiB, and what they hold is unknown: {_some(which)}.")


def read_in_part(which: Named) -> str:
    """Return the sentence on files that were not read to their end, each with the reason."""
    many = counted(which.number, "file was", "files were")
    return sentence(f"{many} read only in part, and who signs in in the rest is unknown: {_some(which)}.")


def too_many_places(most: int) -> str:
    """Return why a file with more than `most` places was read only in part."""
    return f"more than {most:,} places"


def too_many_rows(most: int) -> str:
    """Return the sentence on a search that found more than `most` places."""
    return sentence(f"There are more than {most:,} places in code. The search ended there. Search fewer folders.")


def too_many_entries(most: int) -> str:
    """Return the sentence on a tree with more than `most` files and folders."""
    return sentence(f"There are more than {most:,} files and folders. The search ended there. Search fewer folders.")


def nothing_read() -> str:
    """Return the sentence on a search that found no file to read."""
    return sentence("No file of the source could be searched, so nothing is known about it.")


def _some(which: Named) -> str:
    more = f" and {which.number - _SHOWN} more" if which.number > _SHOWN else ""
    return ", ".join(which.names[:_SHOWN]) + more
