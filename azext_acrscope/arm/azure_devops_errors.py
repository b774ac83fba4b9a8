"""Make the errors and sentences about requests to Azure DevOps."""

from azure.cli.core.azclierror import (
    AzCLIError,
    AzureInternalError,
    AzureResponseError,
    ForbiddenError,
    InvalidArgumentValueError,
    ResourceNotFoundError,
    UnauthorizedError,
)

from azext_acrscope.base.errors import cli_error, sentence
from azext_acrscope.base.tokens import redact_secrets

# Words for what is wrong with an answer.
NOT_A_LIST = "not a list in JSON"
NOT_WHOLE = "fewer rows than it counts"
ENDLESS = "a list without an end"
GAVE_UP = "throttled for too long"
TOO_SLOW = "an answer that did not end in time"


def bad_segment(kind: str) -> str:
    """Return the words for an ID in an answer that cannot be one.

    :param kind: `project` or `connection`.
    """
    return sentence(f"the ID of a {kind} is not a GUID")


def bad_organization(text: str) -> AzCLIError:
    """Return the error for a text that cannot be the name of an organization."""
    return cli_error(
        InvalidArgumentValueError,
        f"'{redact_secrets(text)}' cannot be the name of an Azure DevOps organization.",
        "The name is the first part of its address: contoso for https://dev.azure.com/contoso. Either is accepted.",
    )


def no_devops_in_cloud(cloud: str) -> AzCLIError:
    """Return the error for a cloud without Azure DevOps."""
    return cli_error(
        InvalidArgumentValueError,
        f"Azure DevOps belongs to the public cloud, and the active cloud is {cloud}. No token was sent to it.",
        "Leave out --azure-devops, or run `az cloud set --name AzureCloud` and `az login` first.",
    )


def organization_refused(organization: str, status: int, detail: str, tenant: str) -> AzCLIError:
    """Return the error for an organization that could not be read.

    :param status: of the answer, 0 if there was none.
    :param detail: status and code in words.
    :param tenant: of the organization, empty if it is not known.
    """
    where, said = f"organization {organization}", f"[{detail}]."
    if status in (203, 401) or 300 <= status < 400:
        belongs = f" It belongs to tenant {tenant}." if tenant else ""
        return cli_error(
            UnauthorizedError,
            f"Azure DevOps did not accept the sign-in for {where} {said}{belongs}",
            [
                "The account must belong to the organization's tenant and be a member of the organization. A service "
                "principal must be added to it explicitly.",
                f"Run `az login{f' --tenant {tenant}' if tenant else ''}`, or name a subscription of that tenant with "
                "--subscription.",
            ],
        )
    if status == 403:
        return cli_error(
            ForbiddenError,
            f"The signed-in account has no permission to read {where} {said}",
            "Ask for membership in the organization, with the right to view its projects and service connections.",
        )
    if status == 404:
        return cli_error(
            ResourceNotFoundError,
            f"Azure DevOps has no {where}, or the account may not know of it {said}",
            "Check the spelling. https://dev.azure.com lists your organizations.",
        )
    if status == 429:
        return cli_error(
            AzureResponseError,
            f"Azure DevOps is throttling this account in {where} {said}",
            "Wait five minutes, then repeat the command.",
        )
    if status >= 500:
        return cli_error(
            AzureInternalError,
            f"Azure DevOps failed for {where} {said}",
            "Repeat the command; https://status.dev.azure.com shows outages.",
        )
    return cli_error(
        AzureResponseError,
        f"The answer for {where} is not one of Azure DevOps {said}",
        "A proxy may be answering in its place. Check HTTPS_PROXY, then repeat the command.",
    )
