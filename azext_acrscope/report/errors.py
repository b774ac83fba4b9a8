"""Make the errors and sentences about reports: formats, files and evidence."""

from azure.cli.core.azclierror import AzCLIError, FileOperationError, InvalidArgumentValueError, ResourceNotFoundError

from azext_acrscope.base.errors import cli_error, counted, first, registries, sentence


def nothing_to_report(unread: list[str]) -> AzCLIError:
    """Return the error for a scope without registries.

    :param unread: sentences on what could not be read.
    """
    why = f" {' '.join(unread)}" if unread else ""
    return cli_error(
        ResourceNotFoundError,
        f"There is no registry in scope, so there is nothing to report.{why}",
        "Check --resource-group, --subscription or --management-group. To read them, ask for the role Reader there.",
    )


def evidence_unreadable(file: str, why: str) -> AzCLIError:
    """Return the error for an evidence file that cannot be read."""
    return cli_error(
        FileOperationError,
        f"The evidence in {file} could not be read: {why}.",
        "Name a file that you may read with --evidence.",
    )


def bad_evidence(file: str, why: str) -> AzCLIError:
    """Return the error for a file that is not evidence of a check."""
    return cli_error(
        InvalidArgumentValueError,
        f"{file} is not evidence of a check: {why}.",
        "`az acr scope check --all --output json > FILE` creates such a file.",
    )


def evidence_left_out(strangers: int, stale: list[str]) -> list[str]:
    """Return sentences on evidence that proves nothing about the registries of a report.

    :param strangers: how many registries of the evidence are not in the report.
    :param stale: names of registries whose status is now another one.
    """
    said = []
    if strangers:
        said.append(f"The evidence includes {registries(strangers)} outside the scope of the report.")
    if stale:
        names = first(sorted(stale), 3)
        changed = counted(len(stale), "registry has", "registries have")
        said.append(f"{changed} another status now than at the check ({names}). Repeat the check.")
    return said


def checks_without_result(names: list[str]) -> list[str]:
    """Return the sentence on checks that did not come to know what the login server does, if there are any."""
    what = counted(len(names), "check has", "checks have")
    return (
        [f"{what} no result ({first(sorted(names), 3)}), so what the login server does is not known."] if names else []
    )


def too_many_results(number: int, kept: int, most: int) -> str:
    """Return the sentence on a report with more results than a service keeps."""
    return sentence(
        f"The report has {number} results. GitHub keeps the {kept} most severe of a file, and rejects files with more "
        f"than {most}. Report one subscription or resource group at a time (--subscription, --resource-group), or "
        "leave consumers out (--skip-consumers)."
    )


def of_consumers(text: str) -> str:
    """Return a sentence on what is missing, with the subject that it is about."""
    return sentence(f"Consumers: {text}")


def of_code(text: str) -> str:
    """Return a sentence on what is missing, with the subject that it is about."""
    return sentence(f"Code: {text}")


def of_policy(text: str) -> str:
    """Return a sentence on what is missing, with the subject that it is about."""
    return sentence(f"Policy: {text}")


def compliance_unread(scope: str, why: str) -> str:
    """Return the sentence on policy states that could not be read."""
    return sentence(f"The policy states of {scope} could not be read: {why}")


def report_unwritable(file: str, why: str) -> AzCLIError:
    """Return the error for a report file that cannot be written."""
    return cli_error(
        FileOperationError,
        f"The report {file} cannot be written: {why}. The file was not changed.",
        "Give another file with --file.",
    )
