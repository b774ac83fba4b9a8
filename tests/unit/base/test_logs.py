"""Logs: whatever a library writes down, no token and no secret of an answer gets to any handler."""

import io
import logging
from collections.abc import Iterator

import pytest

from azext_acrscope.base import logs
from tests.factories.tokens import jwt

SECRET = "ab8Q~Cd.ef_gh.Ij-kl~mn.OPqr.st"  # as Entra makes them: no part of it is long
TOKEN = jwt(aud="https://containerregistry.azure.net", sub="someone")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that gets to a handler which somebody else has added to the root logger; and redaction that is undone."""
    stream = io.StringIO()
    handler, root, factory = logging.StreamHandler(stream), logging.getLogger(), logging.getLogRecordFactory()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    logs.redact_logs()
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(
    "name",
    [
        "msal.oauth2cli.oauth2",
        "msal.application",
        "msal_extensions.token_cache",
        "azure.identity._internal.decorators",
        "cli.azure.cli.core.auth.util",
    ],
)
def test_a_sign_in_librarys_words_are_kept_and_what_it_puts_into_them_is_not(name: str, written: io.StringIO) -> None:
    logger = logging.getLogger(name)
    logger.debug("Token response is not in json format: %s", f"client_secret={SECRET}&assertion={TOKEN}")
    logger.error("MSAL error: %r", {"error_description": SECRET})
    logger.debug("%(who)s of %(what)10s", {"who": SECRET, "what": TOKEN})
    logger.warning(f"Refresh failed. invalid_grant: {SECRET}")  # noqa: G004
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("Token response is not in json format: %s", SECRET)
    assert written.getvalue().splitlines() == [
        "Token response is not in json format: ***",
        "MSAL error: ***",
        "*** of ***",
        "Refresh failed. invalid_grant: ***",
        "Token response is not in json format: ***",
    ]


def test_what_our_errors_tell_is_shown_with_debug_only(written: io.StringIO) -> None:
    """Python prints warnings of loggers without a handler on stderr, where a credential helper's client shows them."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is written:
            handler.setLevel(logging.WARNING)
    for name in ("msal.oauth2cli.oauth2", "urllib3.connectionpool", "azure.core.pipeline.transport"):
        logging.getLogger(name).error("Retrying after %s", "this")
    logging.getLogger("somebody.else").warning("shown")
    assert written.getvalue() == "shown\n"


def test_a_token_is_in_no_record_of_anyone(written: io.StringIO) -> None:
    logging.getLogger("cli.acrscope").warning("got %s", TOKEN)
    logging.getLogger("urllib3.connectionpool").debug('"%s" %s', TOKEN, "x" * 20 + "1")
    logging.getLogger("az_command_data_logger").info(f"exit code: {TOKEN}")  # noqa: G004
    assert "eyJ" not in written.getvalue()
    assert "xxxx1" not in written.getvalue()


def test_records_that_hold_none_stay_as_they_are(written: io.StringIO) -> None:
    logging.getLogger("cli.knack").warning("%s of %d", "one", 2)
    assert written.getvalue() == "one of 2\n"


def test_the_records_are_redacted_once(written: io.StringIO) -> None:
    first = logging.getLogRecordFactory()
    logs.redact_logs()
    assert logging.getLogRecordFactory() is first


@pytest.mark.parametrize(("level", "heard"), [(logging.WARNING, False), (logging.DEBUG, True), (logging.NOTSET, True)])
@pytest.mark.parametrize("name", ["", "cli"])
def test_debug_records_are_heard_if_a_handler_takes_them(
    level: int, heard: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = logging.NullHandler(level)
    for each in ("", "cli"):
        monkeypatch.setattr(logging.getLogger(each), "handlers", [handler] if each == name else [])
    assert logs.is_debug_heard() == heard
