"""How much of each room of the package the tests ran, out of the file that coverage wrote."""

import collections
from pathlib import Path

import coverage

ROOT = Path(__file__).parent.parent


def rooms() -> list[tuple[str, int, int]]:
    """Return a row for each room, the face first, then one for all: its name, how many lines it has, how many ran."""
    measured = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    measured.load()
    lines, ran = collections.Counter[str](), collections.Counter[str]()
    for file in measured.get_data().measured_files():
        room, *inside = Path(file).relative_to(ROOT / "azext_acrscope").parts
        name = f"{room}/" if inside else "the face"
        _, statements, _, missing, _ = measured.analysis2(file)
        lines[name] += len(statements)
        ran[name] += len(statements) - len(missing)
    found = [(name, lines[name], ran[name]) for name in sorted(lines, key=lambda name: (name.endswith("/"), name))]
    return [*found, ("all", lines.total(), ran.total())]


def table() -> str:
    """Return the rows of `rooms` as text, with the share that ran."""
    rows = [f"{name:<16}{lines:>7}{ran / max(lines, 1):>7.0%}" for name, lines, ran in rooms()]
    return "\n".join([f"{'Room':<16}{'Lines':>7}{'Ran':>7}", *rows])
