"""Runs many `az` commands in one process: for tests that are about what commands do, not about starting them.

Run by the interpreter of the `az` under test, with a list of lists of arguments as JSON on standard input. Prints a
JSON list of ``[exit code, stdout, stderr]``.
"""

import contextlib
import io
import json
import sys
from typing import Any


def run(cli: Any, arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.invoke(arguments, out_file=out)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return int(code or 0), out.getvalue(), err.getvalue()


def main() -> None:
    from azure.cli.core import get_default_cli

    commands = json.load(sys.stdin)
    json.dump([run(get_default_cli(), arguments) for arguments in commands], sys.stdout)


if __name__ == "__main__":
    main()
