"""What a document for people is made of, whatever it is written in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from azext_acrscope.report.model import StatusCounts

GOOD, BAD, DOUBT = "good", "bad", "doubt"  # how a value is meant, beside what it says


@dataclass(frozen=True)
class StatusBar:
    """How a whole is divided; drawn where something can be drawn."""

    statuses: StatusCounts
    label: str


@dataclass(frozen=True)
class TableCell:
    """:ivar tone: one of GOOD, BAD, DOUBT, or empty; colour only, the text says it, too.
    :ivar note: smaller, below.
    :ivar prose: whether text and note are sentences of this project, in which backquotes mean code.
    """

    text: str
    tone: str = ""
    href: str = ""
    note: str = ""
    prose: bool = False


@dataclass(frozen=True)
class Table:
    """:ivar caption: what it is, for who cannot see it at a glance. The first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[TableCell | StatusBar]]


@dataclass(frozen=True)
class Section:
    title: str
    text: str = ""
    table: Table | None = None
    items: list[str] = field(default_factory=list)
    warning: bool = False


@dataclass(frozen=True)
class KeyFigure:
    """A number that matters, and what it counts."""

    number: int
    text: str
    tone: str = ""


@dataclass(frozen=True)
class ReportDocument:
    title: str
    subtitle: str
    headline: str
    facts: list[tuple[str, str]]
    figures: list[KeyFigure]
    sections: list[Section]
    closing: list[str]
