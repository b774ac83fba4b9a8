"""See quickly whether any of some words is in a file: most files of a tree hold none, and no reader needs to see them.

Python's regular expressions try every alternative at every letter, which is far slower than grep. But an expression
that begins with one letter jumps to that letter with the C library's memchr. So each word is looked for at its rarest
letter, with the part before it as a lookbehind; a handful of such expressions find dozens of words.
"""

import re
from collections.abc import Callable, Collection

# How often a byte is in source trees, in percent, where that is not `_USUAL`: spaces are not worth jumping to.
_SHARES = {" ": 26, "e": 6.7, "t": 4.7, "r": 4.1, "s": 3.9, "i": 3.7, "a": 3.6, "n": 3.6, "o": 3.4, "l": 2.6, ",": 2.1}
_SHARES |= {"c": 2, "d": 1.9, "p": 1.8, "f": 1.7, "u": 1.6, "_": 1.5, "m": 1.5, "h": 1.2, ".": 1.1, "g": 1, ":": 1}
_SHARES |= {"b": 0.8, "y": 0.7, "0": 0.7, "x": 0.5, "-": 0.5, "w": 0.5, "v": 0.5, "1": 0.5, "k": 0.4, "2": 0.4}
_USUAL = 0.2
_PASS_SHARE = 1.5  # what one more expression costs, as the share of a letter that costs as much


def make_prefilter(words: Collection[str]) -> Callable[[bytes], bool]:
    """Return a function that says whether any of the words is in a file's content.

    :param words: in lower case, of ASCII; capital letters of the content do not matter.
    """
    searches = [re.compile(_expression(letter, group)).search for letter, group in _group_words(words)]

    def holds_any(content: bytes) -> bool:
        lowered = content.lower()
        # No generator, which would cost as much as a search of a short file.
        for search in searches:  # noqa: SIM110
            if search(lowered):
                return True
        return False

    return holds_any


def _group_words(words: Collection[str]) -> list[tuple[str, list[str]]]:
    """Return letters and the words to look for at each, so that little of a file is looked at."""
    left, groups = set(words), list[tuple[str, list[str]]]()
    while left:

        def worth(letter: str) -> tuple[float, str]:
            found = sum(letter in word for word in left)  # noqa: B023  (used at once)
            return found / (_PASS_SHARE + _SHARES.get(letter, _USUAL)), letter

        best = max({letter for word in left for letter in word}, key=worth)
        groups.append((best, sorted(word for word in left if best in word)))
        left -= set(groups[-1][1])
    return groups


def _expression(letter: str, words: list[str]) -> bytes:
    """Return an expression that begins with the letter and matches where one of the words is around it.

    The letters beside it are looked at first, because most places differ there already.
    """
    by_next: dict[str, list[str]] = {}
    for word in words:
        before, _, after = word.partition(letter)
        whole = f"(?<={re.escape(word)})" if before else ""
        by_next.setdefault(after[:1], []).append(re.escape(after[1:]) + whole)
    # A word that ends with the letter has nothing behind it, so it is the last to be tried.
    branches = [f"{re.escape(each)}(?:{'|'.join(rest)})" for each, rest in sorted(by_next.items(), reverse=True)]
    follow = "" if "" in by_next else f"(?={_any_of(set(by_next))})"
    befores = {word.partition(letter)[0][-1:] for word in words}
    precede = "" if "" in befores else f"(?<={_any_of(befores)}{re.escape(letter)})"
    return f"{re.escape(letter)}{follow}{precede}(?:{'|'.join(branches)})".encode("ascii")


def _any_of(letters: set[str]) -> str:
    return f"[{''.join(re.escape(each) for each in sorted(letters))}]"
