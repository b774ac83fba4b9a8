"""The real `az` as a subprocess, with the built wheel added by `az extension add` and a home of its own.

Used by the end-to-end tests, the demo and the benchmarks.
"""

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
# What a command inherits from the machine; proxies, certificates and settings of the developer are left out.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TERM")
_PIP_SETTINGS = ("PIP_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTP", "http", "NO_PROXY", "no_proxy")
# What an interpreter reads when it starts: with other values for these, a command gets an interpreter of its own.
_READ_AT_START = ("PYTHON", "LANG", "LC_")


@dataclass(frozen=True)
class Result:
    """How a command ended. `code` is its exit code."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        assert self.stdout.strip(), self
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"$ {' '.join(self.command)}\nexit code {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


class Az:
    """`az` with an environment of its own: HOME, configuration and extension folders.

    :ivar forked: run commands in forks of a process that has loaded what they load, see `tests.az_server`: an eighth of
        the time that a new interpreter takes.
    """

    def __init__(
        self,
        home: Path,
        extensions: Path,
        cloud_env: Mapping[str, str],
        program: Path | None = None,
        *,
        forked: bool = False,
    ) -> None:
        self.program = program or find_az()
        self._extensions = extensions
        self.forked = forked and not os.environ.get("ACRSCOPE_NO_FORKS")
        self.home = home
        self.config = home / ".azure"
        self.env = _inherited() | {
            "HOME": str(home),
            "AZURE_CONFIG_DIR": str(self.config),
            "AZURE_EXTENSION_DIR": str(extensions),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "XDG_RUNTIME_DIR": str(home / "run"),
            **cloud_env,
        }
        (home / "run").mkdir(parents=True, exist_ok=True)

    def __call__(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 180
    ) -> Result:
        """Run `az ARGUMENTS`, without standard input, and wait for its end."""
        if self.forked and not any(name.startswith(_READ_AT_START) for name in env or {}):
            server = az_server(self.python(), self._extensions)
            return server.run(arguments, self.env | dict(env or {}), cwd or self.home, timeout)
        return run([str(self.program), *arguments], self.env | dict(env or {}), cwd or self.home, timeout)

    def merged(self, *arguments: str, env: Mapping[str, str]) -> Result:
        """Run `az ARGUMENTS` in a fork; `stdout` has all that is printed, line by line."""
        server = az_server(self.python(), self._extensions)
        return server.run(arguments, self.env | dict(env), self.home, timeout=180, merged=True)

    def many(self, commands: Iterable[tuple[str, ...]], timeout: float = 280) -> list[Result]:
        """Run `az` with each of these arguments, one after the other in one process; see `tests.az_many`."""
        todo = list(commands)
        done = subprocess.run(
            [str(self.python()), str(ROOT / "tests/az_many.py")],
            input=json.dumps(todo),
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        ended = zip(todo, json.loads(done.stdout), strict=True)
        return [Result(("az", *arguments), *outcome) for arguments, outcome in ended]

    @contextmanager
    def session(self, env: Mapping[str, str] | None = None, timeout: float = 180) -> "Iterator[Callable[..., Result]]":
        """Give a function that runs `az` with its arguments, one command after the other in one process that stays.

        In it, time that a command sleeps passes at once. A command that takes too long in spite of that is killed.
        """

        def start() -> "subprocess.Popen[str]":
            return subprocess.Popen(
                [str(self.python()), str(ROOT / "tests/az_many.py"), "--serve"],
                env=self.env | dict(env or {}),
                cwd=self.home,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

        process = start()

        def run_one(*arguments: str) -> Result:
            nonlocal process
            commands, outcomes = process.stdin, process.stdout
            assert commands
            assert outcomes
            commands.write(json.dumps(arguments) + "\n")
            commands.flush()
            if not select.select([outcomes], [], [], timeout)[0]:
                process.kill()
                process.wait()
                process = start()
                raise subprocess.TimeoutExpired(["az", *arguments], timeout)
            return Result(("az", *arguments), *json.loads(outcomes.readline()))

        try:
            yield run_one
        finally:
            process.terminate()
            process.wait(10)

    def interrupted(self, *arguments: str, when: Callable[[], bool]) -> Result:
        """Run `az ARGUMENTS`, and press Ctrl-C as soon as something has happened."""
        command = [str(self.program), *arguments]
        with running(command, **captured(self.env), preexec_fn=heed_interrupts) as process:
            while not when() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=120)
        return Result((Path(command[0]).name, *arguments), process.returncode, stdout, stderr)

    def killed(self, *arguments: str, when: Callable[[], bool], timeout: float = 60) -> None:
        """Run `az ARGUMENTS` in a fork, and SIGKILL it as soon as something has happened, unless it ends before."""
        server = az_server(self.python(), self._extensions)
        server.kill(arguments, self.env, self.home, when, timeout)

    def ok(self, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
        """Run a command that must succeed; its result as parsed JSON, None if it printed nothing."""
        result = self(*arguments, env=env)
        assert result.code == 0, result
        return result.json if result.stdout.strip() else None

    def tool(self, *command: str, env: Mapping[str, str] | None = None, timeout: float = 180) -> Result:
        """Run another program (docker, podman, skopeo …) in the same environment."""
        return run(list(command), self.env | dict(env or {}), self.home, timeout)

    def python(self) -> Path:
        """The interpreter that runs this `az`."""
        return self.program.parent / "python"


class AzServer:
    """The client of a `tests.az_server`, which ends with this process. Several threads may use it."""

    def __init__(self, python: Path, extensions: Path) -> None:
        self._requests, theirs = socket.socketpair()
        self._one_at_a_time = threading.Lock()
        command = [str(python), str(ROOT / "tests/az_server.py"), str(theirs.fileno()), str(extensions)]
        subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=_inherited() | {"AZ_INSTALLER": "PIP"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, timeout: float, *, merged: bool = False
    ) -> Result:
        """Run `az ARGUMENTS`, without standard input, and wait for its end.

        :param merged: standard error goes where standard output goes.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            answer = self._start(arguments, env, cwd, out.fileno(), (out if merged else err).fileno())
            code = _exit_code(answer, timeout, arguments)
            return Result(("az", *arguments), code, *(_content(file) for file in (out, err)))

    def kill(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, when: Callable[[], bool], timeout: float
    ) -> None:
        """Run `az ARGUMENTS`, and SIGKILL it as soon as something has happened, unless it ends before."""
        deadline = time.monotonic() + timeout
        with open(os.devnull, "w") as nothing:
            answer = self._start(arguments, env, cwd, nothing.fileno(), nothing.fileno())
        with open(answer, "rb", 0) as said:
            process = int(said.read(32).split()[0])
            ended = select.poll()
            ended.register(answer)
            while not ended.poll(5) and not when() and time.monotonic() < deadline:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            said.read()

    def _start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, out: int, err: int) -> int:
        """Start `az ARGUMENTS`; return the pipe that gets its process ID, and its exit code."""
        request = {"arguments": arguments, "environment": {"AZ_INSTALLER": "PIP", **env}, "folder": str(cwd)}
        answer, pipe = os.pipe()
        with open(os.devnull) as nothing, self._one_at_a_time:
            descriptors = [nothing.fileno(), out, err, pipe]
            socket.send_fds(self._requests, [json.dumps(request).encode()], descriptors)
        os.close(pipe)
        return answer


def _exit_code(pipe: int, timeout: float, arguments: Sequence[str]) -> int:
    """Return the exit code that `tests.az_server` tells of a process, which is killed if it takes too long."""
    said, deadline = b"", time.monotonic() + timeout
    ready = select.poll()  # not `select`, which takes no descriptor over 1023
    ready.register(pipe)
    with open(pipe, "rb", 0) as answer:
        try:
            while ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
                some = answer.read(32)
                if not some:
                    assert len(said.split()) == 2, "tests/az_server.py has ended"
                    return int(said.split()[1])
                said += some
            raise subprocess.TimeoutExpired(["az", *arguments], timeout)
        except BaseException:
            if said:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(said.split()[0]), signal.SIGKILL)
            raise


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@functools.cache
def az_server(python: Path, extensions: Path) -> AzServer:
    """Return the server of this process for an interpreter and an extension folder, started when it is first wanted."""
    return AzServer(python, extensions)


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def run(command: list[str], env: Mapping[str, str], cwd: Path, timeout: float) -> Result:
    with running(command, **captured(env), cwd=cwd) as process:
        stdout, stderr = process.communicate(timeout=timeout)
    return Result((Path(command[0]).name, *command[1:]), process.returncode, stdout, stderr)


def captured(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of a program without standard input whose two outputs are read as text."""
    pipe = subprocess.PIPE
    return {"env": dict(env), "stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "text": True}


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """Start a program in a session of its own; when the context ends, it has ended, and so has what it started."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            _end_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            _end_group(process, signal.SIGKILL)


def _end_group(leader: "subprocess.Popen[Any]", how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, how)


def heed_interrupts() -> None:
    """For a child to run first: a shell starts its background jobs with Ctrl-C ignored, and all below inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def find_az() -> Path:
    """The `az` under test: $ACRSCOPE_AZ, else the one beside this interpreter."""
    chosen = Path(os.environ.get("ACRSCOPE_AZ") or Path(sys.executable).parent / "az")
    if not chosen.exists():
        raise FileNotFoundError(f"{chosen} is not there: run scripts/test, or set ACRSCOPE_AZ to an Azure CLI")
    return chosen


def build_wheel(directory: Path, root: Path = ROOT) -> Path:
    """Build the wheel from a copy of the sources, so that nothing is left in the checkout at `root`."""
    source = directory / "source"
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(root / name, source)
    shutil.copytree(root / "azext_acrscope", source / "azext_acrscope", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(source)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(directory.glob("*.whl"))


def package_index() -> dict[str, str]:
    """Return the machine's own settings for pip, which a home of a test's own does not have."""
    index = {name: value for name, value in os.environ.items() if name.startswith(_PIP_SETTINGS)}
    return {"PIP_CONFIG_FILE": str(Path.home() / ".config/pip/pip.conf")} | index


def add_extension(wheel: Path, extensions: Path, home: Path) -> Result:
    """Run `az extension add`, with the machine's own package index, because the extension has one dependency."""
    az = Az(home, extensions, {})
    result = az("extension", "add", "--yes", "--source", str(wheel), env=package_index(), timeout=600)
    assert result.code == 0, result
    return result


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process at a time: several test workers share the installed extension."""
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
