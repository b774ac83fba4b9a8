"""Programs that pass an audience to a client of Azure's SDK: it decides whatever the version of the package is."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.place import Place

_CODE = (".py", ".pyi", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".cs", ".java", ".kt", ".go")
_CLIENT = re.compile(r"\b(?:new\s+)?(?:ContainerRegistry(?:Content)?Client(?:Builder)?|NewClient)\s*\(")
_SPAN = 1500  # of a call: what is farther away belongs to something else
_AUDIENCE = re.compile(
    r"audience\W{0,6}[^,;)\n]{0,80}?(?P<arm>management\.|AzureResourceManager|AZURE_RESOURCE_MANAGER)"
    r"|audience\W{0,6}[^,;)\n]{0,80}?(?P<acr>containerregistry\.azure)",
    re.IGNORECASE,
)


WORDS = ("containerregistryclient", "containerregistrycontentclient", "azcontainerregistry")


def reads(name: str) -> bool:
    """Return whether a file is a program that may make such a client."""
    return name.endswith(_CODE)


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
        if audience := _AUDIENCE.search(_call(text, match.end())):
            yield Place(line, "sdk-arm-audience" if audience["arm"] else "sdk-acr-audience")


def _call(text: str, start: int) -> str:
    """Return what is up to the bracket that closes the call, and up to the end of its statement."""
    depth = 1
    for index in range(start, min(len(text), start + _SPAN)):
        depth += (text[index] in "([{") - (text[index] in ")]}")
        if depth <= 0:
            return text[start:index]
    return text[start : start + _SPAN]  # noqa: E203
