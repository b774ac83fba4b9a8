"""Text in queries of the Kusto Query Language: nothing comes into one but through here."""

from collections.abc import Iterable


def quoted(text: str) -> str:
    """Text inside a string literal in single quotes, which never holds the end of a line."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def listed(texts: Iterable[str]) -> str:
    """What stands between the parentheses of `in (…)`."""
    return ", ".join(f"'{quoted(text)}'" for text in texts)
