"""The one listening port: an HTTP proxy that splices CONNECT to the internal TLS server, and anything else to the
internal plain server (control, managed identity). It never opens a connection to anywhere else.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Callable

_HEAD_LIMIT = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(transport: asyncio.BaseTransport) -> None:
    """Ends a connection with RST instead of FIN, as a crashed peer would."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def has_left(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the other side has closed a connection, be it that what it sent before has not been read."""
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or connection.fileno() < 0:
        return True
    closed = select.poll()
    closed.register(connection.fileno(), select.POLLRDHUP)
    return bool(closed.poll(0))


class _Half(asyncio.Protocol):
    """One of the two connections of a splice; what it reads goes to its peer. asyncio has switched Nagle off."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: _Half | None = None
        self.ended = False  # the other side has sent all

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end on. The connection stays open for the other direction, until that has ended, too."""
        self.ended = True
        if self.peer is not None and self.peer.transport is not None:
            if self.peer.ended:
                self.peer.transport.close()  # which closes this one: see `connection_lost`
            elif self.peer.transport.can_write_eof():
                self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.peer is not None and self.peer.transport is not None:
            if error is None:
                self.peer.transport.close()
            else:
                reset(self.peer.transport)


class _Client(_Half):
    """A connection to the proxy port; reads one request head, then becomes half of a splice."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy
        self._waiting = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._proxy.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.connections.discard(self)
        super().connection_lost(error)

    def serves(self, address: object) -> bool:
        """Whether a server sees the client at this address."""
        other = self.peer.transport if self.peer is not None else None
        return other is not None and other.get_extra_info("sockname") == address

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            super().data_received(data)
            return
        self._waiting += data
        if self._task is not None:
            return
        if b"\r\n\r\n" in self._waiting:
            self._task = asyncio.get_running_loop().create_task(self._begin())
        elif len(self._waiting) > _HEAD_LIMIT:
            self._refuse("431 Request Header Fields Too Large")

    def eof_received(self) -> bool:
        return super().eof_received() if self.peer is not None else False

    async def _begin(self) -> None:
        line = self._waiting.split(b"\r\n", 1)[0].decode("latin-1")
        method, _, rest = line.partition(" ")
        if method != "CONNECT":
            await self._splice(self._proxy.plain_port)
            return
        host, _, port = rest.split(" ", 1)[0].rpartition(":")
        refusal = self._proxy.judge(host.strip("[]").lower(), port)
        if refusal:
            self._refuse(refusal)
            return
        self._waiting = self._waiting.split(b"\r\n\r\n", 1)[1]
        await self._splice(self._proxy.tls_port, b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def _splice(self, port: int, greeting: bytes = b"") -> None:
        loop = asyncio.get_running_loop()
        _, other = await loop.create_connection(_Half, "127.0.0.1", port)
        assert other.transport is not None
        if self.transport is None or self.transport.is_closing():
            other.transport.close()
            return
        other.peer, self.peer = self, other
        if greeting:
            self.transport.write(greeting)
        waiting, self._waiting = self._waiting, b""
        if waiting:
            super().data_received(waiting)

    def _refuse(self, status: str) -> None:
        if self.transport is not None:
            self.transport.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            self.transport.close()


class Proxy:
    """`judge` is given a host name and a port, and answers with a refusal's status line, or with None to let it in."""

    def __init__(self, judge: Callable[[str, str], str | None], tls_port: int, plain_port: int) -> None:
        self.judge = judge
        self.tls_port = tls_port
        self.plain_port = plain_port
        self.connections: set[_Client] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def has_left(self, server_side: asyncio.BaseTransport | None) -> bool:
        """Whether the client whose request came to a server by this connection waits for no answer any more."""
        if server_side is None:
            return True
        address = server_side.get_extra_info("peername")
        client = next((each for each in self.connections if each.serves(address)), None)
        return client is None or has_left(client.transport)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()
