#!/bin/sh
# The management SDK for container registries no longer heeds `api_version` of a single call, and does not say so.
#
# With:     azure-mgmt-containerregistry 14.1.0b1 and 15.1.0b3, azure-core 1.39.0 (PyPI), Python 3.10 or newer.
#           Seen on 2026-11-28.
# Expected: `registries.list(api_version=OTHER)` asks in that version, as it did in 14.1.0b1, or refuses the keyword.
# Seen:     15.1.0b3 takes the keyword and asks in the client's version. Members that only OTHER has are not there.
# So what:  who needs a preview for one call makes a second client with that version.
#
# No network: a transport of the script's own answers. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/versions.py" <<'END'
import io
import json
import time
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

HOST = "https://management.azure.com"
ASKED = []


class Credential:
    def get_token(self, *_scopes, **_options):
        return AccessToken("none", int(time.time()) + 3600)


class Session(requests.Session):
    def request(self, method, url, **options):
        request = requests.Request(method, url, params=options.get("params")).prepare()
        ASKED.extend(parse_qs(urlsplit(request.url).query)["api-version"])
        answer = requests.Response()
        answer.url, answer.status_code, answer.reason, answer.request = url, 200, "OK", request
        answer.headers["Content-Type"] = "application/json"
        body = json.dumps({"value": []}).encode()
        answer.raw = urllib3.HTTPResponse(io.BytesIO(body), answer.headers, 200, preload_content=False)
        return answer


transport = RequestsTransport(session=Session(), session_owner=False)
client = ContainerRegistryManagementClient(
    Credential(), "s", base_url=HOST, transport=transport, api_version="2025-04-01"
)
list(client.registries.list(api_version="2022-12-01"))
print(*ASKED)
END
for version in 14.1.0b1 15.1.0b3; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check \
        "azure-mgmt-containerregistry==$version" azure-core==1.39.0
    "$folder/$version/bin/python" "$folder/versions.py" >"$folder/$version.txt"
    echo "$version, client 2025-04-01, list(api_version='2022-12-01'): $(cat "$folder/$version.txt")"
done
[ "$(cat "$folder/14.1.0b1.txt")" = 2022-12-01 ] && [ "$(cat "$folder/15.1.0b3.txt")" = 2025-04-01 ]
