"""Hold back files that others of the same tree call, until it is known with which values they do.

Such a file is read once for each set of values that its callers give, and those that nobody in the tree calls with
their defaults.
"""

import os
import posixpath
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azext_acrscope.consumers.code.callers import Given, called_with
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, note_cut, watch_cuts

if TYPE_CHECKING:
    from azext_acrscope.consumers.code.formats import Reader

_MAX_HELD = 32 * 1024 * 1024  # characters of files that are held back; real trees have a hundredth
_MAX_CALLS = 20_000  # of a tree
_MAX_VALUES = 16 * 1024 * 1024  # characters of what all calls give
_MAX_GIVEN = 2_000  # sets of values for a file; an action of a real tree is given 277
_MAX_READ_AGAIN = 16 * 1024 * 1024  # characters of all files, each as often as it is read
_MAX_LEVELS = 100  # of folders


@dataclass(frozen=True)
class SourceFile:
    """A file of the search.

    :ivar path: where it is.
    :ivar shown: its name in results.
    :ivar name: its name in its repository.
    :ivar readers: those who may find something in it.
    :ivar begin: the number of lines that stand before the text.
    """

    path: str
    shown: str
    name: str
    text: str
    readers: "tuple[Reader, ...]"
    begin: int = 0

    @property
    def place(self) -> str:
        """Return where it is, with `/`."""
        return self.path.replace(os.sep, "/")


Read = Callable[[SourceFile, tuple[Given, ...], bool], None]


@dataclass
class _Callee:
    file: SourceFile
    given: dict[Given, None] = field(default_factory=dict)  # by its callers
    callees: list[str] = field(default_factory=list)
    waits_for: int = 0  # callers that are held back as well
    is_cut: bool = False


class CalledFiles:
    """The files of a search that others may call, and the calls."""

    def __init__(self) -> None:
        self._held: dict[str, _Callee] = {}  # by the path that a caller names
        self._calls: list[tuple[str, str, Given]] = []  # folder of the caller, what it names, values
        self._calls_left, self._values_left = _MAX_CALLS, _MAX_VALUES
        self._size = 0
        self._left = _MAX_READ_AGAIN

    def take(self, file: SourceFile) -> bool:
        """Return whether a file is held back; else it is to be read at once, and its calls are known now."""
        from azext_acrscope.consumers.code.local_calls import called_name, may_be_called  # most commands read no code

        if may_be_called(file.name, file.text):
            if self._size + len(file.text) <= _MAX_HELD:
                self._size += len(file.text)
                self._held[called_name(file.place)] = _Callee(file)
                return True
            note_cut(TOO_MUCH)
        self._note_calls(file)
        return False

    def read_all(self, read: Read) -> None:
        """Read the files that are held back, callers first.

        :param read: reads a file with each of some sets of values, of which one may be empty; the last it is told is
            whether there are more.
        """
        self._give_noted()
        for callee in self._held.values():
            callee.callees = self._callees_of(callee.file)
            for each in callee.callees:
                self._held[each].waits_for += 1
        left = dict.fromkeys(self._held)
        ready = [name for name, callee in self._held.items() if not callee.waits_for]
        while left:
            name = ready.pop() if ready else next(iter(left))  # of a circle, which GitHub refuses
            if name not in left:
                continue
            del left[name]
            callee = self._held[name]
            self._read(callee, read)
            for each in callee.callees:
                self._held[each].waits_for -= 1
                if not self._held[each].waits_for:
                    ready.append(each)

    def _read(self, callee: _Callee, read: Read) -> None:
        file = callee.file
        given = self._given_to(callee)
        self._left -= len(file.text) * (len(given) - 1)
        if self._left < 0:
            given = ((),)
        with watch_cuts() as cuts:
            for each in given:
                with called_with(each):
                    self._note_calls(file)
        self._give_noted()
        read(file, given, callee.is_cut or self._left < 0 or bool(cuts))

    @staticmethod
    def _given_to(callee: _Callee) -> tuple[Given, ...]:
        from azext_acrscope.consumers.code.local_calls import runs_by_itself

        if callee.given:
            with suppress(BeyondLimitsError):
                if runs_by_itself(callee.file.text):
                    callee.given[()] = None
        return tuple(callee.given) or ((),)

    def _note_calls(self, file: SourceFile) -> None:
        from azext_acrscope.consumers.code.local_calls import may_call, read_calls

        if not may_call(file.name, file.text):
            return
        folder = posixpath.dirname(file.place)
        try:
            for call in read_calls(file.text):
                self._calls_left -= 1
                self._values_left -= sum(len(name) + len(text) for name, text in call.given)
                if self._calls_left < 0 or self._values_left < 0:
                    raise BeyondLimitsError
                self._calls.append((folder, call.target, call.given))
        except BeyondLimitsError:
            note_cut(TOO_MUCH)

    def _give_noted(self) -> None:
        calls, self._calls = self._calls, []
        for folder, target, given in calls:
            if (name := self._find(folder, target)) is not None:
                callee = self._held[name]
                callee.is_cut = callee.is_cut or (len(callee.given) >= _MAX_GIVEN and given not in callee.given)
                if not callee.is_cut:
                    callee.given[given] = None

    def _callees_of(self, file: SourceFile) -> list[str]:
        from azext_acrscope.consumers.code.local_calls import may_call, read_targets

        found: dict[str, None] = {}
        if may_call(file.name, file.text):
            with suppress(BeyondLimitsError):
                for target in read_targets(file.text):
                    if (name := self._find(posixpath.dirname(file.place), target)) is not None:
                        found[name] = None
        return list(found)

    def _find(self, folder: str, target: str) -> str | None:
        """Return which file a target names: the root of the repository is one of the folders above the caller."""
        for _ in range(_MAX_LEVELS):
            name = posixpath.normpath(posixpath.join(folder, target))
            if name in self._held:
                return name
            above = posixpath.dirname(folder)
            if above == folder:
                break
            folder = above
        return None
