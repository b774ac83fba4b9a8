"""What a command says to people beside its result: summaries, warnings, questions, progress; and how it ends."""

import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from knack.log import CLI_LOGGER_NAME, get_logger

from azext_acrscope.base import errors, text
from azext_acrscope.base.files import os_error_reason

logger = get_logger(__name__)

_METER_SECONDS = 0.2  # between two states of the progress line
_MAX_LINE_WIDTH = 160  # columns: longer lines are hard to read on any terminal


def tell(lines: Iterable[str]) -> None:
    """Print the ordinary summary lines of a run on stderr, unless --only-show-errors silences them."""
    if not _shows_errors_only():
        print_to_stderr(lines)


def warn(lines: Iterable[str]) -> None:
    """Log as warnings what needs attention: what could not be read, what surprises, what breaks."""
    for line in lines:
        logger.warning("%s", "\n".join(_fit_lines([line], len("WARNING: "))))


def print_to_stderr(lines: Iterable[str]) -> None:
    """Print lines on stderr, without the word WARNING; --only-show-errors has no part in it."""
    for line in _fit_lines(lines):
        print(line, file=sys.stderr)


def _fit_lines(lines: Iterable[str], prefix: int = 0) -> list[str]:
    """Return lines made harmless and, on a terminal, wrapped to its width, at most `_MAX_LINE_WIDTH` columns.

    In a log every sentence stays on one line, where a search finds it.
    """
    harmless = [text.one_line(line) for line in lines]
    width = _stderr_width()
    return [part for line in harmless for part in (text.wrap(line, width - prefix) if width else [line])]


def _stderr_width() -> int | None:
    """Return the columns of a line on stderr; None where neither COLUMNS nor a terminal gives any."""
    import os

    given = os.environ.get("COLUMNS", "")
    columns = int(given) if re.fullmatch("[0-9]{1,4}", given) else 0
    if not columns:
        try:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns
        except (AttributeError, ValueError, OSError):  # no terminal, or a stream of somebody's own
            return None
    return min(columns or _MAX_LINE_WIDTH, _MAX_LINE_WIDTH)


def _shows_errors_only() -> bool:
    """Return whether --only-show-errors, or the setting of that name, silences warnings.

    The CLI's context is not at hand in every room; its console handler has the level that the option chose.
    """
    import logging

    handlers = [
        each
        for each in logging.getLogger(CLI_LOGGER_NAME).handlers
        if isinstance(each, logging.StreamHandler) and not isinstance(each, logging.FileHandler)
    ]
    return bool(handlers) and all(each.level > logging.WARNING for each in handlers)


def refuse_query(cli_ctx: Any, printed: str) -> None:
    """Refuse --query where a result is printed as it is: whoever asked for a part would get all of it, secrets too.

    :param printed: what is printed so: an option with its value, or a few words.
    :raises MutuallyExclusiveArgumentError: --query was given.
    """
    if cli_ctx.invocation.data.get("query_active"):
        raise errors.exclusive("--query", printed)


def print_lines(lines: Iterable[str]) -> None:
    """Print a result as it is, for programs that read lines; --output has no part in it."""
    for line in lines:
        print(line)


def print_document(document: str) -> None:
    """Print a document as it is, in UTF-8 wherever it goes: a console's own code page lacks letters of some names.

    A closed pipe (`| head`) is not an error, as with every other output of the CLI.

    :raises FileOperationError: there is no more room where it goes, or the like.
    """
    import os

    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        print(document, end="")
        return
    try:
        sys.stdout.flush()
        binary.write(document.encode("utf-8"))
        binary.flush()
    except OSError as error:
        # What is still in the buffer would fail once more at the interpreter's end, with a code of its own.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise errors.output_unwritable(os_error_reason(error)) from error


def confirm(cli_ctx: Any, question: str, otherwise: str = ", or --dry-run to see the plan", because: str = "") -> None:
    """Return only if the user says yes; `az config set core.disable_confirm_prompt=yes` says it once for all.

    :param otherwise: what else can be typed where there is no terminal to ask at.
    :param because: why confirmation is required, if it is not always.
    :raises ManualInterrupt: the user said no.
    :raises NoTTYError: there is no terminal to ask at.
    """
    if cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False):
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise errors.needs_yes(question, otherwise, because)
    # Not knack's prompt, which writes to stdout: that is for the result alone.
    print("\n".join(_fit_lines([f"{question} (y/n):"])), end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise errors.declined()


def fail_after_output(cli_ctx: Any, error: Exception) -> None:
    """Let the command print its result, and then end with this error and its exit code.

    The event is raised by the CLI after the output and inside its error handling.
    """
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def fail(_cli_ctx: Any, **_: Any) -> None:
        cli_ctx.unregister_event(EVENT_CLI_SUCCESSFUL_EXECUTE, fail)  # for shells that run several commands
        raise error

    cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, fail)


def sleep_with_spinner(cli_ctx: Any, message: str) -> Callable[[float], None]:
    """Return a `sleep(seconds)` that shows the CLI's spinner, or the plain one where a spinner would only be noise."""
    if not _shows_progress(cli_ctx):
        return time.sleep

    def sleep(seconds: float) -> None:
        from azure.cli.core.commands.progress import IndeterminateProgressBar

        spinner = IndeterminateProgressBar(cli_ctx, text.one_line(message))
        spinner.begin()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            spinner.update_progress()
            time.sleep(0.1)
        spinner.end()

    return sleep


def progress_meter(cli_ctx: Any) -> Callable[[int, int, int], None]:
    """Return a `watch(done, total, failed)` that shows progress, rate and time left; silent like the spinner."""
    if not _shows_progress(cli_ctx):
        return lambda done, total, failed: None
    started, shown = time.monotonic(), 0.0

    def watch(done: int, total: int, failed: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if done < total and now - shown < _METER_SECONDS:
            return
        shown = now
        rate = done / max(now - started, 0.001)
        left = f"{(total - done) / rate:.0f} s left" if done else "…"
        line = f"\r{done} / {total}, {failed} failed, {rate:.1f} a second, {left}"
        print(f"{line:<78}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return watch


def _shows_progress(cli_ctx: Any) -> bool:
    quiet = cli_ctx.only_show_errors or cli_ctx.config.getboolean("core", "disable_progress_bar", False)
    return sys.stderr.isatty() and not quiet
