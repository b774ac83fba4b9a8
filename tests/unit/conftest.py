"""What several rooms' tests stand on: a home of the test's own, as container clients see it; a local Azure."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud import LocalCloud


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines and tables are as wide as without a terminal, whatever the test runner sets."""
    monkeypatch.delenv("COLUMNS", raising=False)


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


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """A local Azure, to which the environment's proxy leads."""
    with LocalCloud(backend=False) as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running
