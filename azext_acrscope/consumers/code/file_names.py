"""Know files by their names, where several readers ask for the same kind."""

import re

_DOCKERFILE = re.compile(r"(?:^|/)(?:[\w.-]*dockerfile|containerfile)(?:\.[\w.-]+)?$|\.dockerfile$", re.IGNORECASE)
YAML = (".yml", ".yaml")


def is_dockerfile(name: str) -> bool:
    """Return whether a file is a Dockerfile or Containerfile."""
    return bool(_DOCKERFILE.search(name))


def has_no_ending(name: str) -> bool:
    """Return whether the name of a file does not say what it is: that of a script is in its first line then."""
    return "." not in name.rpartition("/")[2]
