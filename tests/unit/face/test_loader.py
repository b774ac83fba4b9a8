"""What the extension does in commands that are not its own: nothing but to tell its commands. And what its own load."""

import atexit
import gc
import re
import subprocess
import sys

import pytest

from azext_acrscope._loader import _GARBAGE_PORTION, AcrScopeCommandsLoader
from tests.factories.cli import command_context


@pytest.mark.parametrize(("words", "own"), [("acr scope show", True), ("acr -h", False), ("acr login", False)])
def test_only_its_own_commands_change_when_garbage_is_collected(
    words: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    monkeypatch.setattr(gc, "get_threshold", lambda: (_GARBAGE_PORTION if "threshold" in done else 700, 10, 10))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))
    monkeypatch.setattr(gc, "set_threshold", lambda *_: done.append("threshold"))
    monkeypatch.setattr(atexit, "register", lambda _: done.append("at the end"))
    for _ in range(2):  # as in `az interactive`: what a command leaves is garbage for the next
        AcrScopeCommandsLoader(command_context()).load_command_table(words.split())
    assert done == (["frozen", "threshold", "at the end"] if own else [])


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        # What a sign-in needs that prints its token: nothing of where credentials are stored.
        (
            "custom_sign_in, credentials.token_output, credentials.helper.login",
            "credentials.(destinations|clients|stores|kubernetes_secret|helper.(renewal|cache_update))|arm.client|enforcement",
        ),
        # What one registry's enforcement needs: no code is searched, nothing is verified, no fleet is listed.
        (
            "enforcement.workflow, enforcement.preflight, enforcement.run",
            "consumers.(code|login_log|azure_devops)|verification|arm.log_analytics|fleet.live|hops.exchange",
        ),
        ("registry.lookup, _command", "enforcement|consumers"),
    ],
)
def test_a_command_loads_what_it_uses(modules: str, unused: str) -> None:
    imports = "; ".join(f"import azext_acrscope.{each}" for each in modules.split(", "))
    show = f"import sys; {imports}; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout.split()
    assert f"azext_acrscope.{modules.split(', ')[0]}" in loaded
    found = [each for each in loaded if re.match(rf"azext_acrscope\.({unused})(\.|$)", each)]
    assert [
        each for each in found if each not in {"azext_acrscope.enforcement", "azext_acrscope.enforcement.errors"}
    ] == []
