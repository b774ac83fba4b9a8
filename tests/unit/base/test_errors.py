"""Every error passes the filter that keeps tokens out: no other code calls a class of azclierror."""

import ast
import inspect
import re

from azure.cli.core import azclierror

from azext_acrscope.base.errors import cli_error, sentence
from tests.factories.package import sources

CLASSES = {name for name, _ in inspect.getmembers(azclierror, inspect.isclass)}
CALLS = re.compile(rf"\b(?:{'|'.join(CLASSES)})\s*\(")
TOKEN = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"


def calls_of_error_classes(source: str) -> list[str]:
    if not CALLS.search(source):  # in a tenth of the time, for nearly all files
        return []
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls]
    return [name for name in names if name in CLASSES]


def test_only_the_constructor_makes_errors() -> None:
    found = {str(file): calls_of_error_classes(source) for file, source in sources().items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_a_call_of_an_error_class_would_be_found() -> None:
    assert calls_of_error_classes("raise azclierror.ForbiddenError('x')\nValidationError('y')") == [
        "ForbiddenError",
        "ValidationError",
    ]


def test_no_text_of_an_error_or_sentence_holds_a_token() -> None:
    error = cli_error(azclierror.ForbiddenError, f"refused: {TOKEN}", [f"try {TOKEN}"])
    assert TOKEN not in f"{error} {error.error_msg} {error.recommendations} {sentence(TOKEN)}"
