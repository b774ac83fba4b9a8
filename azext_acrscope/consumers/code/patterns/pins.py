"""Find which version of the Azure CLI a file pins."""

import re

_PIN = re.compile(
    r"azure-cli[:@](?:v?)(\d+\.\d+(?:\.\d+)?)"  # an image, mcr.microsoft.com/azure-cli:2.45.0, or an action's tag
    r"|azure-cli(?:\[[\w,-]*\])?[ \"']*={1,3}[ \"']*(\d+\.\d+(?:\.\d+)?)"  # pip, apt, apk
    r"|(?:azcliversion|az(?:ure)?_?cli_?version|az_version)[\"' ]*[:=][\"' ]*v?(\d+\.\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_MARKS = ("azure-cli", "cliversion", "cli_version", "az_version")  # one of them is in each match


def find_cli_version(text: str) -> str | None:
    """Return the version, if it is only one: of several nobody can say which runs what."""
    lowered = text.lower()
    if not any(each in lowered for each in _MARKS):  # most texts, and the regular expression is slow
        return None
    found = {next(filter(None, match.groups())) for match in _PIN.finditer(text)}
    return found.pop() if len(found) == 1 else None
