"""Showing people that something is going on: on stderr, only at a terminal, and not when they asked for silence."""

import sys
import time
from collections.abc import Callable
from typing import Any


def visible_sleep(cli_ctx: Any, message: str) -> Callable[[float], None]:
    """A `sleep(seconds)` that turns the CLI's spinner meanwhile; the plain one where a spinner would only be noise."""
    quiet = cli_ctx.only_show_errors or cli_ctx.config.getboolean("core", "disable_progress_bar", False)
    if quiet or not sys.stderr.isatty():
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
