"""Reading tokens. Nothing here checks a signature: a token is the business of the one it is meant for.

What is read (audience, expiry) only guards against sending or handing over the wrong token.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

ACR_AUDIENCE = "https://containerregistry.azure.net"  # the registry's own, in every cloud


@dataclass(frozen=True)
class EntraToken:
    """First hop's result: a token for `audience`, from `tenant`. Its value never shows in a repr, so in no log."""

    value: str = field(repr=False)
    tenant: str
    audience: str


@dataclass(frozen=True)
class RefreshToken:
    """Second hop's result: an ACR refresh token. `expires_on` is UTC in ISO 8601, None where the token does not say."""

    value: str = field(repr=False)
    login_server: str
    expires_on: str | None


def plain(text: Any) -> str:
    """A short word that a server sent (an error code, an id, a host), or a note that it was no such thing.

    A hostile server may send back what it was sent: anything long or odd is not repeated.
    """
    word = str(text)
    return word if re.fullmatch(r"[\w .:-]{0,80}", word, re.ASCII) else "(unreadable)"


def redact(text: str) -> str:
    """The text with everything that looks like a JWT replaced by ***."""
    return re.sub(r"eyJ[\w-]{10,}\.[\w-]+(\.[\w-]*)?", "***", text)


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified; empty for anything that is no JWT."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def expiry(token_claims: dict[str, Any]) -> str | None:
    """The claim `exp` (seconds since the epoch) as UTC in ISO 8601, such as 2026-09-10T09:46:57Z."""
    try:
        moment = datetime.fromtimestamp(int(token_claims["exp"]), timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
