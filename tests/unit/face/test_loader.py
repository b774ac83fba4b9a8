"""What the extension does in commands that are not its own: nothing but to tell its commands."""

import atexit
import gc

import pytest

from azext_acrscope._loader import AcrScopeCommandsLoader
from tests.factories.cli import command_context


@pytest.mark.parametrize(("words", "own"), [("acr scope show", True), ("acr -h", False), ("acr login", False)])
def test_only_its_own_commands_change_when_garbage_is_collected(
    words: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    monkeypatch.setattr(gc, "get_freeze_count", lambda: len(done))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))
    monkeypatch.setattr(gc, "set_threshold", lambda *_: done.append("threshold"))
    monkeypatch.setattr(atexit, "register", lambda _: done.append("at the end"))
    for _ in range(2):  # as in `az interactive`: what a command leaves is garbage for the next
        AcrScopeCommandsLoader(command_context()).load_command_table(words.split())
    assert done == (["frozen", "threshold", "at the end"] if own else [])
