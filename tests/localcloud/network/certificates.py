"""TLS certificates: one authority per cloud, a certificate per host name, made when first asked for and kept."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import trustme

from tests.localcloud.world.registries import CertificateKind


class Certificates:
    """Gives the internal TLS server a certificate by the name that a client asks for (SNI)."""

    def __init__(self, kind_of: Callable[[str], CertificateKind]) -> None:
        self._kind_of = kind_of
        self._authority = trustme.CA(organization_name="Local Azure for tests")
        self._stranger = trustme.CA(organization_name="An authority nobody here trusts")
        self._contexts: dict[tuple[str, CertificateKind], ssl.SSLContext] = {}

    def write_authority(self, path: Path) -> None:
        path.write_bytes(self._authority.cert_pem.bytes())

    def server_context(self) -> ssl.SSLContext:
        """The context to listen with; a client that sends no name gets the certificate of an unnamed host."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("unnamed.invalid").configure_cert(context)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self._context(name.lower())

        context.sni_callback = choose  # type: ignore[assignment]
        return context

    def _context(self, host: str) -> ssl.SSLContext:
        kind = self._kind_of(host)
        context = self._contexts.get((host, kind))
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._issue(host, kind).configure_cert(context)
            self._contexts[(host, kind)] = context
        return context

    def _issue(self, host: str, kind: CertificateKind) -> trustme.LeafCert:
        now = datetime.datetime.now(datetime.timezone.utc)
        if kind == "expired":
            begin, end = now - datetime.timedelta(days=30), now - datetime.timedelta(days=1)
            return self._authority.issue_cert(host, not_before=begin, not_after=end)
        authority = self._stranger if kind == "untrusted" else self._authority
        return authority.issue_cert(host)
