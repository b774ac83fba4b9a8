"""The English of the product: plain words in everything that it prints, and docstrings that begin with a verb."""

import ast
import json
import re
from collections.abc import Iterator

import pytest

from tests.factories.package import PACKAGE, trees

# Each of them has a plain word: fix, because, also, mismatch, check …
BANNED = re.compile(
    r"\b(?:mend(?:s|ed|ing)?|at odds|other doors?|estates?|nobody knows|is told|are told|is said|are said"
    r"|stands? in the rows?|goes on in|means? something with|all the same|to the letter|of that moment"
    r"|in view|(?<!here )is no (?!longer\b|such\b)\w+|not begun|has begun|anew|afresh)\b"
    r"|, too\b(?!,)",
    re.IGNORECASE,
)
# What a public function may begin with: an imperative. A word that is not here is a noun, or a verb to add.
_IMPERATIVES = (
    "Accept Add Answer Ask Assign Begin Build Call Change Check Choose Close Collect Complete Confirm "
    "Convert Count Create Cut Delete Do Drop Edit Exchange Fetch Fill Find Follow Forget Get Give Have "
    "Keep Learn Leave Let List Load Log Look Make Mark Move Note Open Parse Pause POST Print Probe Put "
    "Raise Read Refuse Remove Render Replace Request Restore Return Run Save Say Search See Send Serve "
    "Set Show Sign Skip Sort Split Start Stop Store Take Tell Turn Understand Verify Wait Warn Write "
    "Yield "
)
VERBS = frozenset(re.findall(r"\w+", _IMPERATIVES))


def docstrings_of(tree: ast.Module) -> set[int]:
    """The nodes that are docstrings, by identity."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    return {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}


def texts_of(tree: ast.Module) -> Iterator[str]:
    """All string constants but docstrings; of an f-string its parts are one text."""
    apart = docstrings_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            apart.update(id(each) for each in node.values)
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of the module and methods of its public classes."""
    for node in tree.body:
        for each in node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]:
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
                yield each


@pytest.mark.parametrize("text", ["Mend it, or move it away.", "Unset it, too.", "It is no URL.", "2 are at odds."])
def test_the_words_are_found(text: str) -> None:
    assert BANNED.search(text)


def test_what_is_printed_is_plain() -> None:
    texts = [(str(file), text) for file, tree in trees().items() for text in texts_of(tree)]
    assert [(file, text) for file, text in texts if " " in text and BANNED.search(text)] == []
    assert len(texts) > len(trees())


def test_what_is_known_of_consumers_is_told_in_plain_words() -> None:
    """Quotations and the titles of sources are not ours."""
    known = json.loads((PACKAGE / "consumers" / "knowledge.json").read_text(encoding="utf-8"))
    del known["sources"]
    ours = re.sub(r'\\".*?\\"', "", json.dumps(known))
    assert [found[0] for found in BANNED.finditer(ours)] == []


def test_every_public_function_says_what_it_does() -> None:
    wrong = {}
    for file, tree in trees().items():
        for function in public_functions(tree):
            words = (ast.get_docstring(function) or "").split()
            if not words or words[0].strip(",.:") not in VERBS:
                wrong[f"{file}: {function.name}"] = words[:4]
    assert wrong == {}


def test_every_public_class_says_what_it_is() -> None:
    """Not by its fields alone: a docstring that begins with `:ivar` says nothing of the whole."""
    nodes = [(file, node) for file, tree in trees().items() for node in tree.body]
    classes = [(file, each) for file, each in nodes if isinstance(each, ast.ClassDef) and not each.name.startswith("_")]
    assert [(file, each.name) for file, each in classes if not (ast.get_docstring(each) or ":")[0].isalnum()] == []
    assert classes
