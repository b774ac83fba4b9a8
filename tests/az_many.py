"""Runs many `az` commands in one process: for tests that are about what commands do, not about starting them.

Run by the interpreter of the `az` under test, with a list of lists of arguments as JSON on standard input. Prints a
JSON list of ``[exit code, stdout, stderr]``. With `--serve` each line of standard input is such a list of arguments,
each line of output its outcome, and waiting costs next to nothing: see `hurry`.
"""

import contextlib
import io
import json
import logging
import sys
import time
from typing import Any

_LONGEST_SLEEP = 0.002  # seconds


def hurry() -> None:
    """Let the time that a command sleeps pass at once."""
    sleep, monotonic, ahead = time.sleep, time.monotonic, [0.0]

    def pass_time(seconds: float) -> None:
        ahead[0] += max(0.0, seconds - _LONGEST_SLEEP)
        sleep(min(seconds, _LONGEST_SLEEP))

    for name, quick in (("sleep", pass_time), ("monotonic", lambda: monotonic() + ahead[0])):
        setattr(time, name, quick)


def run(cli: Any, arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    for name in (None, "cli", "azure"):  # their handlers would write to the streams of the command before
        logging.getLogger(name).handlers.clear()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.invoke(arguments, out_file=out)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception:  # the program's own main has no hand for it either
            import traceback

            traceback.print_exc()
            code = 1
    return int(code or 0), out.getvalue(), err.getvalue()


def serve() -> None:
    from azure.cli.core import get_default_cli

    hurry()
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(run(get_default_cli(), json.loads(line))) + "\n")
        answers.flush()


def main() -> None:
    from azure.cli.core import get_default_cli

    if sys.argv[1:] == ["--serve"]:
        serve()
        return
    commands = json.load(sys.stdin)
    json.dump([run(get_default_cli(), arguments) for arguments in commands], sys.stdout)


if __name__ == "__main__":
    main()
