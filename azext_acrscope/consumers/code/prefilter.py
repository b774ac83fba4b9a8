"""See quickly whether any of some words is in a file: most files of a tree hold none, and no reader needs to see them.

Python's regular expressions try every alternative at every letter, which is far slower than grep. But an expression
that begins with one letter skips all others in a small loop. So each word is looked for at its rarest letter, with the
part before it as a lookbehind; a handful of such expressions find dozens of words.
"""

import re
from collections.abc import Callable, Collection

# How often a byte is in source trees, in percent, where that is not `_USUAL`: spaces are not worth jumping to.
_SHARES = {" ": 26, "e": 6.7, "t": 4.7, "r": 4.1, "s": 3.9, "i": 3.7, "a": 3.6, "n": 3.6, "o": 3.4, "l": 2.6, ",": 2.1}
_SHARES |= {"c": 2, "d": 1.9, "p": 1.8, "f": 1.7, "u": 1.6, "_": 1.5, "m": 1.5, "h": 1.2, ".": 1.1, "g": 1, ":": 1}
_SHARES |= {"b": 0.8, "y": 0.7, "0": 0.7, "x": 0.5, "-": 0.5, "w": 0.5, "v": 0.5, "1": 0.5, "k": 0.4, "2": 0.4}
_USUAL = 0.2
_PASS_SHARE = 1  # what one more expression costs, as the share of a letter that costs as much


def make_prefilter(words: Collection[str]) -> Callable[[bytes], bool]:
    """Return a function that says whether any of the words is in a file's content in lower case (`bytes.lower`).

    :param words: in lower case, of ASCII.
    """
    groups = _group_words(words)
    alone = [word.encode("ascii") for _, group in groups if len(group) == 1 for word in group]
    searches = [re.compile(_expression(letter, group)).search for letter, group in groups if len(group) > 1]

    def holds_any(lowered: bytes) -> bool:
        # No generators, which would cost as much as a search of a short file.
        for search in searches:
            if search(lowered):
                return True
        for word in alone:  # noqa: SIM110
            if word in lowered:
                return True
        return False

    return holds_any


def _group_words(words: Collection[str]) -> list[tuple[str, list[str]]]:
    """Return letters and the words to look for at each, so that little of a file is looked at.

    No letter is the last of its words. A word of one letter is a group of its own.
    """
    left = {word for word in words if len(word) > 1}
    groups = [("", [word]) for word in words if len(word) == 1]
    while left:

        def worth(letter: str) -> tuple[float, str]:
            found = sum(letter in word[:-1] for word in left)  # noqa: B023  (used at once)
            return found / (_PASS_SHARE + _SHARES.get(letter, _USUAL)), letter

        best = max({letter for word in left for letter in word[:-1]}, key=worth)
        groups.append((best, sorted(word for word in left if best in word[:-1])))
        left -= set(groups[-1][1])
    return groups


def _expression(letter: str, words: list[str]) -> bytes:
    """Return an expression that begins with the letter and matches where one of the words is around it.

    The letters beside it are looked at first, because most places differ there already.
    """
    by_next: dict[str, list[str]] = {}
    for word in words:
        by_next.setdefault(word.partition(letter)[2][0], []).append(word)
    branches = [_branch(letter, following, group) for following, group in sorted(by_next.items())]
    return f"{re.escape(letter)}(?:{'|'.join(branches)})".encode("ascii")


def _branch(letter: str, following: str, words: list[str]) -> str:
    befores = {word.partition(letter)[0][-1:] for word in words}
    any_before = "".join(re.escape(each) for each in sorted(befores))
    precede = "" if "" in befores else f"(?<=[{any_before}]{re.escape(letter + following)})"
    rests = (re.escape(word.partition(letter)[2][1:]) + f"(?<={re.escape(word)})" for word in words)
    return f"{re.escape(following)}{precede}(?:{'|'.join(rests)})"
