"""A helper with a home of its own, a CLI that is signed in, and two hops that need no network."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from azext_acrscope.credentials.helper import cli, protocol, renewal
from tests.factories.helper import ALICE, Hops, sign_in


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "azure").mkdir()
    sign_in(ALICE)
    cloud = SimpleNamespace(suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io"))
    monkeypatch.setattr(cli, "cli_context", lambda: SimpleNamespace(cloud=cloud))
    return tmp_path


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Hops:
    made = Hops()
    monkeypatch.setattr(renewal, "_run_both_hops", made)
    return made


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hops: Hops) -> Callable[..., tuple[int, str]]:
    """Runs the helper with a verb and its standard input; returns the exit code and what it answered."""

    def run(*arguments: str, given: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        answer = tmp_path / "answer"
        code = protocol.main(list(arguments), os.open(answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        return code, answer.read_text()

    return run
