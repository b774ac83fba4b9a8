"""Packages that sign in to registries, by version: lock files, requirements and manifests of Python, npm and NuGet."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Iterator, Sequence

from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.versions import version_key

_PATTERNS = {
    "azure-containerregistry": "python-sdk",
    "@azure/container-registry": "javascript-sdk",
    "@azure/mcp": "azure-mcp",
    "msmcp-azure": "azure-mcp",
    "zenml": "zenml-package",
    "wandb": "wandb-package",
    "azure.containers.containerregistry": "dotnet-sdk",
}
# From here on every version is the same in the table of patterns/packages.json, so that `>=` of it says enough.
_SETTLED = {"python-sdk": "1.1.0b4", "javascript-sdk": "1.1.0", "azure-mcp": "2.0.0-beta.40"}
_NAMES = "|".join(re.escape(name) for name in sorted(_PATTERNS, key=len, reverse=True))
_FILES = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|constraints[\w.-]*\.txt|requirements/[\w.-]+\.(?:txt|in)"
    r"|pyproject\.toml|pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pdm\.lock|setup\.(?:cfg|py)|environment[\w.-]*\.ya?ml"
    r"|package\.json|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|mcp\.json"
    r"|[\w.-]+\.csproj|directory\.packages\.props|packages\.lock\.json)\Z",
    re.IGNORECASE,
)
_NAME = re.compile(rf"(?<![\w@/.-])(?:node_modules/)?({_NAMES})(?![\w/-]|\.\w)", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*(?:#|//|<!--|\*)")
_VERSION = r"(\d+(?:\.\d+)*(?:[-.]?(?:a|alpha|b|beta|rc)[-.]?\d*)?)"
_SPAN = 200  # characters behind a name in which its version stands
_LONG = 500  # characters of a line that holds several members of an object
_MEMBERS = re.compile(r"(?<=\{)|(?<=,)(?=[ \t]*[\"{\[])")
_BEHIND = re.compile(
    rf"(?:\[[\w,-]*\])?[\"'\s:,@(=&{{]{{0,20}}?(?:npm:|version\W{{1,6}})?\s{{0,4}}"
    rf"(===?|~=|>=|\^|~|v)?\s{{0,4}}{_VERSION}",
    re.IGNORECASE,
)
_LOCKED = re.compile(rf"^\s*\"?(?:version|resolved)\"?[\s:=]*\"?{_VERSION}", re.IGNORECASE)
_LOCK_FILES = ("lock", "lock.json", "shrinkwrap.json", "lock.yaml")


# Looked at first, because most files are something else, and regular expressions are slower.
_ENDINGS = frozenset((".txt", ".in", ".toml", ".cfg", ".lock", ".csproj", ".props"))
_ENDS = ("setup.py", "pipfile", "lock.json", "lock.yaml", "shrinkwrap.json", "package.json", "mcp.json")
ENDINGS = None
WORDS = tuple(_PATTERNS)


def reads(name: str) -> bool:
    """Return whether a file says which packages are installed."""
    may_be = ending_of(name) in _ENDINGS or name.endswith(_ENDS) or "environment" in name
    return may_be and bool(_FILES.search(name))


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield a package once for each version that a file says."""
    numbers, lines = zip(*_lines_of(text), strict=True)
    is_lock = name.lower().endswith(_LOCK_FILES)
    seen: set[tuple[str, str | None]] = set()
    for index, line in enumerate(lines):
        if _COMMENT.match(line):
            continue
        code = line.partition("#")[0]
        for match in _NAME.finditer(code):
            pattern = _PATTERNS[match[1].lower()]
            behind = code[match.end() : match.end() + _SPAN]  # noqa: E203
            version, is_exact = (_locked(lines, index, behind), True) if is_lock else _stated(pattern, behind)
            if is_lock and version is None:
                continue  # a package that only needs it
            if (pattern, version) not in seen:
                seen.add((pattern, version))
                yield Place(numbers[index], pattern, None, version, is_exact)


def _lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line; JSON that is all in one line is cut as people would write it."""
    for number, line in enumerate(text.split("\n"), 1):
        for piece in _MEMBERS.split(line) if len(line) > _LONG else [line]:
            yield number, piece


def _stated(pattern: str, behind: str) -> tuple[str | None, bool]:
    """Return the version of a manifest if it is one, or a lower bound after which all are the same; and which it is."""
    if not (match := _BEHIND.match(behind)):
        return None, False
    mark, version = match[1] or "", match[2]
    if mark in ("==", "===", "v") or (not mark and '"' in behind):
        return version, True
    settled, found = version_key(_SETTLED.get(pattern, "")), version_key(version)
    return version if settled and found and found >= settled else None, False


def _locked(lines: Sequence[str], index: int, behind: str) -> str | None:
    if match := re.match(rf"@{_VERSION}", behind):  # pnpm
        return match[1]
    if match := re.match(rf"\s*==\s*{_VERSION}", behind):
        return match[1]
    for line in lines[index + 1 : index + 4]:  # noqa: E203
        if match := _LOCKED.match(line[:300]):
            return match[1]
        if match := re.match(rf"^\s*\"version\":\s*\"==?{_VERSION}", line[:300]):
            return match[1]
    return None
