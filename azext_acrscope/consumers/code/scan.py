"""Search folders of code for who signs in to registries, and for what sets their status back.

Most files hold none of the words that their readers look for and are seen by none, and many have a name that no reader
knows; of those only scripts are read. A reader that fails on a file costs that file only, and the result says so.
"""

import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from azext_acrscope.base import hosts
from azext_acrscope.consumers.checklist import Search
from azext_acrscope.consumers.code import errors, piped, walk
from azext_acrscope.consumers.code.called_files import CalledFiles, SourceFile
from azext_acrscope.consumers.code.counts import Named, WalkCounts
from azext_acrscope.consumers.code.doubles import BICEP, Found, is_compiled, merge_doubles
from azext_acrscope.consumers.code.file_names import ending_of, name_of_output
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, Cut, bounded_runs, note_cut, watch_cuts
from azext_acrscope.consumers.code.patterns.known_patterns import STRENGTHS, TURNS_BACK_ON, KnownPatterns, load_patterns
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.prefilter import make_prefilter
from azext_acrscope.consumers.code.values.callers import Given, called_with
from azext_acrscope.consumers.code.values.module_aliases import CONFIGURATION, Aliases, join_modules, read_aliases
from azext_acrscope.consumers.knowledge import CODE, VERDICT_ORDER, Knowledge, count_verdicts
from azext_acrscope.consumers.versions import version_key

if TYPE_CHECKING:
    from azext_acrscope.consumers.code.formats import Reader

MAX_PLACES_OF_FILE = 1_000
MAX_ROWS = 20_000
_MAX_TOLD = 20 * MAX_PLACES_OF_FILE  # by a reader of one file, which may tell the same place often

Row = dict[str, Any]


@dataclass
class SourceFindings:
    """What was found in folders of code, and what was not searched.

    :ivar code: rows of places that sign in, what breaks first (see `KnownPatterns.code_row`). `registry` is null where
        the file does not say which one.
    :ivar turns_back_on: rows of places that set the status back to `enabled`, explicit ones first.
    :ivar summary: ``{folders, filesRead, readInPart, skipped{binary, large, links, special, otherFormats,
        unreadable}, leftOut{name: number}, otherRegistries}``: `readInPart` is how many of the files were not read to
        their end, and the last is how many places name a registry that was not asked about.
    :ivar incomplete: sentences on what was not searched although it may hold something.
    :ivar paths: by `file` of a row, the file's path in its repository.
    :ivar kinds: all that was looked for, found or not.
    """

    code: list[Row] = field(default_factory=list)
    turns_back_on: list[Row] = field(default_factory=list)
    summary: Row = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()

    @property
    def as_search(self) -> Search:
        """Return what was searched, for the checklist."""
        sets_back = [{"kind": TURNS_BACK_ON} for _ in self.turns_back_on]
        return Search(CODE, self.kinds, [*self.code, *sets_back], complete=not self.incomplete)

    @property
    def numbers(self) -> dict[str, int]:
        """Return how many places have each verdict, and how many set the status back."""
        return {**count_verdicts(self.code), "turnsBackOn": len(self.turns_back_on)}

    def rows_of(self, login_server: str) -> tuple[list[Row], list[Row]]:
        """Return the rows of `code` and of `turns_back_on` that name the registry with this login server."""
        names = {name for name in self._named if login_server and _names(name, login_server)}
        if not names:
            return [], []
        found = ([row for row in rows if row["registry"] in names] for rows in (self.code, self.turns_back_on))
        code, turns_back_on = found
        return code, turns_back_on

    @cached_property
    def _named(self) -> frozenset[str]:
        """The login servers that rows name: few, however many rows and registries there are."""
        return frozenset(row["registry"] for row in [*self.code, *self.turns_back_on] if row["registry"])


def search_code(
    sources: Iterable[str], knowledge: Knowledge, login_servers: Collection[str] | None = None
) -> SourceFindings:
    """Search folders and files, and `-`, with all readers for all that is known; see `scan_sources`."""
    from azext_acrscope.consumers.code.formats import READERS  # only here: a command without --source needs none

    return scan_sources(list(sources), load_patterns(knowledge), login_servers, READERS)


def scan_sources(
    sources: list[str],
    patterns: KnownPatterns,
    login_servers: Collection[str] | None,
    readers: "Iterable[Reader]",
) -> SourceFindings:
    """Search folders and files, and `-` for what is piped into the command.

    :param login_servers: of the registries asked about; places that name another one are only counted. None: any.
    :raises FileOperationError: there is no such folder or file.
    :raises RequiredArgumentMissingError: nothing is piped.
    """
    roots = walk.find_roots(sources)
    scan = _Scan(patterns, tuple(readers), login_servers)
    with bounded_runs():
        return _search(sources, roots, scan)


def _search(sources: list[str], roots: "list[walk.SourceRoot]", scan: "_Scan") -> SourceFindings:
    for root in roots:
        for path, content in walk.read_files(root, scan.counts, scan.readers_of):
            if path.lower().endswith(BICEP):
                scan.bicep.add(root.shown_name(path))
            if readers := scan.find_readers(path, content):
                scan.add_file(path, root.shown_name(path), root.name_in_repository(path), content, readers)
            if scan.is_full:
                break
    if walk.STDIN in sources:
        for begin, name, content in piped.read_objects(scan.counts):
            if (readers := scan.find_readers(name, content)) and not scan.is_full:
                scan.add_file(f"{piped.SHOWN_NAME}:{begin}", piped.SHOWN_NAME, name, content, readers, begin)
    return scan.findings(sources)


class _Scan:  # pylint: disable=too-many-instance-attributes  # what is known, and what was found
    """A search under way: files come in, rows come out."""

    def __init__(
        self, patterns: KnownPatterns, readers: "tuple[Reader, ...]", login_servers: Collection[str] | None
    ) -> None:
        self.counts = WalkCounts()
        self.bicep: set[str] = set()  # files, also those in which nothing is found
        self._patterns = patterns
        self._readers = readers
        self._prefilter = cache(_make_prefilter)  # by readers
        endings = {ending for each in readers for ending in each.ENDINGS or ()}
        self._asked_by_ending = {ending: _asked_of(ending, readers) for ending in endings}
        self._asked_of_others = _asked_of(None, readers)
        self.readers_of = lru_cache(maxsize=1)(self._find_by_name)  # the walk asks first, then `find_readers`
        self._of_scripts = self._find_by_name("script.sh")
        self._wanted = None if login_servers is None else {each.lower() for each in login_servers}
        self._places: list[tuple[str, Place]] = []
        self._compiled: set[str] = set()
        self._aliases: dict[str, Aliases] = {}  # by folder
        self._paths: dict[str, str] = {}
        self._known: set[str] = set()
        self._called = CalledFiles()
        self._others = 0
        self._is_asked_about = cache(self._find_out_if_asked)  # the same few registries, in file after file
        self._read_in_part = Named()

    @property
    def is_full(self) -> bool:
        """Return whether there is no room for more."""
        return len(self._places) > MAX_ROWS

    def _find_by_name(self, path: str) -> "tuple[Reader, ...]":
        name = name_of_output(path.lower().replace(os.sep, "/"))
        asked = self._asked_by_ending.get(ending_of(name), self._asked_of_others)
        # For each file of a tree, so without a generator, which costs as much as the names' checks.
        found = [each for each, is_sure in asked if is_sure or each.reads(name)]
        return tuple(found)

    def find_readers(self, path: str, content: bytes) -> "tuple[Reader, ...]":
        """Return the readers of a file that may find something in it."""
        readers = self.readers_of(path)
        if content.startswith(walk.SCRIPT):
            readers = tuple(dict.fromkeys([*readers, *self._of_scripts]))
        if not readers or not self._prefilter(readers)(lowered := content.lower()):
            return ()
        return tuple(reader for reader in readers if self._prefilter((reader,))(lowered))

    def add_file(  # pylint: disable=too-many-positional-arguments
        self, path: str, shown: str, name: str, content: bytes, readers: "tuple[Reader, ...]", begin: int = 0
    ) -> None:
        """Read a file, unless it was in another of the folders.

        :param readers: from `find_readers`.
        :param begin: the number of lines that stand before the content.
        """
        if path in self._known:
            return
        self._known.add(path)
        text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        file = SourceFile(path, shown, name, text, readers, begin)
        if posixpath.basename(shown).lower() == CONFIGURATION:
            self._aliases[posixpath.dirname(shown)] = read_aliases(text)
        with watch_cuts() as cuts:
            if self._called.take(file):
                return
            places = _read(file)
        self._add_places(file, places, cuts)

    def _read_called(self, file: SourceFile, given: Sequence[Given], is_cut: bool) -> None:
        """Read a file that others call, with each of the sets of values that they give, while there is room."""
        if self.is_full:
            return
        with watch_cuts() as cuts:
            if is_cut:
                note_cut(TOO_MUCH)
            places = set[Place]()
            for each in given:
                with called_with(each):
                    places.update(place.in_one_of(len(given)) for place in _read(file))
        self._add_places(file, _distinct(places), cuts)

    def _add_places(self, file: SourceFile, places: list[Place], cuts: list[Cut]) -> None:
        known = sorted((each for each in places if each.pattern in self._patterns.patterns), key=_place_order)
        if len(known) < len(places):
            cuts.append(Cut(errors.NOT_UNDERSTOOD))
        for why, line in cuts[:1]:
            where = f"{file.shown}:{line + file.begin}" if line else file.shown
            self._read_in_part.add(f"{where} ({why})")
        asked = [each for each in known if self._is_asked_about(each.registry)]
        self._others += len(known) - len(asked)
        self._places += [(file.shown, replace(each, line=each.line + file.begin)) for each in asked]
        if asked:
            self._paths[file.shown] = file.name
            if is_compiled(file.name, file.text):
                self._compiled.add(file.shown)

    def _find_out_if_asked(self, registry: str | None) -> bool:
        if self._wanted is None or registry is None or registry in self._wanted:
            return True
        return any(_names(registry, own) for own in self._wanted)

    def findings(self, sources: list[str]) -> SourceFindings:
        """Return what was found."""
        self._called.read_all(self._read_called)
        joined = join_modules(self._places, self._aliases)
        asked = [(file, place) for file, place in joined if self._is_asked_about(place.registry)]
        self._others += len(joined) - len(asked)
        kept = merge_doubles(asked, self._compiled, self.bicep)[:MAX_ROWS]
        signs_in = [each for each in kept if not self._patterns.turns_back_on(each.place)]
        sets_back = [each for each in kept if self._patterns.turns_back_on(each.place)]
        return SourceFindings(
            sorted((_row(self._patterns.code_row, each) for each in signs_in), key=_code_order),
            sorted((_row(self._patterns.turns_back_on_row, each) for each in sets_back), key=_strength_order),
            self._summary(sources),
            self._incomplete(),
            self._paths,
            self._patterns.kinds,
        )

    def _summary(self, sources: list[str]) -> Row:
        counts = self.counts
        return {
            "folders": [walk.printable(each) for each in dict.fromkeys(sources)],
            "filesRead": counts.files,
            "readInPart": self._read_in_part.number,
            "skipped": {
                "binary": counts.binary,
                "large": counts.large.number,
                "links": counts.links,
                "special": counts.special,
                "otherFormats": counts.other_formats,
                "unreadable": counts.unreadable.number,
            },
            "leftOut": dict(sorted(counts.left_out.items())),
            "otherRegistries": self._others,
        }

    def _incomplete(self) -> list[str]:
        counts = self.counts
        said = [
            (counts.unreadable, errors.unreadable(counts.unreadable)),
            (counts.large, errors.too_large(counts.large, walk.MAX_FILE_BYTES)),
            (self._read_in_part, errors.read_in_part(self._read_in_part)),
        ]
        incomplete = [text for names, text in said if names.number]
        incomplete += [errors.too_many_rows(MAX_ROWS)] if len(self._places) > MAX_ROWS else []
        incomplete += [errors.too_many_entries(walk.MAX_ENTRIES)] if counts.cut else []
        return incomplete + ([] if counts.files else [errors.nothing_read()])


def _row(make: Callable[[Place, str], Row], found: Found) -> Row:
    row = make(found.place, found.file)
    return {**row, "why": row["why"] + found.remark}


def _asked_of(ending: str | None, readers: "tuple[Reader, ...]") -> "list[tuple[Reader, bool]]":
    """Return the readers that may read a file with an ending, and whether they read each."""
    found = ((each, each.ENDINGS) for each in readers)
    return [(each, own is not None) for each, own in found if own is None or ending in own]


def _make_prefilter(readers: "tuple[Reader, ...]") -> Callable[[bytes], bool]:
    return make_prefilter({word for reader in readers for word in reader.WORDS})


def _read(file: SourceFile) -> list[Place]:
    """Return what the readers of a file find, not much more than may be listed; why there may be more is noted."""
    found = set[Place]()
    name = name_of_output(file.name)
    for reader in file.readers:
        try:
            for number, place in enumerate(reader.read_places(file.text, name)):
                found.add(place)
                if number == _MAX_TOLD:
                    note_cut(TOO_MUCH)
                if number == _MAX_TOLD or len(found) > MAX_PLACES_OF_FILE:
                    break
        except BeyondLimitsError:
            note_cut(TOO_MUCH)
        except Exception:  # pylint: disable=broad-exception-caught  # whatever it is, it is about this file
            note_cut(errors.NOT_UNDERSTOOD)
    if len(found) > MAX_PLACES_OF_FILE:
        note_cut(errors.too_many_places(MAX_PLACES_OF_FILE))
    return _distinct(found)


def _names(registry: str, login_server: str) -> bool:
    """Commands and templates name a registry without the hash that its login server may have: ``NAME-HASH.azurecr.io``.

    The readers make NAME.azurecr.io of that; somebody else's registry of this name is better shown than left out.
    """
    return hosts.is_login_server_of(registry, login_server) or registry == hosts.without_hash(login_server)


def _distinct(found: Iterable[Place]) -> list[Place]:
    """Return the places without those that say less than another one of the same line and pattern."""
    by_line: dict[tuple[int, str], dict[str | None, Place]] = {}
    for place in sorted(found, key=_certainty):
        by_line.setdefault((place.line, place.pattern), {}).setdefault(place.registry, place)
    return [
        place
        for same in by_line.values()
        for registry, place in same.items()
        if registry is not None or len(same) == 1 or place.is_one_of_several
    ]


def _certainty(place: Place) -> tuple[bool, bool, tuple[int, ...]]:
    """Sort what a place of the same line is told by: that others do not make it needless; a version that the file
    names; the oldest, which breaks most.
    """
    return not place.is_one_of_several, place.version is None, version_key(place.version or "") or ()


def _place_order(place: Place) -> tuple[int, str, str]:
    return place.line, place.pattern, place.registry or ""


def _code_order(row: Row) -> tuple[int, bool, str, int, str]:
    return VERDICT_ORDER.index(row["verdict"]), row["registry"] is None, row["file"], row["line"], row["kind"]


def _strength_order(row: Row) -> tuple[int, bool, str, int]:
    return STRENGTHS.index(row["strength"]), row["registry"] is None, row["file"], row["line"]
