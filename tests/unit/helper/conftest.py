"""A helper with a home of its own, a CLI that is signed in, and two hops that need no network."""

import base64
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azext_acrscope.helper import cli, protocol, renewal

HOST = "contoso.azurecr.io"
ALICE = {"name": "alice@contoso.example", "type": "user"}


def token(host: str = HOST, lives: float = 10800.0, age: float = 0.0, **more: Any) -> str:
    """A refresh token as a registry makes it, as old as said."""
    issued = time.time() - age
    claims = {"aud": host, "iat": issued, "exp": issued + lives, "grant_type": "refresh_token", **more}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.signature{os.urandom(8).hex()}"


class Hops:
    """Counts both hops, and gives what `answer` makes."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.answer: Callable[[], str] = token

    def __call__(self, host: str, source: dict[str, str]) -> str:
        self.calls.append((host, source))
        return self.answer()


def sign_in(user: dict[str, str] | None, tenant: str = "tenant-1") -> None:
    """Whom `az login` has signed in: one subscription, in use."""
    accounts = [{"id": "sub-1", "tenantId": tenant, "user": user, "isDefault": True, "environmentName": "AzureCloud"}]
    profile = {"subscriptions": accounts if user else []}
    # The CLI writes the file with a byte order mark.
    Path(os.environ["AZURE_CONFIG_DIR"], "azureProfile.json").write_text(json.dumps(profile), encoding="utf-8-sig")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "azure").mkdir()
    sign_in(ALICE)
    cloud = SimpleNamespace(suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io"))
    monkeypatch.setattr(cli, "context", lambda: SimpleNamespace(cloud=cloud))
    return tmp_path


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Hops:
    made = Hops()
    monkeypatch.setattr(renewal, "_both_hops", made)
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
