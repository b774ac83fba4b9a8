"""Showing people that something is going on: on stderr, only at a terminal, and not when they asked for silence."""

import sys
import time
from collections.abc import Callable
from typing import Any

_METER_SECONDS = 0.2


def visible_sleep(cli_ctx: Any, message: str) -> Callable[[float], None]:
    """A `sleep(seconds)` that turns the CLI's spinner meanwhile; the plain one where a spinner would only be noise."""
    if not _wanted(cli_ctx):
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


def meter(cli_ctx: Any) -> Callable[[int, int, int], None]:
    """A `watch(done, total, failed)` that keeps one line with progress, rate and time left; silent like the spinner."""
    if not _wanted(cli_ctx):
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


def _wanted(cli_ctx: Any) -> bool:
    quiet = cli_ctx.only_show_errors or cli_ctx.config.getboolean("core", "disable_progress_bar", False)
    return sys.stderr.isatty() and not quiet
