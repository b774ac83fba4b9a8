"""Know files by their names, where several readers ask for the same kind."""

import posixpath
import re

_DOCKERFILE = re.compile(r"(?:^|/)(?:[\w.-]*dockerfile|containerfile)(?:\.[\w.-]+)?$|\.dockerfile$")
YAML = (".yml", ".yaml")
TEMPLATES = (".tmpl", ".tpl", ".template", ".j2")
JSON = (".json", ".jsonc", ".json5", ".ipynb", ".code-workspace")


def name_of_output(name: str) -> str:
    """Return what a template such as `main.tf.tmpl` makes, if its name says it; of other files the name itself."""
    inner = name[: name.rfind(".")] if name.lower().endswith(TEMPLATES) else ""
    return inner if inner and not has_no_ending(inner) else name


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
