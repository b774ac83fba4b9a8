"""Text in queries of the Kusto Query Language: nothing comes into one but through here."""

from collections.abc import Iterable


def quoted(text: str) -> str:
    """Text inside a string literal in single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def listed(texts: Iterable[str]) -> str:
    """What stands between the parentheses of `in (…)`."""
    return ", ".join(f"'{quoted(text)}'" for text in texts)
