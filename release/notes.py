"""Release notes: what HISTORY.rst says of a version, as GitHub shows it."""

import re

from release.errors import RefusedError

_HEADING = re.compile(r"^(?P<version>\S+)\n\++\n", re.MULTILINE)


def entry_of(history: str, version: str) -> str:
    """Return what HISTORY.rst says of a version.

    :raises RefusedError: it says nothing.
    """
    headings = list(_HEADING.finditer(history))
    ends = [each.start() for each in headings[1:]] + [len(history)]
    for heading, end in zip(headings, ends, strict=True):
        if heading["version"] == version and (entry := history[heading.end() : end].strip()):
            return entry
    known = ", ".join(each["version"] for each in headings) or "no version"
    raise RefusedError(
        f"HISTORY.rst says nothing of version {version}; it has {known}. "
        f"Add what users notice below a heading `{version}`, underlined with `+`."
    )


def to_markdown(entry: str) -> str:
    """Return an entry as Markdown, one line for each bullet: GitHub keeps the line breaks of a release's notes."""
    lines = re.sub(r"\n {2,}(?=\S)", " ", entry).splitlines()
    return "\n".join(re.sub(r"``(.+?)``", r"`\1`", line) for line in lines) + "\n"
