"""Run by the Python of .venvs/reports: `judges.py sarif|html|markdown`, the document on standard input.

Prints what was understood as JSON; ends with an error where the document is not of its kind.
"""

import json
import sys
from typing import Any


def sarif(text: str) -> Any:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

    Log.model_validate_json(text)
    return "valid"


def html(text: str) -> Any:
    import html5lib

    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    return [
        [str(element.tag).rpartition("}")[2], dict(element.attrib), "".join(element.itertext())]
        for element in tree.iter()
    ]


def markdown(text: str) -> Any:
    """Tables as lists of rows of cells, and the kinds of all that was understood."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    tables: list[list[list[str]]] = []
    kinds = {token.type for token in tokens}
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            children = tokens[place + 1].children or []
            tables[-1][-1].append("".join(child.content or "\n" for child in children))
            kinds |= {f"{child.type} {child.content}" for child in children if child.type == "html_inline"}
        for child in token.children or []:
            kinds.add(child.type)
    return {"tables": tables, "kinds": sorted(kinds)}


if __name__ == "__main__":
    judge = {"sarif": sarif, "html": html, "markdown": markdown}[sys.argv[1]]
    json.dump(judge(sys.stdin.read()), sys.stdout)
