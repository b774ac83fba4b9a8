"""Print tokens instead of storing them: as data, as a docker configuration, or as variables for a shell."""

import json
import os
import sys
from typing import Any

from azext_acrscope.base.tokens import AccessToken
from azext_acrscope.credentials import stores
from azext_acrscope.credentials.login import LoginTarget
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

TOKEN_FORMATS = JSON_FORMAT, DOCKERCONFIGJSON_FORMAT, ENV_FORMAT = ["json", "dockerconfigjson", "env"]


def tokens_as_data(run: list[LoginTarget]) -> Any:
    """Return the tokens that the run came to, as plain data: an object for one login server, a list for several."""
    objects = [_token_object(each) for each in run if each.token]
    return objects[0] if len(run) == 1 and objects else objects


def format_tokens(run: list[LoginTarget], form: str) -> list[str]:
    """Return the forms that are the content of a file, whatever --output says.

    `env`: NAME=value, a line each, for one login server; no value needs quotes, in a shell or elsewhere.
    `dockerconfigjson`: the content of a Kubernetes secret of that type, and of a credential file.
    """
    done = [each for each in run if each.token]
    if form == DOCKERCONFIGJSON_FORMAT:
        return [json.dumps({"auths": {str(each.login_server): _auth_entry(each) for each in done}}, indent=2)]
    return [f"{name}={value}" for each in done for name, value in _environment_variables(each).items()]


def mask_in_pipeline_logs(run: list[LoginTarget]) -> None:
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
    for value in values + [stores.encode_auth(TOKEN_USERNAME, value) for value in values]:
        print(form.format(value), file=sys.stderr, flush=True)


def _auth_entry(sign_in: LoginTarget) -> dict[str, str]:
    value = sign_in.token.value if sign_in.token else ""
    return {
        "username": TOKEN_USERNAME,
        "password": value,
        "auth": stores.encode_auth(TOKEN_USERNAME, value),
    }


def _token_object(sign_in: LoginTarget) -> dict[str, Any]:
    token = sign_in.token
    found: dict[str, Any] = {"loginServer": sign_in.login_server, "username": TOKEN_USERNAME}
    if isinstance(token, AccessToken):
        return {**found, "accessToken": token.value, "expiresOn": token.expires_on, "permissions": token.granted}
    if token:  # under both names, as `az acr login --expose-token` has it: documented steps read `accessToken`
        found |= {"accessToken": token.value, "refreshToken": token.value, "expiresOn": token.expires_on}
    return found


def _environment_variables(sign_in: LoginTarget) -> dict[str, str]:
    token = sign_in.token.value if sign_in.token else ""
    found = {"ACR_LOGIN_SERVER": str(sign_in.login_server), "ACR_USERNAME": TOKEN_USERNAME, "ACR_ACCESS_TOKEN": token}
    return found if isinstance(sign_in.token, AccessToken) else {**found, "ACR_REFRESH_TOKEN": token}
