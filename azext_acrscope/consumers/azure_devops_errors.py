"""Make the sentences about service connections of Azure DevOps: what was found, and what could not be read."""

from azext_acrscope.base.errors import counted, first, first_and_number, sentence

_SHOWN = 3  # names in a sentence


def organization_not_read(organization: str, why: str) -> str:
    """Return the sentence on an organization that could not be read."""
    return sentence(
        f"Azure DevOps organization {organization} could not be read, so its service connections are unknown: {why}"
    )


def projects_odd(organization: str, number: int) -> str:
    """Return the sentence on projects whose rows could not be read."""
    return sentence(
        f"{counted(number, 'project', 'projects')} of Azure DevOps organization {organization} could not be read. "
        "Their service connections are unknown."
    )


def no_project(organization: str) -> str:
    """Return the sentence on an organization without any project that the account sees."""
    return sentence(
        f"The account sees no project of Azure DevOps organization {organization}. Azure DevOps leaves out those that "
        "it may not see."
    )


def no_connection(organization: str) -> str:
    """Return the sentence on an organization whose projects show no service connection at all."""
    return sentence(
        f"No project of Azure DevOps organization {organization} shows a service connection of any type. Azure DevOps "
        "leaves out those that the account may not see, so there may be some. The account needs the role Reader or "
        "User on the service connections."
    )


def connections_unread(organization: str, projects: list[str], why: str) -> str:
    """Return the sentence on projects whose service connections could not be read.

    :param why: status and code.
    """
    return sentence(
        f"The service connections of {counted(len(projects), 'project', 'projects')} of Azure DevOps organization "
        f"{organization} ({first(projects, _SHOWN)}) could not be read ({why}). They are unknown."
    )


def connections_odd(organization: str, projects: list[str]) -> str:
    """Return the sentence on projects some of whose service connections could not be read."""
    return sentence(
        f"A service connection or more of {first_and_number(projects, _SHOWN)} in Azure DevOps organization "
        f"{organization} could not be read. Which registries they reach is unknown."
    )


def uses_unread(organization: str, number: int, why: str) -> str:
    """Return the sentence on service connections whose uses could not be read.

    :param why: status and code.
    """
    return sentence(
        f"What uses {counted(number, 'service connection', 'service connections')} of Azure DevOps organization "
        f"{organization} could not be read ({why})."
    )


def uses_left_out(organization: str, number: int) -> str:
    """Return the sentence on usage histories that were not asked for."""
    return sentence(
        f"{counted(number, 'usage history', 'usage histories')} of shared service connections of Azure DevOps "
        f"organization {organization} were not read because there are too many. More pipelines may use them."
    )


def files_unread(organization: str, projects: list[str]) -> str:
    """Return the sentence on pipelines whose definitions could not be read."""
    return sentence(
        f"The definitions of pipelines in {first_and_number(projects, _SHOWN)} in Azure DevOps organization "
        f"{organization} could not be read. The files of these pipelines are unknown."
    )


def connections_found(organizations: list[str], numbers: dict[str, int]) -> str:
    """Return the summary of the service connections.

    :param numbers: of service connections by verdict.
    """
    return sentence(
        f"Azure DevOps ({first_and_number(organizations, _SHOWN)}): "
        f"{counted(sum(numbers.values()), 'service connection', 'service connections')} that can reach the registries: "
        f"{numbers['breaks']} break, {numbers['works']} work, {numbers['unknown']} unknown."
    )


LIMITS = (
    "Azure DevOps leaves out projects and service connections that the account may not see, and what used them comes "
    "from their usage history alone."
)
