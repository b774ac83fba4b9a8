"""Starts `az` by a fork instead of a new interpreter: for tests that are about what commands do, not how they start.

Run by the interpreter of the `az` under test, with an inherited socket and an extension folder. It has imported what
commands load: libraries, the Azure CLI itself, and the extension. Some of that reads the environment when it is
imported, so a command whose environment differs there gets an interpreter of its own. A request is the JSON
of `arguments`, `environment` and `folder`, with four descriptors: standard input, output and error, and a pipe that
gets the process ID, and then the exit code.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

# With what they import in turn, nine tenths of what `az acr scope show` loads.
LIBRARIES = (
    "argcomplete", "asyncio", "azure.common", "azure.core.pipeline.policies", "azure.core.rest",
    "azure.core.pipeline.transport", "azure.identity._credentials.imds", "azure.mgmt.containerregistry",
    "azure.mgmt.core", "azure.mgmt.core.policies", "cryptography.x509", "jmespath", "jwt", "knack.cli",
    "knack.commands", "knack.help", "knack.log", "msal", "msal_extensions", "msrest.exceptions", "packaging.version",
    "pkginfo", "portalocker", "psutil", "pygments.lexers", "requests", "unittest.mock", "urllib3", "yaml",
)  # fmt: skip
# The Azure CLI's own, what it loads later than at its start, and what the extension adds; another CLI may lack some.
CLI = (
    "azure.cli.core._breaking_change", "azure.cli.core._completers", "azure.cli.core._help",
    "azure.cli.core._help_loaders", "azure.cli.core._output", "azure.cli.core._profile", "azure.cli.core.aaz",
    "azure.cli.core.api", "azure.cli.core.auth.binary_cache", "azure.cli.core.auth.identity",
    "azure.cli.core.azlogging", "azure.cli.core.command_recommender", "azure.cli.core.commands.arm",
    "azure.cli.core.commands.command_operation", "azure.cli.core.commands.parameters",
    "azure.cli.core.commands.transform", "azure.cli.core.extension.operations", "azure.cli.core.intercept_survey",
    "azure.cli.core.parser", "azure.cli.core.sdk.policies", "azure.cli.core.telemetry",
    "azure.cli.command_modules.acr._breaking_change", "azure.cli.command_modules.acr._format",
    "azure.cli.command_modules.acr._help", "azure.cli.command_modules.acr.aaz.latest.network.nic",
    "azure.cli.command_modules.acr.aaz.latest.network.private_endpoint", "azure.cli.command_modules.acr.commands",
    "azure.cli.command_modules.cloud.custom", "azure.cli.command_modules.config.commands",
    "azure.cli.command_modules.config.custom", "azure.cli.command_modules.extension.custom",
    "azure.cli.command_modules.profile._format", "azure.cli.command_modules.profile._help",
    "azure.cli.command_modules.profile._validators", "azure.cli.command_modules.profile.custom",
    "azure.cli.command_modules.resource._exception_handler", "azure.cli.command_modules.resource._help",
    "azure.cli.command_modules.resource._validators", "azure.cli.command_modules.resource.commands",
    "azure.cli.command_modules.resource.policy",
    "azure.core.pipeline.transport._bigger_block_size_http_adapters", "azure.core.pipeline.transport._requests_basic",
    "azure.core.rest._requests_basic", "azure.identity", "azure.mgmt.resource", "azure.mgmt.resource.subscriptions",
    "azure.mgmt.resource.subscriptions.v2022_12_01", "azure.profiles.multiapiclient", "_strptime",
    "concurrent.futures.thread", "encodings.utf_8_sig", "logging.handlers", "netrc", "pickle", "tabulate", "timeit",
)  # fmt: skip
MAX_REQUEST_BYTES = 1 << 20


class Prepared:
    """What was imported once for all commands, in a home of its own that is gone afterward.

    :ivar read: the environment variables that were read meanwhile, with their values.
    """

    def __init__(self, extensions: str) -> None:
        self._home = tempfile.mkdtemp(prefix="az-server-")
        os.environ.update(HOME=self._home, AZURE_CONFIG_DIR=self._home, AZURE_EXTENSION_DIR=extensions)
        self.read: dict[str, str | None] = {}
        with self._watched():
            folder = f"{extensions}/acrscope"
            sys.path.append(folder)
            for name in (*LIBRARIES, *CLI, *_extension_modules(folder)):
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            sys.path.remove(folder)  # `az` will add it
        shutil.rmtree(self._home)
        # What follows from the first two is in `_places`; the third is read to find a program that is the same for all.
        for name in ("HOME", "AZURE_CONFIG_DIR", "PATH"):
            self.read.pop(name, None)
        self._places = [
            (vars(module), name)
            for module in list(sys.modules.values())
            for name, value in list(vars(module).items())
            if isinstance(value, str) and value.startswith(self._home)
        ]

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Note which environment variables are read."""
        kind: Any = type(os.environ)
        get = kind.__getitem__

        def note(environment: Any, name: str) -> str:
            self.read[name] = None
            value: str = get(environment, name)
            self.read[name] = value
            return value

        kind.__getitem__ = note
        yield
        kind.__getitem__ = get

    def suits(self, environment: dict[str, str]) -> bool:
        """Tell whether what was imported is what a command with this environment would import."""
        return all(environment.get(name) == value for name, value in self.read.items())

    def move(self) -> None:
        """Let the Azure CLI forget the home in which it was imported, for the one that the environment names."""
        extension: Any = sys.modules["azure.cli.core.extension"]
        home = sys.modules["azure.cli.core._environment"].get_config_dir()
        for variables, name in self._places:
            variables[name] = home + variables[name][len(self._home) :]
        extension.az_config.__init__(home, extension.ENV_VAR_PREFIX)


def _extension_modules(folder: str) -> list[str]:
    """Return the names of all modules of the one extension in a folder."""
    found = pkgutil.walk_packages([f"{folder}/azext_acrscope"], "azext_acrscope.", onerror=lambda name: None)
    return [module.name for module in found]


def serve(requests: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork for each request; return it in the process that is to become `az`. The server ends with its client."""
    pipes: dict[int, int] = {}  # by process: where its end is told
    ended, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    while True:
        ready: list[object] = select.select([requests, ended], [], [])[0]  # type: ignore[type-var]
        if ended in ready:
            os.read(ended, 4096)
            tell_ended(pipes)
        if requests not in ready:
            continue
        data, descriptors, _flags, _address = socket.recv_fds(requests, MAX_REQUEST_BYTES, 4)
        if not data:
            os._exit(0)
        pipe = descriptors.pop()
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            for each in (ended, wakeup, pipe, *pipes.values()):
                os.close(each)
            return json.loads(data), descriptors
        pipes[process] = pipe
        tell(pipe, b"%d " % process)
        for each in descriptors:
            os.close(each)


def tell_ended(pipes: dict[int, int]) -> None:
    """Tell the exit codes of the processes that have ended."""
    for process in list(pipes):
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            pipe = pipes.pop(process)
            tell(pipe, b"%d" % os.waitstatus_to_exitcode(status))
            os.close(pipe)


def tell(pipe: int, text: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # the client is gone
        os.write(pipe, text)


def become_az(prepared: Prepared, request: dict[str, Any], descriptors: list[int]) -> None:
    """Give this process what a new one would have: environment, folder, arguments and standard streams.

    `sys.stdout` and the others stay the objects that they are, because libraries hold on to them (knack in a default).
    """
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    environment, arguments = request["environment"], request["arguments"]
    os.chdir(request["folder"])
    if not prepared.suits(environment):
        os.execve(sys.executable, [sys.executable, "-m", "azure.cli", *arguments], environment)  # noqa: S606
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:], sys.path[0] = arguments, request["folder"]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # so that lines keep their order
    prepared.move()


def main(requests: int, extensions: str) -> None:
    prepared = Prepared(extensions)
    gc.freeze()  # else the first collection of each child would copy all of it
    become_az(prepared, *serve(socket.socket(fileno=requests)))
    run_az()


def run_az() -> None:
    """Run `az`, and end as an interpreter does, except that nothing is taken apart: that would copy what was shared."""
    try:
        runpy.run_module("azure.cli", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not (end.code is None or isinstance(end.code, int)):
            raise
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(end.code or 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
