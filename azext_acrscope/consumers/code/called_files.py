"""Hold back files that others of the same tree call, until it is known with which values they do.

Such a file is read once for each set of values that its callers give, and those that nobody in the tree calls with
their defaults.
"""

import os
import posixpath
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azext_acrscope.consumers.code import errors
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, note_cut, watch_cuts
from azext_acrscope.consumers.code.values.callers import Given, called_with

if TYPE_CHECKING:
    from azext_acrscope.consumers.code.formats import Reader

_MAX_HELD = 32 * 1024 * 1024  # characters of files that are held back; real trees have a hundredth
_MAX_CALLS = 20_000  # of a tree
_MAX_VALUES = 16 * 1024 * 1024  # characters of what all calls give
_MAX_GIVEN = 2_000  # sets of values for a file; an action of a real tree is given 277
_MAX_READ_AGAIN = 8 * 1024 * 1024  # characters of all files, each as often as it is read
_MAX_LEVELS = 100  # of folders
_MAX_TARGETS = 20_000  # of a tree, each looked for in the folders above its caller


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
    is_cut: bool = False
    read_with: tuple[Given, ...] = ()  # empty until it is read


class CalledFiles:  # pylint: disable=too-many-instance-attributes  # with what is left of each bound
    """The files of a search that others may call, and the calls."""

    def __init__(self) -> None:
        self._held: dict[str, _Callee] = {}  # by path
        self._actions: dict[str, str] = {}  # paths by folder, which callers name
        self._found: dict[tuple[str, str], str | None] = {}  # what a folder's files mean by a target
        self._calls: list[tuple[str, str, Given]] = []  # folder of the caller, what it names, values
        self._calls_left, self._values_left = _MAX_CALLS, _MAX_VALUES
        self._size = 0
        self._left = _MAX_READ_AGAIN

    def take(self, file: SourceFile) -> bool:
        """Return whether a file is held back; else it is to be read at once, and its calls are known now."""
        # Only here: most commands read no code.
        from azext_acrscope.consumers.code.values.local_calls import action_folder, may_be_called

        if may_be_called(file.name, file.text):
            if self._size + len(file.text) <= _MAX_HELD:
                self._size += len(file.text)
                self._held[file.place] = _Callee(file)
                # GitHub takes `action.yml` where `action.yaml` is beside it.
                folder = action_folder(file.place)
                if folder is not None and (folder not in self._actions or file.place.lower().endswith(".yml")):
                    self._actions[folder] = file.place
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
        for name in self._in_order():
            self._read(self._held[name], read)

    def _in_order(self) -> list[str]:
        """Return the files, each behind its callers, as far as they do not call one another in a circle."""
        done, left = list[str](), dict.fromkeys(self._held)
        while left:
            name, _ = left.popitem()
            path = [(name, self._callees_of(self._held[name]))]
            while path:
                name, callees = path[-1]
                following = next((each for each in callees if each in left), None)
                if following is None:
                    done.append(path.pop()[0])
                else:
                    del left[following]
                    path.append((following, self._callees_of(self._held[following])))
        return done[::-1]

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
        callee.read_with = given
        is_in_circle = self._give_noted()
        read(file, given, callee.is_cut or self._left < 0 or bool(cuts) or is_in_circle)

    @staticmethod
    def _given_to(callee: _Callee) -> tuple[Given, ...]:
        from azext_acrscope.consumers.code.values.local_calls import runs_by_itself

        if callee.given:
            with suppress(BeyondLimitsError):
                if runs_by_itself(callee.file.name, callee.file.text):
                    callee.given[()] = None
        return tuple(callee.given) or ((),)

    def _note_calls(self, file: SourceFile) -> None:
        from azext_acrscope.consumers.code.values.local_calls import may_call, read_calls

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
        except Exception:  # pylint: disable=broad-exception-caught  # as when it is read: it is about this file
            note_cut(errors.NOT_UNDERSTOOD)

    def _give_noted(self) -> bool:
        """Give the files their values; return whether one was read before, which is in a circle."""
        calls, self._calls = self._calls, []
        is_late = False
        for folder, target, given in calls:
            if (name := self._find(folder, target)) is not None:
                callee = self._held[name]
                if callee.read_with:
                    is_late = is_late or given not in callee.read_with
                    continue
                callee.is_cut = callee.is_cut or (len(callee.given) >= _MAX_GIVEN and given not in callee.given)
                if not callee.is_cut:
                    callee.given[given] = None
        return is_late

    def _callees_of(self, callee: _Callee) -> Iterator[str]:
        from azext_acrscope.consumers.code.values.local_calls import may_call, read_targets

        file, found = callee.file, dict[str, None]()
        if may_call(file.name, file.text):
            with suppress(BeyondLimitsError):  # which is told when its calls are read
                for target in read_targets(file.text):
                    if len(self._found) >= _MAX_TARGETS:
                        break  # what it gives to a file that was read before is told
                    if (name := self._find(posixpath.dirname(file.place), target)) is not None:
                        found[name] = None
        return iter(found)

    def _find(self, folder: str, target: str) -> str | None:
        """Return which file a target names."""
        key = folder, target
        if key not in self._found:
            self._found[key] = self._look_for(folder, target)
        return self._found[key]

    def _look_for(self, folder: str, target: str) -> str | None:
        """Look in the folders above the caller, of which one is the root of the repository."""
        for _ in range(_MAX_LEVELS):
            name = posixpath.normpath(posixpath.join(folder, target))
            name = self._actions.get(name, name)
            if name in self._held:
                return name
            above = posixpath.dirname(folder)
            if above == folder:
                break
            folder = above
        return None
