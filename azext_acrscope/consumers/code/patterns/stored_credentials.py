"""Tell whose credential a file holds, by its user name; what the secret is does not matter and is never kept."""

import base64
import binascii

from azext_acrscope.base.tokens import is_guid
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME


def pattern_of_user(username: str) -> str:
    """Return the pattern of a credential with this user name: a token of a registry, an application's, or another."""
    if username == TOKEN_USERNAME:
        return "stored-token"
    return "stored-principal" if is_guid(username) else "stored-password"


def user_of_auth(auth: str) -> str:
    """Return the user name of an `auth` of docker's configuration; empty for what is none."""
    return decode_base64(auth).partition(":")[0]


def decode_base64(text: str) -> str:
    """Return a text that stands in a file as base64, perhaps on several lines; empty for what is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
