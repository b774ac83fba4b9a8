"""A cluster on a port of this machine, with TLS, because kubectl sends no token without it."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import trustme
from multidict import CIMultiDict

from tests.localcloud.base.messages import Request
from tests.localcloud.kubernetes.api_server import ADMINISTRATOR, ApiServer


class Cluster:
    """A running API server; `folder` gets the files that a kubeconfig names."""

    def __init__(self, folder: Path) -> None:
        self.api = ApiServer()
        self._folder = folder
        self._authority = trustme.CA()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.api))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="cluster", daemon=True)

    def __enter__(self) -> Cluster:
        self._authority.cert_pem.write_to_path(self._folder / "ca.crt")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def kubeconfig(self, namespace: str, account: str = "") -> Path:
        """Return a configuration of kubectl: a service account's, as its pod has it, or the administrator's."""
        user = f"system:serviceaccount:{namespace}:{account}" if account else ADMINISTRATOR
        token = f"token-of-{user}"
        self.api.users[token] = user
        file = self._folder / f"kubeconfig-{namespace}-{account or 'administrator'}"
        host, port = self._server.server_address[:2]
        cluster = {"server": f"https://{host!s}:{port}", "certificate-authority": str(self._folder / "ca.crt")}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "local",
            "clusters": [{"name": "local", "cluster": cluster}],
            "users": [{"name": "local", "user": {"token": token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local", "namespace": namespace}}],
        }
        file.write_text(json.dumps(content))
        return file


def _handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = dict(urllib.parse.parse_qsl(url.query))
            request = Request("cluster", self.command, url.path, query, CIMultiDict(self.headers.items()), body)
            answer = api.answer(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PATCH = do_POST = do_DELETE = _answer  # the names are the base class's

        def log_message(self, format: str, *_: object) -> None:  # the name is the base class's
            pass

    return Handler
