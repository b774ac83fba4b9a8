#!/bin/sh
# oras-py does not use the identity token that docker stores.
#
# With:     oras 0.2.43 (PyPI), Python 3.10 or newer. Seen on 2026-11-28.
# Expected: `docker login` writes `identitytoken` beside an `auth` with an empty password when the token server gave it a
#           refresh token (registries in Azure do). A client that reads docker's config.json would send that token to
#           the realm, as docker does: POST with grant_type=refresh_token.
# Seen:     `identitytoken` is not read. The realm gets a GET with the user name and an empty password.
# So what:  who signs in for oras-py must store a user name and a password.
#
# Everything happens in a temporary folder and on loopback. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check oras==0.2.43
mkdir "$folder/docker"
DOCKER_CONFIG=$folder/docker "$folder/venv/bin/python" - <<'END'
import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import oras.client

seen = []


class Registry(BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/token"):
            secret = self.headers.get("Authorization", "").partition(" ")[2]
            seen.append((self.command, base64.b64decode(secret).decode()))
        self.send_response(401)
        self.send_header("WWW-Authenticate", f'Bearer realm="http://{host}/token",service="{host}",scope="repository:app:pull"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Registry)
host = f"127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()

user = "00000000-0000-0000-0000-000000000000"
entry = {"auth": base64.b64encode(f"{user}:".encode()).decode(), "identitytoken": "a-refresh-token"}
config = os.path.join(os.environ["DOCKER_CONFIG"], "config.json")
with open(config, "w") as file:
    json.dump({"auths": {host: entry}}, file)

client = oras.client.OrasClient(insecure=True, tls_verify=False)
client.auth.load_configs(client.get_container(f"{host}/app:1"), configs=[config])
try:
    client.get_manifest(client.get_container(f"{host}/app:1"))
except Exception as error:
    print(f"get_manifest ends with: {type(error).__name__}")
print(f"the realm was asked: {seen}")
expected = bool(seen) and all(each == ("GET", f"{user}:") for each in seen)
raise SystemExit(0 if expected else 1)
END
