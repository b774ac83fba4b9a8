"""Tell what two files say of the same thing, so that it is one row: a package of a manifest and of its lock file, and a
Bicep file and the ARM template that was compiled from it. Pure.
"""

import posixpath
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from azext_acrscope.consumers.code.place import Place

Located = tuple[str, Place]  # a file and what is in it

BICEP = ".bicep"
_SHOWN = 3  # other places that a row names
_PYTHON_LOCKS = ("poetry.lock", "uv.lock", "pdm.lock", "requirements.txt")
_LOCKS = {
    "package.json": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
    "pipfile": ("pipfile.lock",),
    "pyproject.toml": _PYTHON_LOCKS,
    "setup.cfg": _PYTHON_LOCKS,
    "setup.py": _PYTHON_LOCKS,
    "directory.packages.props": ("packages.lock.json",),
}
_COMPILED = re.compile(r'"_generator"\s*:\s*\{\s*"name"\s*:\s*"bicep"')


@dataclass(frozen=True)
class Found:
    """A place that gets a row, and the other places that say the same.

    :ivar also: as ``file:line``.
    """

    file: str
    place: Place
    also: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """Return a sentence that names the other places, after a space; empty without any."""
        if not self.also:
            return ""
        more = len(self.also) - _SHOWN
        return f" Also in {', '.join(self.also[:_SHOWN])}{f' and {more} more' if more > 0 else ''}."


def is_compiled(name: str, text: str) -> bool:
    """Return whether a file says that it was compiled from Bicep."""
    return name.lower().endswith(".json") and bool(_COMPILED.search(text))


def merge_doubles(places: Iterable[Located], compiled: Collection[str], bicep: Iterable[str]) -> list[Found]:
    """Return each place once: that of the lock file, whose version is installed, and that of Bicep, which people edit.

    :param compiled: the files that say that they were compiled from Bicep.
    :param bicep: all Bicep files, also those in which nothing was found.
    """
    all_places = list(places)
    originals = {**_find_locked(all_places), **_find_compiled(all_places, compiled, bicep)}
    also: dict[Located, list[str]] = defaultdict(list)
    for (file, place), original in originals.items():
        also[original].append(f"{file}:{place.line}")
    return [Found(*each, tuple(also.get(each, ()))) for each in all_places if each not in originals]


def _find_locked(places: list[Located]) -> dict[Located, Located]:
    """Return, by the place of a manifest, the first of the lock file that decides which version is installed."""
    pinned: dict[tuple[str, str, str], Located] = {}
    for file, place in places:
        if place.version is not None and place.is_exact:
            folder, name = posixpath.split(file)
            pinned.setdefault((folder, name.lower(), place.pattern), (file, place))
    locked: dict[Located, Located] = {}
    for file, place in places:
        folder, name = posixpath.split(file)
        keys = [(folder, lock, place.pattern) for lock in _locks_of(name.lower())]
        if lock := next((pinned[key] for key in keys if key in pinned), None):
            locked[file, place] = lock
    return locked


def _locks_of(name: str) -> tuple[str, ...]:
    """Return the names of the lock files that a manifest may have beside it."""
    stem, ending = posixpath.splitext(name)
    if ending == ".in":
        return (f"{stem}.txt",)
    return ("packages.lock.json",) if ending == ".csproj" else _LOCKS.get(name, ())


def _find_compiled(places: list[Located], compiled: Collection[str], bicep: Iterable[str]) -> dict[Located, Located]:
    """Return, by a place of an ARM template, the place of the Bicep file that it was compiled from.

    What the Bicep file does not say stays: the modules of others are in the template, too.
    """
    written: dict[tuple[str, str, str | None], deque[Place]] = defaultdict(deque)
    beside: dict[str, set[str]] = defaultdict(set)
    namesakes: dict[str, set[str]] = defaultdict(set)
    for file in bicep:
        stem = posixpath.splitext(file.lower())[0]
        beside[stem].add(file)
        namesakes[posixpath.basename(stem)].add(file)
    for file, place in places if namesakes else ():
        if file.lower().endswith(BICEP):
            written[file, place.pattern, place.registry].append(place)
    found: dict[Located, Located] = {}
    for file, place in places if written else ():
        stem, ending = posixpath.splitext(file.lower())
        if ending != ".json":
            continue
        elsewhere = namesakes.get(posixpath.basename(stem), ()) if file in compiled else ()
        sources = beside.get(stem) or elsewhere
        for source in sources if len(sources) == 1 else ():
            if same := written.get((source, place.pattern, place.registry)):
                found[file, place] = (source, same.popleft())  # a second one of the template is another one
    return found
