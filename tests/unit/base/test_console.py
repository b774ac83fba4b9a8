"""What is said to people on stderr: summaries plain, warnings as such, neither wider than the terminal."""

import logging

import pytest

from azext_acrscope.base import console

_ODD = "Production \u202e\x1b[2J\nERROR: forged"


@pytest.fixture
def console_level(monkeypatch: pytest.MonkeyPatch) -> logging.Handler:
    """The CLI's console handler, as knack makes it."""
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger("cli"), "handlers", [handler])
    return handler


def test_a_summary_line_is_plain_and_on_stderr(
    capsys: pytest.CaptureFixture[str], console_level: logging.Handler
) -> None:
    console_level.setLevel(logging.WARNING)
    console.tell(["In scope: 1 registry"])
    assert capsys.readouterr() == ("", "In scope: 1 registry\n")


def test_only_show_errors_silences_summaries(
    capsys: pytest.CaptureFixture[str], console_level: logging.Handler
) -> None:
    console_level.setLevel(logging.ERROR)
    console.tell(["In scope: 1 registry"])
    assert capsys.readouterr().err == ""
    console.print_to_stderr(["This is about to change"])
    assert capsys.readouterr().err == "This is about to change\n"


def test_nothing_that_others_wrote_is_obeyed_by_the_terminal(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    console.tell([_ODD])
    assert capsys.readouterr().err == "Production ��[2J ERROR: forged\n"
    console.warn([_ODD])
    assert caplog.messages == ["Production ��[2J ERROR: forged"]


def test_a_percent_sign_in_a_name_is_no_format(caplog: pytest.LogCaptureFixture) -> None:
    console.warn(["100%s"])
    assert caplog.messages == ["100%s"]


@pytest.mark.parametrize(("columns", "longest"), [("80", 80), ("500", 160)])
def test_a_long_line_is_wrapped_where_there_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    columns: str,
    longest: int,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    console.tell(["word " * 100])
    lines = capsys.readouterr().err.splitlines()
    assert longest - 5 < max(map(len, lines)) <= longest
    console.warn(["word " * 100])
    [message] = caplog.messages  # one warning, however many lines
    assert max(len(f"WARNING: {line}") for line in message.splitlines()) <= longest


def test_a_line_in_a_log_stays_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    console.tell(["word " * 100 + "end"])
    assert capsys.readouterr().err.count("\n") == 1
