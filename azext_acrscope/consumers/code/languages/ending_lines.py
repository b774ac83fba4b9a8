"""Find the lines that end texts such as those between `<<EOF` and `EOF`: all of a file in one pass, however many."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Collection


class EndingLines:  # pylint: disable=too-few-public-methods
    """Where the lines are that say one of some marks."""

    def __init__(self, text: str, line: re.Pattern[str], marks: Collection[str]) -> None:
        """Look through a text.

        :param line: matches a line; its first group is what is compared with the marks, but for white space behind it.
        """
        self._starts: dict[str, array[int]] = {}  # pylint: disable=unsubscriptable-object
        for match in line.finditer(text) if marks else ():
            if (mark := match[1].rstrip(" \t\r")) in marks:
                self._starts.setdefault(mark, array("Q")).append(match.start())

    def find(self, mark: str, position: int) -> int | None:
        """Return where the first line that says the mark begins, at or behind a position; None without any."""
        starts = self._starts.get(mark)
        index = bisect_left(starts, position) if starts else 0
        return starts[index] if starts and index < len(starts) else None
