"""Import a package without those of its modules that take long to load and may never be used."""

import importlib
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


class _StandIn(ModuleType):  # pylint: disable=too-few-public-methods  # a module
    is_open = False

    def __getattr__(self, member: str) -> Any:
        if member.startswith("__"):
            raise AttributeError(member)
        return getattr(importlib.import_module(self.__name__), member) if self.is_open else Any
