"""What a search of folders has read, and what it has not. Plain data."""

from collections import Counter
from dataclasses import dataclass, field

_MAX_NAMES = 20  # that are kept of a sort


@dataclass
class Named:
    """How many files or folders there are of a sort, and the first of them by name."""

    number: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more."""
        self.number += 1
        if len(self.names) < _MAX_NAMES:
            self.names.append(name)


@dataclass
class WalkCounts:  # pylint: disable=too-many-instance-attributes  # counts
    """What was read of a walk, and what was not.

    :ivar files: text files that were read.
    :ivar other_formats: files that were not read: no reader knows their name, and they do not begin as a script.
    :ivar left_out: folders that were left out, by name.
    :ivar links: links that were not followed. What they lead to is read in its own place if it is in the folder.
    :ivar special: pipes, sockets and devices.
    :ivar large: text files over `walk.MAX_FILE_BYTES`.
    :ivar unreadable: folders and files, each with the reason.
    :ivar cut: whether there were more than `walk.MAX_ENTRIES`.
    """

    files: int = 0
    other_formats: int = 0
    binary: int = 0
    links: int = 0
    special: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    large: Named = field(default_factory=Named)
    unreadable: Named = field(default_factory=Named)
    entries: int = 0
    cut: bool = False
