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
