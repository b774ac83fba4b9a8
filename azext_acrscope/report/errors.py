"""What went wrong here, in words: the error, why, and the next command to type."""

from azure.cli.core.azclierror import AzCLIError, FileOperationError, InvalidArgumentValueError, ResourceNotFoundError

from azext_acrscope.base.errors import cli_error, counted, first, registries, sentence


def nothing_to_report(unread: list[str]) -> AzCLIError:
    why = f" {' '.join(unread)}" if unread else ""
    return cli_error(
        ResourceNotFoundError,
        f"There is no registry in view, so there is nothing to report.{why}",
        "Check --resource-group, --subscription or --management-group; reading needs the role Reader there.",
    )


def evidence_unreadable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The evidence in {file} could not be read: {why}.",
        "Name a file that you may read with --evidence.",
    )


def bad_evidence(file: str, why: str) -> AzCLIError:
    return cli_error(
        InvalidArgumentValueError,
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
    return sentence(
        f"The report has {number} results. Of a file, GitHub keeps the {kept} most severe, and it takes none with more "
        f"than {most}: report one subscription or resource group at a time (--subscription, --resource-group), or "
        "leave consumers out (--skip-consumers)."
    )


def of_consumers(text: str) -> str:
    """A sentence on what is missing, with what it is about, as is the next."""
    return sentence(f"Of consumers: {text}")


def of_policy(text: str) -> str:
    return sentence(f"Of policy: {text}")


def compliance_unread(scope: str, why: str) -> str:
    return sentence(f"What Azure Policy says of {scope} could not be read: {why}")


def report_unwritable(file: str, why: str) -> AzCLIError:
    return cli_error(
        FileOperationError,
        f"The report {file} cannot be written: {why}. What was there is as it was.",
        "Give another place with --file.",
    )
