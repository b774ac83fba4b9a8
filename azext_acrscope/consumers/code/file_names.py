"""Know files by their names, where several readers ask for the same kind."""

import re
from functools import lru_cache

_DOCKERFILE = re.compile(r"(?:^|/)(?:[\w.-]*dockerfile|containerfile)(?:\.[\w.-]+)?$|\.dockerfile$")
YAML = (".yml", ".yaml")
# Endings of texts for people, pictures, styles and data, which no script has: a second look at them costs more than it
# finds. All others that no reader knows are opened to see whether they begin as a script does.
NO_SCRIPTS = frozenset(
    ("md", "rst", "txt", "html", "css", "scss", "svg", "png", "jpg", "jpeg", "gif", "ico", "pdf", "csv", "xml", "resx")
    + ("xlf", "map", "snap", "sum", "mod", "lock", "sql", "proto", "razor", "cshtml", "tsx", "woff", "woff2", "ttf")
)
TEMPLATES = (".tmpl", ".tpl", ".template", ".j2")
SHELL_SCRIPTS = (".sh", ".bash", ".zsh", ".ksh", ".command", ".envrc", ".azcli")  # but those of PowerShell and Windows
JSON = (".json", ".jsonc", ".json5", ".ipynb", ".code-workspace")


def name_of_output(name: str) -> str:
    """Return what a template such as `main.tf.tmpl` makes, if its name says it; of other files the name itself."""
    if (ending := ending_of(name)).lower() not in TEMPLATES:
        return name
    inner = name.removesuffix(ending)
    return inner if inner and not has_no_ending(inner) else name


def is_dockerfile(name: str) -> bool:
    """Return whether a file is a Dockerfile or Containerfile."""
    lowered = name.lower()
    # Looked at first, because a regular expression is slower.
    return "erfile" in lowered and bool(_DOCKERFILE.search(lowered))


def is_json(name: str) -> bool:
    """Return whether a file is JSON, perhaps with comments."""
    return name.lower().endswith(JSON)


def begins_script(name: str, text: str) -> bool:
    """Return whether a template makes a script: its own name does not say what it makes."""
    return name.lower().endswith(TEMPLATES) and text.startswith("#!")


@lru_cache(maxsize=1)  # each reader asks for the same name
def ending_of(name: str) -> str:
    """Return what a file's name has from its last dot on; empty if it has none."""
    base = name[name.rfind("/") + 1 :]  # noqa: E203
    return base[dot:] if (dot := base.rfind(".")) >= 0 else ""


def has_no_ending(name: str) -> bool:
    """Return whether the name of a file does not say what it is: that of a script is in its first line then."""
    return not ending_of(name)
