"""Reads templates from standard input ([[language, text], …]) with parsers of these languages, and says what it found:
for Terraform the parsed document, for Bicep the same. Run by .venvs/templates.
"""

import json
import sys

import hcl2
import pycep
import tree_sitter
import tree_sitter_bicep

GRAMMAR = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


def parse(language: str, text: str) -> object:
    if language == "terraform":
        return hcl2.loads(f"{text}\n")
    assert not GRAMMAR.parse(text.encode()).root_node.has_error, text  # noqa: S101
    return pycep.BicepParser().parse(text=text)


json.dump([parse(*each) for each in json.load(sys.stdin)], sys.stdout, default=str)
