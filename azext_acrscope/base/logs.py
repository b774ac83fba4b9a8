"""Keep tokens and secrets out of every log: with --debug, in az's log file, on a credential helper's stderr."""

import logging
import re
from typing import Any

from azext_acrscope.base.tokens import redact_secrets, redact_tokens

# Who logs what a server sent: a hostile one may send back what it was sent. What they say of it, our errors say again.
_HTTP_LIBRARIES = ("urllib3", "requests", "azure.core", "cli.azure.cli.core.sdk.policies")
# Who sends a client secret, and logs the answer. A secret has no form by which to find it in a text.
_SIGN_IN_LIBRARIES = ("msal", "msal_extensions", "azure.identity", "cli.azure.cli.core.auth.util")
_PLACEHOLDER = re.compile(r"%(\(\w+\))?[-#0 +]*\d*(\.\d+)?[a-zA-Z]", re.ASCII)


def redact_logs() -> None:
    """Let no token into any log record of this process, and nothing of an answer into those of sign-in libraries.

    Records are changed where they are made, so it does not matter which logger or handler they go to.
    """
    if not isinstance(logging.getLogRecordFactory(), _RedactedRecords):
        logging.setLogRecordFactory(_RedactedRecords(logging.getLogRecordFactory()))


def is_debug_heard() -> bool:
    """Return whether a handler takes records of the level DEBUG: of --debug, of az's log file, of who runs the CLI.

    The CLI's loggers make them in any case, and what is heard is left to the handlers.
    """
    loggers = (logging.getLogger(), logging.getLogger("cli"))
    return any(handler.level <= logging.DEBUG for each in loggers for handler in each.handlers)


class _RedactedRecords:  # pylint: disable=too-few-public-methods  # a function that can be recognized
    """A factory of log records: makes them as another one does, and takes out what must not be logged."""

    def __init__(self, make_record: Any) -> None:
        self._make_record = make_record

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make_record(*args, **kwargs)
        if _is_of(record, _SIGN_IN_LIBRARIES):
            _replace_text(record, _own_words(record))
            _demote(record)
        elif _is_of(record, _HTTP_LIBRARIES):
            cli = str(record.name).startswith("cli.")
            _replace_text(record, redact_tokens(_text(record)) if cli else redact_secrets(_text(record)))
            if not cli:
                _demote(record)
        elif (text := _text(record)) != (clean := redact_tokens(text)):
            record.msg, record.args = clean, ()
        return record


def _is_of(record: logging.LogRecord, libraries: tuple[str, ...]) -> bool:
    name = str(record.name)
    return any(name == library or name.startswith(f"{library}.") for library in libraries)


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # pylint: disable=broad-exception-caught  # arguments that do not fit, which would be quoted
        return str(record.msg)


def _own_words(record: logging.LogRecord) -> str:
    """Return what the library itself says, without what it put in: arguments, or all after the first colon."""
    words = str(record.msg)
    if record.args:
        return _PLACEHOLDER.sub("***", words)
    own, colon, rest = words.partition(":")
    return redact_secrets(own) + (f"{colon} ***" if rest.strip() else colon)


def _replace_text(record: logging.LogRecord, text: str) -> None:
    """Set the text, without arguments and without the traceback, which quotes what was sent."""
    record.msg, record.args = text, ()
    record.exc_info, record.exc_text = None, None


def _demote(record: logging.LogRecord) -> None:
    """Show it with --debug only: retries and refusals are told in our own words."""
    if record.levelno > logging.DEBUG:
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
