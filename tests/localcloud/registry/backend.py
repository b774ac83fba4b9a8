"""The real docker-registry program behind a registry, so that pushes and pulls are real.

It listens on a Unix socket in the cloud's directory, keeps its data there, and checks by itself that an access token is
signed by this world's registries and grants what a request does. It dies with the cloud, also when that is killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import shutil
import signal
import subprocess
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.localcloud.registry.tokens import ISSUER
from tests.localcloud.world.registries import Registry
from tests.localcloud.world.world import World

_PROGRAM = "docker-registry"
_PR_SET_PDEATHSIG = 1
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
_LIBC = ctypes.CDLL(None)


def find_program() -> str:
    path = shutil.which(_PROGRAM) or shutil.which(_PROGRAM, path="/usr/bin:/usr/local/bin")
    if path is None:
        raise RuntimeError(f"the program {_PROGRAM!r} is missing; install the Debian package docker-registry")
    return path


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Backend:
    """One docker-registry process."""

    def __init__(self, registry: Registry, world: World, directory: Path) -> None:
        self._registry = registry
        self._world = world
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._directory.mkdir(parents=True)
        socket = self._directory / "socket"
        config = self._directory / "config.yml"
        config.write_text(json.dumps(self._config(socket)), encoding="utf-8")
        with (self._directory / "log").open("wb") as log:
            # The thread of the event loop starts it, and the kernel kills it when that thread ends.
            self._process = subprocess.Popen(
                [find_program(), "serve", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        for _ in range(400):
            if socket.exists() and await self._listens(socket):
                break
            if self._process.poll() is not None:
                break
            await asyncio.sleep(0.025)
        else:
            self._process.kill()
        if self._process.poll() is not None:
            raise RuntimeError(f"{_PROGRAM} did not start: {(self._directory / 'log').read_text(errors='replace')}")
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket)), timeout=timeout, auto_decompress=False
        )

    async def _listens(self, socket: Path) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(socket))
        except OSError:
            return False
        writer.close()
        return True

    def _config(self, socket: Path) -> dict[str, object]:
        """YAML is a superset of JSON, so the program reads this as it is."""
        bundle = self._directory / "signer.pem"
        bundle.write_bytes(self._world.acr_key.certificate_pem)
        host = self._registry.login_server
        return {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._directory / "data")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            # Without "host" its links name the host that was asked, which may be a regional one: Helm insists on that.
            "http": {"net": "unix", "addr": str(socket), "secret": "local"},
            "auth": {
                "token": {
                    "realm": f"https://{host}/oauth2/token",
                    "service": host,
                    "issuer": ISSUER,
                    "rootcertbundle": str(bundle),
                }
            },
        }

    async def forward(self, request: web.BaseRequest, host: str, broken: bool = False) -> web.StreamResponse:
        """Passes a request on as it is, and the answer back, without holding either in memory.

        broken: only the head of the answer goes back; whoever asked for that ends the connection.
        """
        assert self._session is not None
        # A client may send several headers of one name (Accept), and all of them count.
        kept = ((name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP)
        headers = CIMultiDict(kept)
        headers.update({"Host": host, "X-Forwarded-Proto": "https"})
        async with self._session.request(
            request.method,
            URL("http://localhost" + request.raw_path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            for name, value in upstream.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            if broken:
                return response
            async for chunk in upstream.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Backends:
    """The processes of a cloud, each started when its registry is first asked for content."""

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        self._directory = directory
        self._running: dict[str, Backend] = {}
        self._lock = asyncio.Lock()

    async def at(self, registry: Registry) -> Backend:
        async with self._lock:
            backend = self._running.get(registry.id)
            if backend is None:
                backend = Backend(registry, self._world, self._directory / str(len(self._running)))
                await backend.start()
                self._running[registry.id] = backend
            return backend

    async def stop(self) -> None:
        for backend in self._running.values():
            await backend.stop()
