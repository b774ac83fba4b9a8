"""Know files by their names, where several readers ask for the same kind."""

import re

_DOCKERFILE = re.compile(r"(?:^|/)(?:[\w.-]*dockerfile|containerfile)(?:\.[\w.-]+)?$|\.dockerfile$", re.IGNORECASE)


def is_dockerfile(name: str) -> bool:
    """Return whether a file is a Dockerfile or Containerfile."""
    return bool(_DOCKERFILE.search(name))
