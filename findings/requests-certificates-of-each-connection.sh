#!/bin/sh
# requests reads the file of certificates again for each connection of a session.
#
# With:     requests 2.34.2, urllib3 2.8.0, trustme 1.2.1. Seen on 2026-11-28.
# Expected: a session with one setting for certificates reads them once: they are what `verify` names, for all of it.
# Seen:     four connections at the same time read them four times. With certifi's file and OpenSSL 3.0 one reading takes
#           about 45 ms of the processor, as long as some commands compute in all.
# So what:  few connections, kept open, cost less than many at once; a test against a server of one's own, whose file has
#           one certificate, does not show it.
#
# Everything happens in a temporary folder and on loopback. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0 trustme==1.2.1
cat >"$folder/example.py" <<'END'
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import certifi
import requests
import trustme

CONNECTIONS = 4
together = threading.Barrier(CONNECTIONS)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/together":
            together.wait(30)  # so that each request has a connection of its own
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


authority = trustme.CA()
file = f"{sys.argv[1]}/ca.pem"
authority.cert_pem.write_to_path(file)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("localhost").configure_cert(context)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()

read, load = [], ssl.SSLContext.load_verify_locations
ssl.SSLContext.load_verify_locations = lambda self, *args, **more: read.append(1) or load(self, *args, **more)
session = requests.Session()
session.verify, session.trust_env = file, False
address = f"https://localhost:{server.server_port}"


def get(path):
    session.get(address + path, timeout=30).raise_for_status()


with ThreadPoolExecutor(CONNECTIONS) as threads:
    list(threads.map(get, ["/together"] * CONNECTIONS))
at_once = len(read)
get("/again")
more = len(read) - at_once
print(f"{at_once} readings for {CONNECTIONS} connections at once, {more} for a request more on one of them")
began = time.process_time()
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certifi.where())
print(f"to read certifi's file takes {(time.process_time() - began) * 1000:.0f} ms with {ssl.OPENSSL_VERSION}")
sys.exit(0 if (at_once, more) == (CONNECTIONS, 0) else 1)
END
"$folder/venv/bin/python" "$folder/example.py" "$folder"
