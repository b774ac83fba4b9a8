"""The code of the package, for tests that hold its form."""

import ast
import functools
import gc
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "azext_acrscope"


@functools.cache
def sources() -> dict[Path, str]:
    """Return the text of each file."""
    return {file: file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each file."""
    gc.disable()  # which would look through all these nodes again and again, and take as long as the parser
    try:
        return {file: ast.parse(source) for file, source in sources().items()}
    finally:
        gc.enable()
