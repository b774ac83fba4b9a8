"""Reading tokens. Nothing here checks a signature: a token is the business of the one it is meant for.

What is read (audience, expiry) only guards against sending or handing over the wrong token.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from azext_acrscope.base import clock
from azext_acrscope.base.foreign_json import parse_json

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Names of programs and their paths are words, version numbers and GUIDs; a random text is not, by its mixed letters.
_NAME_PARTS = re.compile(r"[a-z]*\d{0,3}|[A-Z]+\d{0,3}|[A-Z]?[a-z]{2,}([A-Z][a-z]{2,}){0,3}\d{0,3}|\d{4,8}")
_LONGEST_TEXT = 500
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


@dataclass(frozen=True)
class AccessToken:
    """A refresh token's limited child: `granted` is a list of actions for each repository that it opens."""

    value: str = field(repr=False)
    login_server: str
    expires_on: str | None
    granted: dict[str, list[str]]


def is_guid(text: Any) -> bool:
    """Return whether a text is a GUID, as IDs of applications, projects and workspaces are."""
    return isinstance(text, str) and bool(re.fullmatch(_GUID, text))


def safe_word(text: Any) -> str:
    """Return a short word that a server sent (an error code, an id, a host), or a note that it was no such thing.

    A hostile server may send back what it was sent: anything long or odd is not repeated.
    """
    word = str(text)
    return word if re.fullmatch(r"[\w .:-]{0,80}", word, re.ASCII) else "(unreadable)"


def is_valid_tenant(text: str) -> bool:
    """Return whether a text can name a tenant: its ID or a domain. It becomes a segment of a path at Entra ID."""
    return bool(re.fullmatch(r"[A-Za-z0-9]+([.-]+[A-Za-z0-9]+)*", text, re.ASCII)) and ".." not in text


def redact_tokens(text: str) -> str:
    """Return the text with everything that looks like a JWT, or the beginning of one, replaced by ***."""
    return re.sub(r"eyJ[\w-]{10,}(\.[\w-]*)*", "***", text)


def redact_secrets(text: str) -> str:
    """Return the text without tokens and anything else that may be a secret: long runs of letters and digits.

    GUIDs, names and paths stay. The text is on one line, without control characters, and not longer than a person
    reads.
    """

    def mask(run: re.Match[str]) -> str:
        secret = re.search(r"\d", run[0]) and re.search(r"[A-Za-z]", run[0]) and not _is_name_or_path(run[0])
        return "***" if secret else run[0]

    printable = "".join(character if character.isprintable() else " " for character in redact_tokens(text))
    printable = re.sub(r"//[^/\s]*@", "//***@", printable)  # who signs in to a URL, and the password
    return re.sub(r"[\w~+/=-]{20,}", mask, printable, flags=re.ASCII)[:_LONGEST_TEXT]


def _is_name_or_path(text: str) -> bool:
    parts = re.split(r"[/_~+=-]+", re.sub(_GUID, "", text))
    return (len(parts) > 1 or not parts[0]) and all(_NAME_PARTS.fullmatch(part) for part in parts)


def parse_json_object(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object that somebody else wrote; empty for anything that is none."""
    found = parse_json(text)
    return found if isinstance(found, dict) else {}


def read_claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified; empty for anything that is no JWT."""
    try:
        payload = token.split(".")[1]
        return parse_json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}


def read_expiry(token_claims: dict[str, Any]) -> str | None:
    """Return the claim `exp` (seconds since the epoch) as UTC in ISO 8601, such as 2026-09-10T09:46:57Z."""
    try:
        moment = datetime.fromtimestamp(int(token_claims["exp"]), timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return clock.utc_text(moment)
