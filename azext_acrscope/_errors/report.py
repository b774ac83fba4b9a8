"""Reports: what they are made of, and where they go."""

from azure.cli.core.azclierror import (
    AzCLIError,
    FileOperationError,
    InvalidArgumentValueError,
    ResourceNotFoundError,
)

from azext_acrscope._errors.wording import counted, first, registries


def nothing_to_report(unread: list[str]) -> AzCLIError:
    why = f" {' '.join(unread)}" if unread else ""
    return ResourceNotFoundError(
        f"There is no registry in view, so there is nothing to report.{why}",
        "Check --resource-group, --subscription or --management-group; reading needs the role Reader there.",
    )


def evidence_unreadable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The evidence in {file} could not be read: {why}.", "Name a file that you may read with --evidence."
    )


def bad_evidence(file: str, why: str) -> AzCLIError:
    return InvalidArgumentValueError(
        f"{file} holds no evidence of a check: {why}.",
        "`az acr scope check --all --output json > FILE` makes such a file.",
    )


def evidence_left_out(strangers: int, stale: list[str]) -> list[str]:
    """Sentences on rows of evidence that prove nothing about the registries of a report."""
    said = []
    if strangers:
        said.append(f"The evidence also speaks of {registries(strangers)} that are not in view.")
    if stale:
        names = first(sorted(stale), 3)
        changed = counted(len(stale), "registry has", "registries have")
        said.append(f"{changed} another status now than when checked ({names}): check again.")
    return said


def too_many_results(number: int, kept: int, most: int) -> str:
    return (
        f"The report has {number} results. Of a file, GitHub keeps the {kept} most severe, and it takes none with more "
        f"than {most}: report one subscription or resource group at a time (--subscription, --resource-group), or "
        "leave consumers out (--skip-consumers)."
    )


def output_unwritable(why: str) -> AzCLIError:
    return FileOperationError(
        f"The report could not be printed as a whole: {why}. What was written of it is not all.",
        "Send it elsewhere, or name a place with --file: that is replaced by a whole report, or left as it is.",
    )


def of_consumers(sentence: str) -> str:
    """A sentence on what is missing, with what it is about, as is the next."""
    return f"Of consumers: {sentence}"


def of_policy(sentence: str) -> str:
    return f"Of policy: {sentence}"


def compliance_unread(scope: str, why: str) -> str:
    return f"What Azure Policy says of {scope} could not be read: {why}"


def report_unwritable(file: str, why: str) -> AzCLIError:
    return FileOperationError(
        f"The report {file} cannot be written: {why}. What was there is as it was.", "Give another place with --file."
    )
