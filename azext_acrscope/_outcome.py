"""How a command ends: what is said to people beside the result, asking before a change, failing after the result."""

from collections.abc import Iterable
from typing import Any

from knack.log import get_logger

from azext_acrscope import _errors

logger = get_logger(__name__)


def tell(lines: Iterable[str]) -> None:
    """Say something to people: on stderr, and not with --only-show-errors."""
    for line in lines:
        logger.warning(line)


def show(lines: Iterable[str]) -> None:
    """Show what is about to be changed: on stderr as it is, without the word WARNING before each line."""
    import sys

    for line in lines:
        print(line, file=sys.stderr)


def lines(texts: Iterable[str]) -> None:
    """Print a result as it is, for programs that read lines; --output and --query have no part in it."""
    for text in texts:
        print(text)


def document(text: str) -> None:
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
            raise _errors.output_unwritable(error.strerror or type(error).__name__) from error


def confirm(cli_ctx: Any, question: str, otherwise: str = ", or --dry-run to see the plan") -> None:
    """Go on only if the user says yes; `az config set core.disable_confirm_prompt=yes` says it once for all.

    :param otherwise: what else can be done where nobody can be asked.
    :raises ManualInterrupt: the user said no.
    :raises NoTTYError: there is no terminal to ask at.
    """
    import sys

    if cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False):
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise _errors.needs_yes(question, otherwise)
    # Not knack's prompt, which writes to stdout: that is for the result alone.
    print(f"{question} (y/n): ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise _errors.declined()


def fail_after_output(cli_ctx: Any, error: Exception) -> None:
    """Let the command print its result, and then end with this error and its exit code.

    The event is raised by the CLI after the output and inside its error handling.
    """
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def fail(_cli_ctx: Any, **_: Any) -> None:
        cli_ctx.unregister_event(EVENT_CLI_SUCCESSFUL_EXECUTE, fail)  # for shells that run several commands
        raise error

    cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, fail)
