"""Programs that pass an audience to a client of Azure's SDK: it decides whatever the version of the package is."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.place import Place

# Also none: a script that is one by its first line.
ENDINGS = frozenset((".py", ".pyi", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".cs", ".java", ".kt", ".go", ""))
_CLIENT = re.compile(r"\b(?:new\s+)?(?:ContainerRegistry(?:Content)?Client(?:Builder)?|NewClient)\s*\(")
_SPAN = 1500  # of a call that are looked at, because calls may be in each other
_BRACKET = re.compile(r"[()\[\]{}]")
_AUDIENCE = re.compile(
    r"audience\W{0,6}[^,;)\n]{0,80}?(?P<arm>management\.|AzureResourceManager|AZURE_RESOURCE_MANAGER)"
    r"|audience\W{0,6}[^,;)\n]{0,80}?(?P<acr>containerregistry\.azure)",
    re.IGNORECASE,
)


WORDS = ("containerregistryclient", "containerregistrycontentclient", "azcontainerregistry")


def reads(name: str) -> bool:
    """Return whether a file is a program that may make such a client."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the clients that are made with an audience in plain letters."""
    if "ContainerRegistry" not in text:
        return
    line, position = 1, 0
    for match in _CLIENT.finditer(text):
        line, position = line + text.count("\n", position, match.start()), match.start()
        start = text.rfind("\n", max(0, match.start() - 200), match.start()) + 1
        if re.match(r"\s*(?:#|//|\*)", text[start : match.start()]):  # noqa: E203
            continue
        call, has_end = _call(text, match.end())
        if audience := _AUDIENCE.search(call):
            yield Place(line, "sdk-arm-audience" if audience["arm"] else "sdk-acr-audience")
        elif not has_end:
            note_cut(TOO_MUCH, line)


def _call(text: str, start: int) -> tuple[str, bool]:
    """Return what is up to the bracket that closes the call, and whether there is one."""
    depth = 1
    for bracket in _BRACKET.finditer(text, start, start + _SPAN):
        depth += 1 if bracket[0] in "([{" else -1
        if depth <= 0:
            return text[start : bracket.start()], True  # noqa: E203
    return text[start : start + _SPAN], False  # noqa: E203
