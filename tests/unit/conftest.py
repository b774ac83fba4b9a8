"""What several rooms' tests stand on: a home of the test's own, as container clients see it."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home, a run directory and a `bin` first on PATH; no variable of any client's is left."""
    for name in list(os.environ):
        if name.startswith(("DOCKER", "HELM", "REGISTRY", "XDG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path
