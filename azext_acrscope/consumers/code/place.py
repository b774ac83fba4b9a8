"""What a reader finds in a file: the line and what happens there, never the text of the line."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, order=True)
class Place:  # pylint: disable=too-many-instance-attributes  # plain data
    """A line that signs in to a registry, or that sets the status back to `enabled`.

    No text of the file is kept but the login server, the version and an alias: real trees hold credentials beside such
    lines.

    :ivar line: counted from 1.
    :ivar pattern: which of the patterns it is: a key of one of the files in ``patterns``.
    :ivar registry: the login server in lower case; None if the file does not say it in plain letters.
    :ivar version: of the tool that signs in, if the file says it in plain letters.
    :ivar is_exact: whether it is that version and no newer one.
    :ivar is_one_of_several: whether it is so in some jobs or runs only: that others name a registry says nothing of it.
    :ivar in_group: whether a group of variables, which no file shows, may say the registry.
    :ivar alias: what the file calls the registry, if another file says which one that is.
    """

    line: int
    pattern: str
    registry: str | None = None
    version: str | None = None
    is_exact: bool = field(default=True, compare=False)
    is_one_of_several: bool = False
    in_group: bool = field(default=False, compare=False)
    alias: str | None = field(default=None, compare=False)

    def in_one_of(self, runs: int) -> "Place":
        """Return the place as it is in one of so many runs: where several are and it names no registry, others may."""
        return replace(self, is_one_of_several=True) if runs > 1 and self.registry is None else self

    def with_group(self, in_group: bool) -> "Place":
        """Return the place as it is where there may be a group of variables."""
        return replace(self, in_group=True) if in_group and self.registry is None else self
