"""Starts `az` by a fork instead of a new interpreter: for tests that are about what commands do, not how they start.

Run by the interpreter of the `az` under test, with an inherited socket. It has imported the libraries that every `az`
command loads, and nothing of the Azure CLI itself nor of an extension: these read the environment when they are
imported, so each command imports them itself. A request is the JSON of `arguments`, `environment` and `folder`, with
four descriptors: standard input, output and error, and a pipe that gets the process ID, and then the exit code.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

# With what they import in turn, nine tenths of what `az acr scope show` loads.
LIBRARIES = (
    "argcomplete", "asyncio", "azure.core.pipeline.policies", "azure.core.rest", "azure.core.pipeline.transport",
    "azure.mgmt.containerregistry", "azure.mgmt.core", "azure.mgmt.core.policies", "cryptography.x509", "jmespath",
    "jwt", "knack.cli", "knack.commands", "knack.help", "knack.log", "msal", "msal_extensions", "packaging.version",
    "pkginfo", "portalocker", "psutil", "pygments.lexers", "requests", "urllib3", "yaml",
)  # fmt: skip
MAX_REQUEST_BYTES = 1 << 20


def serve(requests: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork for each request; return it in the process that is to become `az`. The server ends with its client."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that the keepers need no waiting for
    while True:
        data, descriptors, _flags, _address = socket.recv_fds(requests, MAX_REQUEST_BYTES, 4)
        if not data:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            keep(descriptors[3])
            return json.loads(data), descriptors
        for each in descriptors:
            os.close(each)


def keep(pipe: int) -> None:
    """Fork once more and return in the child; its parent tells the process ID and the exit code, and ends."""
    process = os.fork()
    if process == 0:
        os.close(pipe)
        return
    with contextlib.suppress(BrokenPipeError):  # the client is gone
        os.write(pipe, b"%d " % process)
        _process, status = os.waitpid(process, 0)
        os.write(pipe, b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become_az(request: dict[str, Any], descriptors: list[int]) -> None:
    """Give this process what a new one would have: environment, folder, arguments and standard streams.

    `sys.stdout` and the others stay the objects that they are, because libraries hold on to them (knack in a default).
    """
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv[1:], sys.path[0] = request["arguments"], request["folder"]


if __name__ == "__main__":
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    gc.freeze()  # else the first collection of each child would copy all of it
    become_az(*serve(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module("azure.cli", run_name="__main__", alter_sys=True)
