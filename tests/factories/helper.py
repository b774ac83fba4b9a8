"""A helper with a home of its own, a CLI that is signed in, and two hops that need no network."""

import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def _remove(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)


def cut_short(file: Path) -> None:
    """A file as a full disk leaves it."""
    _remove(file)
    file.write_text('{"hosts": {"contoso')


def make_pipe(file: Path) -> None:
    """A named pipe, which nobody writes to."""
    _remove(file)
    os.mkfifo(file)


def make_folder(file: Path) -> None:
    """A folder of the file's name."""
    _remove(file)
    file.mkdir()


def make_dead_link(file: Path) -> None:
    """A link that leads nowhere."""
    _remove(file)
    file.symlink_to(file.parent / "nowhere")


def write_list(file: Path) -> None:
    """JSON of another shape."""
    _remove(file)
    file.write_text("[]")


BREAKERS = [cut_short, make_pipe, make_folder, make_dead_link, write_list]
