"""Exposed tokens: the forms in which `login --expose-token` prints them, and their masks in pipelines' logs."""

import json
import os
import sys
from typing import Any

from azext_acrscope import stores
from azext_acrscope._validators import DOCKERCONFIGJSON
from azext_acrscope.sign_in import SignIn
from azext_acrscope.tokens import AccessToken


def result(run: list[SignIn]) -> Any:
    """The tokens that the run came to, as plain data: an object for one login server, a list for several."""
    objects = [_object(each) for each in run if each.token]
    return objects[0] if len(run) == 1 and objects else objects


def lines(run: list[SignIn], form: str) -> list[str]:
    """The forms that are the content of a file, whatever --output says.

    `env`: NAME=value, a line each, for one login server; no value needs quotes, in a shell or elsewhere.
    `dockerconfigjson`: the content of a Kubernetes secret of that type, and of a credential file.
    """
    done = [each for each in run if each.token]
    if form == DOCKERCONFIGJSON:
        return [json.dumps({"auths": {str(each.login_server): _entry(each) for each in done}}, indent=2)]
    return [f"{name}={value}" for each in done for name, value in _variables(each).items()]


def mask(run: list[SignIn]) -> None:
    """Tell the pipeline that runs this, if one does, to hide the tokens in its logs, before anything is printed.

    On stderr, which its runner reads, too, for stdout is often taken by a variable. The forms are documented: GitHub
    Actions' `add-mask` and Azure Pipelines' `task.setsecret`.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        form = "::add-mask::{}"
    elif os.environ.get("TF_BUILD", "").lower() == "true":
        form = "##vso[task.setsecret]{}"
    else:
        return
    values = [each.token.value for each in run if each.token]
    for value in values + [stores.encoded(stores.USERNAME, value) for value in values]:
        print(form.format(value), file=sys.stderr, flush=True)


def _entry(sign_in: SignIn) -> dict[str, str]:
    value = sign_in.token.value if sign_in.token else ""
    return {"username": stores.USERNAME, "password": value, "auth": stores.encoded(stores.USERNAME, value)}


def _object(sign_in: SignIn) -> dict[str, Any]:
    token = sign_in.token
    found: dict[str, Any] = {"loginServer": sign_in.login_server, "username": stores.USERNAME}
    if isinstance(token, AccessToken):
        return {**found, "accessToken": token.value, "expiresOn": token.expires_on, "permissions": token.granted}
    return {**found, "refreshToken": token.value, "expiresOn": token.expires_on} if token else found


def _variables(sign_in: SignIn) -> dict[str, str]:
    kind = "ACCESS" if isinstance(sign_in.token, AccessToken) else "REFRESH"
    return {
        "ACR_LOGIN_SERVER": str(sign_in.login_server),
        "ACR_USERNAME": stores.USERNAME,
        f"ACR_{kind}_TOKEN": sign_in.token.value if sign_in.token else "",
    }
