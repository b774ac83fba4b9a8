"""How a command ends: what is said to people beside the result, asking before a change, failing after the result."""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from knack.log import get_logger

from azext_acrscope.base import errors
from azext_acrscope.base.files import os_error_reason

logger = get_logger(__name__)


def notify_user(lines: Iterable[str]) -> None:
    """Say something to people: on stderr, and not with --only-show-errors."""
    for line in lines:
        logger.warning(line)


def print_to_stderr(lines: Iterable[str]) -> None:
    """Show what is about to be changed: on stderr as it is, without the word WARNING before each line."""
    import sys

    for line in lines:
        print(line, file=sys.stderr)


def print_lines(texts: Iterable[str]) -> None:
    """Print a result as it is, for programs that read lines; --output and --query have no part in it."""
    for text in texts:
        print(text)


def print_document(text: str) -> None:
    """Print a document as it is, in UTF-8 wherever it goes: a console's own code page lacks letters of some names.

    Who stops reading (`| head`) has what he wanted, as with every other output of the CLI.

    :raises FileOperationError: there is no more room where it goes, or the like.
    """
    import os
    import sys

    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        print(text, end="")
        return
    try:
        sys.stdout.flush()
        binary.write(text.encode("utf-8"))
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
    import sys

    if cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False):
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise errors.needs_yes(question, otherwise, because)
    # Not knack's prompt, which writes to stdout: that is for the result alone.
    print(f"{question} (y/n): ", end="", file=sys.stderr, flush=True)
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


_METER_SECONDS = 0.2


def sleep_with_spinner(cli_ctx: Any, message: str) -> Callable[[float], None]:
    """A `sleep(seconds)` that turns the CLI's spinner meanwhile; the plain one where a spinner would only be noise."""
    if not _shows_progress(cli_ctx):
        return time.sleep

    def sleep(seconds: float) -> None:
        from azure.cli.core.commands.progress import IndeterminateProgressBar

        bar = IndeterminateProgressBar(cli_ctx, message)
        bar.begin()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            bar.update_progress()
            time.sleep(0.1)
        bar.end()

    return sleep


def progress_meter(cli_ctx: Any) -> Callable[[int, int, int], None]:
    """A `watch(done, total, failed)` that keeps one line with progress, rate and time left; silent like the spinner."""
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
        text = f"\r{done} / {total}, {failed} failed, {rate:.1f} a second, {left}"
        print(f"{text:<78}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return watch


def _shows_progress(cli_ctx: Any) -> bool:
    quiet = cli_ctx.only_show_errors or cli_ctx.config.getboolean("core", "disable_progress_bar", False)
    return sys.stderr.isatty() and not quiet
