"""Import a package without what takes long to load and may never be used: modules of its own, or other packages."""

import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def late_modules(package: str, *names: str) -> Iterator[None]:
    """Let imports of a package, within, give it stand-ins for modules of its own; each loads when it is first used.

    That is for modules of which the package needs nothing but types for annotations while it is imported. Later a
    stand-in is as good as the module, and whoever else imports the module gets the module.

    :param package: if it was imported before, nothing is done.
    :param names: of its modules.
    """
    with _ONE_AT_A_TIME:
        full_names = [] if package in sys.modules else [f"{package}.{name}" for name in names]
        stand_ins = {name: _StandIn(name) for name in full_names}
        sys.modules.update(stand_ins)
        try:
            yield
        finally:
            for name, stand_in in stand_ins.items():
                stand_in.is_open = True
                sys.modules.pop(name, None)


@contextmanager
def late_packages(package: str, *names: str) -> Iterator[None]:
    """Let imports of a package, within, give it stand-ins for others; each loads when more than its version is used.

    :param package: if it was imported before, nothing is done.
    :param names: of packages whose version is in a file of its own; others are imported as ever.
    """
    with _ONE_AT_A_TIME:
        wanted = [] if package in sys.modules else [name for name in names if name not in sys.modules]
        stand_ins = {name: _StandIn(name) for name in wanted}
        for name, stand_in in stand_ins.items():
            if version := _read_version(name):
                stand_in.__dict__["__version__"] = version
                stand_in.is_open = True
                sys.modules[name] = stand_in
        try:
            yield
        finally:
            for name, stand_in in stand_ins.items():
                if sys.modules.get(name) is stand_in:
                    del sys.modules[name]


def _read_version(package: str) -> str:
    """The version of a package that is not imported; empty if it is not there, or has no file for it."""
    spec, name = importlib.util.find_spec(package), f"{package}.version"
    if not (spec and spec.origin):
        return ""
    module, file = ModuleType(name), os.path.join(os.path.dirname(spec.origin), "version.py")
    try:
        importlib.machinery.SourceFileLoader(name, file).exec_module(module)
    except Exception:  # pylint: disable=broad-exception-caught  # then the package is imported as ever
        return ""
    return str(getattr(module, "__version__", ""))


class _StandIn(ModuleType):  # pylint: disable=too-few-public-methods  # a module
    is_open = False

    def __getattr__(self, member: str) -> Any:
        if member.startswith("__"):
            raise AttributeError(member)
        if not self.is_open:
            return Any
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), member)
