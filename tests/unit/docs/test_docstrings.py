"""What docstrings and comments point at exists: a name that has moved is named where it is now."""

import ast
import re
from collections import defaultdict

from tests.factories.package import sources, trees

_POINTER = re.compile(r"(?<!`)`{1,2}([a-z_]+)\.([A-Za-z_]+)`{1,2}(?!`)")


def _names(tree: ast.Module) -> set[str]:
    """What a module defines or imports, with the members of its classes."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name for each in node.names}
    for node in tree.body:
        for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
            found |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)} if target else set()
    return found


def test_every_name_that_a_docstring_or_a_comment_points_at_is_there() -> None:
    modules = defaultdict[str, set[str]](set)
    for path, tree in trees().items():
        modules[path.stem] |= _names(tree)
        modules[path.parent.name] |= {path.stem}
    pointers = [
        (path.name, match[1], match[2])
        for path, source in sources().items()
        for match in _POINTER.finditer(source)
        if match[1] in modules and match[2] not in ("py", "json")
    ]
    assert len(pointers) > 30
    assert not [pointer for pointer in pointers if pointer[2] not in modules[pointer[1]]]
