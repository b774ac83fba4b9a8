"""The internal servers: TLS for every host of the cloud, and plain http for control and managed identity.

Each request is read, written down, struck by a fault if there is one, answered by the part it belongs to, and sent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from aiohttp import web
from multidict import CIMultiDict

from tests.localcloud.arm import router
from tests.localcloud.azure_devops import rest_api
from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.entra import ci_job_identity, managed_identity, token_endpoint
from tests.localcloud.log_analytics import query_api
from tests.localcloud.network import control_api
from tests.localcloud.network.certificates import Certificates
from tests.localcloud.network.faults import Fault, Faults
from tests.localcloud.network.hostile_hosts import Hostile
from tests.localcloud.network.journal import Journal
from tests.localcloud.network.proxy import Proxy, reset
from tests.localcloud.network.rounds import Rounds
from tests.localcloud.registry.backend import Backends
from tests.localcloud.registry.login_server import RegistryDataPlane
from tests.localcloud.world.registries import CertificateKind, Registry
from tests.localcloud.world.world import World


@dataclass
class State:
    """What the servers share with the test that drives them."""

    world: World
    faults: Faults
    journal: Journal
    directory: Path
    delay: float = 0.0
    use_backends: bool = True
    hostile: dict[str, Hostile] = field(default_factory=dict)
    refused_hosts: list[str] = field(default_factory=list)
    unresolved_hosts: list[str] = field(default_factory=list)
    rounds: Rounds | None = None


class Servers:
    def __init__(self, state: State) -> None:
        self._state = state
        self._arm = router.Arm(state.world)
        self._entra = token_endpoint.Entra(state.world)
        self._logs = query_api.LogAnalytics(state.world)
        self._devops = rest_api.AzureDevOpsApi(state.world)
        self._registry = RegistryDataPlane(state.world)
        self._identity = managed_identity.ManagedIdentityEndpoint(state.world)
        self.jobs = ci_job_identity.JobIdentity(state.world)
        self._hosts = (
            router.HOST,
            token_endpoint.HOST,
            query_api.HOST,
            ci_job_identity.GITHUB_HOST,
            ci_job_identity.DEVOPS_HOST,
        )
        self._control = control_api.Control(state.world, state.faults, state.journal)
        self._backends = Backends(state.world, state.directory / "backends")
        self._runners: list[web.ServerRunner] = []
        self.certificates = Certificates(self._certificate_kind)
        self.identity_header = self._identity.header
        self.proxy: Proxy | None = None

    async def start(self, port: int = 0) -> int:
        tls = await self._listen(self._secure, self.certificates)
        plain = await self._listen(self._plain, None)
        self.proxy = Proxy(self._judge, tls, plain)
        await self.proxy.start(port)
        return self.proxy.port

    async def _listen(self, handler: web.RequestHandler | object, certificates: Certificates | None) -> int:
        runner = web.ServerRunner(web.Server(handler, access_log=None))  # type: ignore[arg-type]
        await runner.setup()
        context = certificates.server_context() if certificates else None
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context, backlog=1024)
        await site.start()
        self._runners.append(runner)
        port: int = runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        if self.proxy is not None:
            await self.proxy.stop()
        for runner in self._runners:
            await runner.cleanup()
        await self._backends.stop()

    # Names

    def _certificate_kind(self, host: str) -> CertificateKind:
        hostile = self._state.hostile.get(host)
        registry = self._state.world.registry_at(host)
        return hostile.certificate if hostile else registry.certificate if registry else "valid"

    def _known(self, host: str) -> bool:
        return host in self._hosts or host in self._state.hostile or bool(self._state.world.registry_at(host))

    def _judge(self, host: str, port: str) -> str | None:
        """The refusal of a CONNECT, or None."""
        if self._known(host) and port == "443":
            return None
        if host.endswith(".azurecr.io"):
            # Real Azure has no DNS record for a registry that does not exist; a proxy then says 502.
            self._state.unresolved_hosts.append(host)
            return "502 Bad Gateway"
        self._state.refused_hosts.append(host)
        return "403 Forbidden"

    # Requests

    async def _secure(self, raw: web.BaseRequest) -> web.StreamResponse:
        host = (raw.host or "").lower().removesuffix(":443")
        registry = self._state.world.registry_at(host)
        request = _head(raw, host, "https")
        streamed = registry is not None and self._streams(request, registry)
        if not streamed:
            request.body = await raw.read()
        fault = self._note(raw, request)
        pause = self._state.delay + (fault.delay if fault else 0)
        if pause:
            await asyncio.sleep(pause)
        if self._state.rounds is not None:
            await self._state.rounds.join(request)
        if fault is not None and fault.reset is True:
            return _cut(raw)
        replaced = fault.answer() if fault is not None else None
        if registry is not None and streamed and replaced is None:
            return await self._forward(raw, request, registry, fault)
        answer = replaced or self._answer(request, registry)
        answer.headers.setdefault("Date", formatdate(self._state.world.now(), usegmt=True))
        return await _send(raw, request, answer, fault)

    def _note(self, raw: web.BaseRequest, request: Request) -> Fault | None:
        """Write down a request; return what goes wrong with it.

        A program that ends while requests of it are under way, as `az` does, leaves them: here, its next one may have
        begun by the time that they are read. They are answered, but neither counted among its requests nor do they
        use up a fault that is meant for one of them.
        """
        if self.proxy is not None and self.proxy.has_left(raw.transport):
            return None
        self._state.journal.add(request)
        return self._state.faults.match(request)

    async def _forward(
        self, raw: web.BaseRequest, request: Request, registry: Registry, fault: Fault | None
    ) -> web.StreamResponse:
        backend = await self._backends.at(registry)
        broken = fault is not None and fault.breaks_answer
        response = await backend.forward(raw, request.host, broken)
        if fault is not None and broken:
            return _break(raw, request, response.status, fault)
        request.status = response.status
        return response

    def _streams(self, request: Request, registry: Registry) -> bool:
        return self._state.use_backends and registry.backend and self._registry.admits(request, registry)

    def _answer(self, request: Request, registry: Registry | None) -> Answer:
        hostile = self._state.hostile.get(request.host)
        if hostile is not None:
            return hostile.take(request)
        if request.host == router.HOST:
            return self._arm.answer(request)
        if request.host == token_endpoint.HOST:
            return self._entra.answer(request)
        if request.host == query_api.HOST:
            return self._logs.answer(request)
        if request.host == rest_api.HOST and not self.jobs.is_job(request):
            return self._devops.answer(request)
        if request.host in (ci_job_identity.GITHUB_HOST, ci_job_identity.DEVOPS_HOST):
            return self.jobs.answer(request)
        if registry is not None:
            return self._registry.answer(request, registry)
        return json_answer(421, {"error": f"the Host header names {request.host}, which is not this server's"})

    async def _plain(self, raw: web.BaseRequest) -> web.StreamResponse:
        host = (raw.url.host or "").lower()
        request = _head(raw, host, "http")
        request.body = await raw.read()
        if request.path.startswith(control_api.PREFIX) and host in ("127.0.0.1", "localhost"):
            return await _send(raw, request, self._control.answer(request), None)
        fault = self._note(raw, request)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.reset is True:
            return _cut(raw)
        replaced = fault.answer() if fault is not None else None
        return await _send(raw, request, replaced or self._plain_answer(request), fault)

    def _plain_answer(self, request: Request) -> Answer:
        hostile = self._state.hostile.get(request.host)
        if hostile is not None:
            return hostile.take(request)
        if request.host in ("127.0.0.1", "localhost", managed_identity.IMDS_HOST):
            return self._identity.answer(request) or Answer(404)
        self._state.refused_hosts.append(request.host)
        return Answer(403)


def _head(raw: web.BaseRequest, host: str, scheme: str) -> Request:
    return Request(
        host=host,
        method=raw.method,
        path=raw.path,
        query=dict(raw.query),
        headers=CIMultiDict(raw.headers),
        query_string=raw.rel_url.raw_query_string,
        scheme=scheme,
    )


def _cut(raw: web.BaseRequest) -> web.StreamResponse:
    """Ends the connection without an answer; what is returned is never sent."""
    if raw.transport is not None:
        reset(raw.transport)
    return web.Response(status=500)


def _break(raw: web.BaseRequest, request: Request, status: int, fault: Fault) -> web.StreamResponse:
    """Ends the connection in the middle of an answer: with a reset, or orderly but too early."""
    if fault.reset == "after":
        return _cut(raw)
    request.status = status
    if raw.transport is not None:
        raw.transport.close()
    return web.Response(status=500)


async def _send(raw: web.BaseRequest, request: Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
    if fault is not None and fault.change is not None:
        answer = fault.change(answer)
    if fault is not None and fault.keep:
        request.answered = answer.body
    if fault is not None and fault.breaks_answer:
        await _send_part(raw, answer, fault.bad_chunk)
        return _break(raw, request, answer.status, fault)
    request.status = answer.status
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def _send_part(raw: web.BaseRequest, answer: Answer, bad_chunk: bool) -> None:
    """The head of an answer, with half of the body that it promises (and a promise of some even if there is none)."""
    part = answer.body[: len(answer.body) // 2 + 1] or b" "
    if bad_chunk and raw.transport is not None:
        lines = [f"HTTP/1.1 {answer.status} OK", *(f"{name}: {value}" for name, value in answer.headers.items())]
        head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()
        raw.transport.write(head + f"{len(part):x}\r\n".encode() + part + b"\r\nno size\r\n")
        return
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body) + 64
    await response.prepare(raw)
    await response.write(part)
