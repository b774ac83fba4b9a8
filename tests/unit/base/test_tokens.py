"""Reading tokens."""

import base64

import pytest

from azext_acrscope.base import tokens
from azext_acrscope.base.tokens import EntraToken, RefreshToken
from tests.factories.tokens import jwt


def test_claims_are_read_whatever_the_padding() -> None:
    for filler in ("", "x", "xx", "xxx"):
        assert tokens.read_claims(jwt(aud="a", filler=filler)) == {"aud": "a", "filler": filler}


@pytest.mark.parametrize(
    "text", ["", "opaque", "a.b", "a.!!.c", f"a.{base64.b64encode(b'[1]').decode()}.c", "a.\udcff.c"]
)
def test_what_is_no_jwt_has_no_claims(text: str) -> None:
    assert tokens.read_claims(text) == {}


def test_expiry_is_utc() -> None:
    assert tokens.read_expiry({"exp": 1789027528}) == "2026-09-10T08:05:28Z"


@pytest.mark.parametrize("claims", [{}, {"exp": None}, {"exp": "soon"}, {"exp": 10**30}])
def test_an_expiry_that_is_not_told_is_none(claims: dict[str, object]) -> None:
    assert tokens.read_expiry(claims) is None


def test_a_token_never_shows_in_a_repr() -> None:
    assert "secret" not in repr(EntraToken("secret", "tenant", "audience"))
    assert "secret" not in repr(RefreshToken("secret", "contoso.azurecr.io", None))


@pytest.mark.parametrize("word", ["UNAUTHORIZED", "69598458-2779-41e5-9c5b-e596f3210c5e", "evil.example:8443", ""])
def test_a_servers_plain_word_is_repeated(word: str) -> None:
    assert tokens.safe_word(word) == word


@pytest.mark.parametrize("text", [jwt(aud="x" * 60), "a\nb", "<b>", "x" * 81, "\x1b[31m"])
def test_a_servers_long_or_odd_text_is_not(text: str) -> None:
    assert tokens.safe_word(text) == "(unreadable)"


def test_tokens_inside_a_text_are_redacted() -> None:
    assert tokens.redact_tokens(f"refused {jwt(aud='x')}, sorry") == "refused ***, sorry"


@pytest.mark.parametrize("url", ["https://user:S3cr@evil.example/", "http://user:S3cr@h:99999", "//S3cr@h"])
def test_who_signs_in_to_a_url_is_not_quoted(url: str) -> None:
    said = tokens.redact_secrets(f"Failed: {url} and more")
    assert "S3cr" not in said
    assert said.endswith("and more")
