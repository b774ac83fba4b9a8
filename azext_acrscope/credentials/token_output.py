"""Print tokens instead of storing them: as data, as a docker configuration, or in the form of another program."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from azext_acrscope.base.tokens import AccessToken
from azext_acrscope.credentials.login import LoginTarget
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

if TYPE_CHECKING:
    from azext_acrscope.credentials.kubernetes_secret import SecretName

JSON_FORMAT, DOCKERCONFIGJSON_FORMAT, KUBERNETES_FORMAT = "json", "dockerconfigjson", "kubernetes"
ENV_FORMAT, EXTERNAL_FORMAT = "env", "external"
TOKEN_FORMATS = [JSON_FORMAT, DOCKERCONFIGJSON_FORMAT, KUBERNETES_FORMAT, ENV_FORMAT, EXTERNAL_FORMAT]
ONE_SERVER_FORMATS = (ENV_FORMAT, EXTERNAL_FORMAT)  # flat: they have no room for a second login server


def tokens_as_data(run: list[LoginTarget]) -> Any:
    """Return the tokens that the run came to, as plain data: an object for one login server, a list for several."""
    objects = [_token_object(each) for each in run if each.token]
    return objects[0] if len(run) == 1 and objects else objects


def format_tokens(run: list[LoginTarget], form: str, secret: "SecretName | None" = None) -> list[str]:
    """Return the forms that other programs read, whatever --output says.

    `env`: NAME=value, a line each, for one login server; no value needs quotes, in a shell or elsewhere.
    `dockerconfigjson`: the content of a Kubernetes secret of that type, and of a credential file.
    `kubernetes`: that secret, whole.
    `external`: an object of texts for one login server, as Terraform's data source of that name reads it.
    """
    done = [each for each in run if each.token]
    if form == DOCKERCONFIGJSON_FORMAT:
        return [json.dumps(_docker_config(done), indent=2)]
    if form == KUBERNETES_FORMAT:
        return [json.dumps(_kubernetes_secret(done, secret), indent=2)]
    if form == EXTERNAL_FORMAT:
        return [json.dumps(_external_object(each)) for each in done]
    return [f"{name}={value}" for each in done for name, value in _environment_variables(each).items()]


def mask_in_pipeline_logs(run: list[LoginTarget], token_format: str | None = None) -> None:
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
    done = [each for each in run if each.token]
    values = [each.token.value for each in done if each.token]
    values += [_encode_auth(value) for value in values]
    if token_format == KUBERNETES_FORMAT:  # it has all of them encoded once more
        from azext_acrscope.credentials import kubernetes_secret

        values += kubernetes_secret.encode_docker_config(_docker_config(done)).values()
    for value in values:
        print(form.format(value), file=sys.stderr, flush=True)


def _docker_config(done: list[LoginTarget]) -> dict[str, Any]:
    return {"auths": {str(each.login_server): _auth_entry(each) for each in done}}


def _kubernetes_secret(done: list[LoginTarget], secret: "SecretName | None") -> dict[str, Any]:
    from azext_acrscope.credentials import kubernetes_secret

    until = [each.token.expires_on for each in done if each.token and each.token.expires_on]
    return kubernetes_secret.pull_secret(
        _docker_config(done), min(until, default=None), secret or kubernetes_secret.SecretName()
    )


def _external_object(sign_in: LoginTarget) -> dict[str, str]:
    """Texts alone: the data source refuses anything else, also null."""
    return {
        "login_server": str(sign_in.login_server),
        "username": TOKEN_USERNAME,
        "password": sign_in.token.value if sign_in.token else "",
        "expires_on": (sign_in.token.expires_on if sign_in.token else None) or "",
        "dockerconfigjson": json.dumps(_docker_config([sign_in])),
    }


def _auth_entry(sign_in: LoginTarget) -> dict[str, str]:
    value = sign_in.token.value if sign_in.token else ""
    return {
        "username": TOKEN_USERNAME,
        "password": value,
        "auth": _encode_auth(value),
    }


def _encode_auth(token: str) -> str:
    from azext_acrscope.credentials import stores  # only now: who reads tokens as data needs none of it

    return stores.encode_auth(TOKEN_USERNAME, token)


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
