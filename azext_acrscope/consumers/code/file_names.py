"""Know files by their names, where several readers ask for the same kind."""

import posixpath
import re

_DOCKERFILE = re.compile(r"(?:^|/)(?:[\w.-]*dockerfile|containerfile)(?:\.[\w.-]+)?$|\.dockerfile$")
YAML = (".yml", ".yaml")
JSON = (".json", ".jsonc", ".json5", ".ipynb", ".code-workspace")


def is_dockerfile(name: str) -> bool:
    """Return whether a file is a Dockerfile or Containerfile."""
    lowered = name.lower()  # looked at first, because a regular expression is slower
    return ("dockerfile" in lowered or "containerfile" in lowered) and bool(_DOCKERFILE.search(lowered))


def is_json(name: str) -> bool:
    """Return whether a file is JSON, perhaps with comments."""
    return name.lower().endswith(JSON)


def has_no_ending(name: str) -> bool:
    """Return whether the name of a file does not say what it is: that of a script is in its first line then."""
    return "." not in posixpath.basename(name)
