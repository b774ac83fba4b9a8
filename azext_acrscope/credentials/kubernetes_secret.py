"""A pull secret as a whole Kubernetes object, in a form that `kubectl apply --server-side` takes again and again."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from azext_acrscope.credentials import errors

DEFAULT_NAME = "acr-pull"
EXPIRY_ANNOTATION = "acrscope/expires-on"
_LABELS = {"app.kubernetes.io/managed-by": "acrscope"}
# RFC 1123, as Kubernetes checks it: a namespace is one label of a DNS name, the name of a secret may have several.
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_MAX_LABEL, _MAX_NAME = 63, 253


@dataclass(frozen=True)
class SecretName:
    """What the secret is called, and where it is: without a namespace, in that of whoever applies it."""

    name: str = DEFAULT_NAME
    namespace: str | None = None


def check_secret_name(name: str | None, namespace: str | None) -> SecretName:
    """Return the names if Kubernetes takes them.

    :param name: None for the default.
    :raises InvalidArgumentValueError: it takes one of them not.
    """
    chosen = DEFAULT_NAME if name is None else name
    if not (re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", chosen, re.ASCII) and len(chosen) <= _MAX_NAME):
        raise errors.bad_secret_name(chosen)
    if namespace is not None and not (re.fullmatch(_LABEL, namespace, re.ASCII) and len(namespace) <= _MAX_LABEL):
        raise errors.bad_namespace(namespace)
    return SecretName(chosen, namespace)


def pull_secret(docker_config: dict[str, Any], expires_on: str | None, secret: SecretName) -> dict[str, Any]:
    """Return the Secret with the content of a credential file.

    :param expires_on: when the first of its tokens is over; None if that is not known.
    """
    metadata: dict[str, Any] = {"name": secret.name, "labels": _LABELS}
    if secret.namespace:
        metadata["namespace"] = secret.namespace
    if expires_on:
        metadata["annotations"] = {EXPIRY_ANNOTATION: expires_on}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/dockerconfigjson",
        "data": encode_docker_config(docker_config),
    }


def encode_docker_config(docker_config: dict[str, Any]) -> dict[str, str]:
    """Return the `data` of the secret: not `stringData`, of whose fields a server-side apply takes none out again."""
    return {".dockerconfigjson": base64.b64encode(json.dumps(docker_config).encode()).decode()}
