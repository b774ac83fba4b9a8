"""Other programs, container clients and credential helpers: finding and running them; secrets go through stdin."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO

from azext_acrscope.base import errors, systems
from azext_acrscope.base.tokens import redact_secrets

_MAX_OUTPUT_BYTES = 2000  # bytes of a program's output that are worth repeating


@dataclass(frozen=True)
class ProcessResult:
    """How a program ended. `stdout` may hold a secret; `said` is what may be repeated of its words."""

    code: int
    stdout: bytes
    said: str


def find_program(command: str, trusted: bool = False) -> str | None:
    """Return the path of a program on PATH; None if it is not there.

    :param trusted: the user gave this very path, wherever it lies.
    :raises ValidationError: what was found lies in the working directory.
    """
    path = next(filter(None, map(shutil.which, systems.program_names(command))), None)
    if path and not (trusted and os.path.isabs(command)):
        _refuse_working_directory(path)
    return path


def find_unexecutable(command: str) -> str | None:
    """Return the path of a file on PATH with a program's name that nobody may run; None if there is none."""
    places = [os.path.join(folder, command) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return next((place for place in places if os.path.isfile(place)), None)


def run_program(command: list[str], stdin: bytes, seconds: float) -> ProcessResult:
    """Run a program to its end. Secrets go through its standard input, never through its arguments.

    :raises TimeoutError: it did not end in time, and was stopped.
    :raises OSError: it cannot be run.
    """
    # Files, not pipes: a helper that a client leaves running would keep a pipe open and us waiting.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(command, input=stdin, stdout=out, stderr=err, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        said = _redacted_output_end(err) or (_redacted_output_end(out) if done.returncode else "")
        out.seek(0)
        return ProcessResult(done.returncode, out.read(), said)


def _redacted_output_end(stream: IO[bytes]) -> str:
    """The end of what a program printed, without anything in it that may be a token, whole or in pieces."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _MAX_OUTPUT_BYTES))
    lines = stream.read().decode(errors="replace").splitlines()
    return "\n".join(redact_secrets(line) for line in lines if line.strip())


def _refuse_working_directory(path: str) -> None:
    """A program of the working directory may be anyone's (a cloned repository's, say): it gets no token."""
    if not os.path.isabs(path):  # found through a relative entry of PATH: it depends on where one stands
        raise errors.client_in_working_directory(path)
    here = os.path.realpath(os.getcwd())
    for place in (os.path.abspath(path), os.path.realpath(path)):
        if os.path.realpath(os.path.dirname(place)) == here:
            raise errors.client_in_working_directory(path)
