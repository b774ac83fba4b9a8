"""Text for people: what others wrote made harmless, and lines that fit a terminal. Pure.

Imported with `base.errors` by every command, so it loads the standard library only.
"""

import re

# What HTML and XML cannot hold, and what a terminal obeys instead of showing it.
_INVALID_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Lines of text may be turned around by these: a name must not be able to.
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = re.compile("[\t\n\r\u2028\u2029]+")
# A piece of a line that is never broken: a word, or a command between backquotes with what touches it.
_UNBREAKABLE = re.compile(r"(?:`[^`]*`|\S)+")

CUT = " …"


def replace_invalid(text: str) -> str:
    """Return the text with U+FFFD for control characters, bidirectional overrides and lone surrogates.

    Tabs and line breaks stay; see `one_line`.
    """
    return _DIRECTION_CONTROLS.sub("\ufffd", _INVALID_CHARACTERS.sub("\ufffd", text))


def one_line(text: str) -> str:
    """Return the text as `replace_invalid` does, with a space for line breaks and tabs: nothing in it begins a line."""
    return replace_invalid(_LINE_BREAKS.sub(" ", text))


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: East Asian wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    import unicodedata  # most texts do without it

    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def shorten(text: str, width: int) -> str:
    """Return the text in at most so many columns: cut at a word with " …", or a path at its beginning with "…"."""
    if display_width(text) <= width:
        return text
    if "/" in text and " " not in text:  # the end of an ID or a path says which one it is
        return "…" + _first_columns(text[::-1], width - 1)[::-1]
    cut = _first_columns(text, width - len(CUT))
    at_word = cut.rpartition(" ")[0]
    # A long word is cut itself: a line that holds next to nothing helps nobody.
    return (at_word if len(at_word) > len(cut) // 2 else cut).rstrip() + CUT


def _first_columns(text: str, width: int) -> str:
    taken = 0
    for place, each in enumerate(text):
        taken += display_width(each)
        if taken > width:
            return text[:place]
    return text


def wrap(line: str, width: int) -> list[str]:
    """Return a line as several of at most so many columns, the later ones indented by two more.

    No command between backquotes is broken, so that it can be copied: such a line may be longer.
    """
    if display_width(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip(" "))]
    wrapped, current = list[str](), indent
    for piece in _UNBREAKABLE.findall(line):
        joined = current + piece if not current.strip() else f"{current} {piece}"
        if current.strip() and display_width(joined) > width:
            wrapped.append(current)
            joined = f"{indent}  {piece}"
        current = joined
    return [*wrapped, current]
