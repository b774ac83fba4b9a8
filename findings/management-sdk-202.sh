#!/bin/sh
# The management SDK for container registries takes an accepted update (202) for a failed one.
#
# With:     azure-mgmt-containerregistry 15.1.0b3 and azure-core 1.39.0 (PyPI), Python 3.10 or newer. Seen on 2026-11-28.
# Expected: Azure Resource Manager may answer a PATCH with 202 and a Location to follow; `begin_update` returns a poller.
# Seen:     HttpResponseError, "Operation returned an invalid status 'Accepted'", after the update was accepted. With 201
#           and Azure-AsyncOperation, the answer that the SDK knows, it polls.
# So what:  who reports a failure must read the registry first: the change may be under way.
#
# No network: a transport of the script's own answers. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check azure-mgmt-containerregistry==15.1.0b3 azure-core==1.39.0
"$folder/venv/bin/python" - <<'END'
import io
import json
import time
from http import HTTPStatus

import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

HOST = "https://management.azure.com"
OPERATION = f"{HOST}/subscriptions/s/operations/1?api-version=2025-04-01"
REGISTRY = {"id": "/subscriptions/s", "name": "contoso", "location": "westeurope", "sku": {"name": "Basic"}, "properties": {}}


class Credential:
    def get_token(self, *_scopes, **_options):
        return AccessToken("none", int(time.time()) + 3600)


class Session(requests.Session):
    def __init__(self, status, header):
        super().__init__()
        self.status, self.header, self.methods = status, header, []

    def request(self, method, url, **_options):
        self.methods.append(method)
        answer = requests.Response()
        answer.url, answer.request = url, requests.Request(method, url).prepare()
        answer.status_code = self.status if method == "PATCH" else 200
        answer.reason = HTTPStatus(answer.status_code).phrase
        answer.headers["Content-Type"] = "application/json"
        if method == "PATCH":
            answer.headers[self.header] = OPERATION
        body = json.dumps({"status": "Succeeded"} if "/operations/" in url else REGISTRY).encode()
        answer.raw = urllib3.HTTPResponse(io.BytesIO(body), answer.headers, answer.status_code, preload_content=False)
        return answer


def update(status, header):
    session = Session(status, header)
    transport = RequestsTransport(session=session, session_owner=False)
    client = ContainerRegistryManagementClient(Credential(), "s", base_url=HOST, transport=transport, polling_interval=0)
    try:
        client.registries.begin_update("rg", "contoso", {"tags": {"a": "b"}}).result()
        return "ends well", session.methods
    except HttpResponseError as error:
        return f"{type(error).__name__}: {error.message.splitlines()[0]}", session.methods


accepted, known = update(202, "Location"), update(201, "Azure-AsyncOperation")
print("202:", *accepted)
print("201:", *known)
raise SystemExit(0 if "invalid status" in accepted[0] and accepted[1] == ["PATCH"] and known[0] == "ends well" else 1)
END
