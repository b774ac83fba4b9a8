"""The API server: PATCH with application/apply-patch+yaml, GET, and what kubectl asks before it does either.

Read in kubernetes/kubernetes (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go, plugin/pkg/auth/authorizer
/rbac/rbac.go, pkg/apis/core/validation/validation.go): an apply that creates an object also needs the verb `create`,
with the object's name; fieldManager is required; 201 and 200; 409 for a field of another manager; a secret's type never
changes. Nothing here was compared with a real cluster.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.localcloud.base.messages import Answer, Request, json_answer
from tests.localcloud.kubernetes.server_side_apply import Applied, Conflict

ADMINISTRATOR = "system:masters"
_GROUPS = {
    "": {"secrets": "Secret", "serviceaccounts": "ServiceAccount", "configmaps": "ConfigMap"},
    "batch": {"cronjobs": "CronJob"},
    "rbac.authorization.k8s.io": {"roles": "Role", "rolebindings": "RoleBinding"},
}
Key = tuple[str, str, str, str]  # group, resource, namespace, name


class Refusal(Exception):
    """A Status of the API."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def answer(self) -> Answer:
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return json_answer(self.code, {**status, "message": self.message, "reason": self.reason, "code": self.code})


@dataclass
class ApiServer:
    """`users` are the user names by their tokens; a service account's is system:serviceaccount:NAMESPACE:NAME."""

    users: dict[str, str] = field(default_factory=dict)
    objects: dict[Key, Applied] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        try:
            user = self.users.get(request.bearer() or "")
            if user is None:
                raise Refusal(401, "Unauthorized", "Unauthorized")
            return _discovery(request.path) or self._answer_object(request, user)
        except Refusal as refusal:
            return refusal.answer()

    def secret(self, namespace: str, name: str) -> dict[str, Any]:
        """Return a secret, as it is stored."""
        return self.objects["", "secrets", namespace, name].content()

    def _answer_object(self, request: Request, user: str) -> Answer:
        key = _parse_path(request.path)
        stored = self.objects.get(key)
        if request.method == "GET":
            self._authorize(user, "get", key)
            if stored is None:
                raise Refusal(404, "NotFound", f'{key[1]} "{key[3]}" not found')
            return json_answer(200, self._named(key, stored))
        if request.method != "PATCH" or request.headers.get("Content-Type") != "application/apply-patch+yaml":
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        self._authorize(user, "patch", key)
        if stored is None:
            self._authorize(user, "create", key)
        if not request.query.get("fieldManager"):
            raise Refusal(400, "BadRequest", "fieldManager is required for apply patch")
        content = yaml.safe_load(request.body)
        applied = stored or Applied()
        _validate(key, content, applied)
        try:
            applied.apply(content, request.query["fieldManager"], request.query.get("force") == "true")
        except Conflict as conflict:
            raise _describe(conflict) from None
        self.objects[key] = applied
        return json_answer(201 if stored is None else 200, self._named(key, applied))

    def _named(self, key: Key, stored: Applied) -> dict[str, Any]:
        group, resource, namespace, name = key
        content = stored.content()
        content["metadata"] |= {"name": name, "namespace": namespace}
        return {"apiVersion": f"{group}/v1" if group else "v1", "kind": _GROUPS[group][resource], **content}

    # Roles

    def _authorize(self, user: str, verb: str, key: Key) -> None:
        group, resource, namespace, name = key
        if user == ADMINISTRATOR or any(_allows(rule, verb, key) for rule in self._rules(user, namespace)):
            return
        raise Refusal(
            403,
            "Forbidden",
            f'{resource} "{name}" is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group '
            f'"{group}" in the namespace "{namespace}"',
        )

    def _rules(self, user: str, namespace: str) -> Iterator[dict[str, Any]]:
        for (_, resource, where, _), stored in self.objects.items():
            if (resource, where) == ("rolebindings", namespace):
                binding = stored.content()
                if any(_is_subject(each, user, namespace) for each in binding["subjects"]):
                    role = self.objects.get(
                        (binding["roleRef"]["apiGroup"], "roles", where, binding["roleRef"]["name"])
                    )
                    yield from role.content()["rules"] if role else []


def _is_subject(subject: dict[str, Any], user: str, namespace: str) -> bool:
    account = f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"
    return subject["kind"] == "ServiceAccount" and account == user


def _allows(rule: dict[str, Any], verb: str, key: Key) -> bool:
    group, resource, _, name = key
    names = rule.get("resourceNames") or [name]
    asked = ((verb, "verbs"), (group, "apiGroups"), (resource, "resources"))
    return name in names and all({value, "*"} & set(rule[member]) for value, member in asked)


# The rules of objects


def _validate(key: Key, content: dict[str, Any], stored: Applied) -> None:
    metadata = content.get("metadata") or {}
    if metadata.get("name") != key[3] or metadata.get("namespace", key[2]) != key[2]:
        raise Refusal(400, "BadRequest", "the name or namespace of the object does not match that of the URL")
    if key[1] != "secrets":
        return
    kind = content.get("type", "Opaque")
    if stored.values.get(("type",), kind) != kind:
        raise Refusal(422, "Invalid", f'Secret "{key[3]}" is invalid: type: Invalid value: field is immutable')
    if kind == "kubernetes.io/dockerconfigjson":
        try:
            json.loads(base64.b64decode(content["data"][".dockerconfigjson"], validate=True))
        except (KeyError, ValueError, binascii.Error):
            raise Refusal(422, "Invalid", f'Secret "{key[3]}" is invalid: data[.dockerconfigjson]') from None


def _describe(conflict: Conflict) -> Refusal:
    lines = [f'"{", ".join(sorted(names))}": .{".".join(path)}' for path, names in conflict.fields.items()]
    return Refusal(409, "Conflict", f"Apply failed with {len(lines)} conflict(s): conflict with {'; '.join(lines)}")


# Addresses


def _parse_path(path: str) -> Key:
    parts = path.strip("/").split("/")
    group = parts.pop(1) if parts[0] == "apis" else ""
    if len(parts) == 6 and parts[1:3] == ["v1", "namespaces"] and parts[4] in _GROUPS.get(group, {}):
        return group, parts[4], parts[3], parts[5]
    raise Refusal(404, "NotFound", "the server could not find the requested resource")


def _discovery(path: str) -> Answer | None:
    """What kubectl asks first, in the form before aggregation, which it takes as well."""
    versions = {group: {"groupVersion": f"{group}/v1", "version": "v1"} for group in _GROUPS if group}
    if path == "/api":
        return json_answer(200, {"kind": "APIVersions", "versions": ["v1"]})
    if path == "/apis":
        groups = [{"name": name, "versions": [each], "preferredVersion": each} for name, each in versions.items()]
        return json_answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    for group, kinds in _GROUPS.items():
        if path == (f"/apis/{group}/v1" if group else "/api/v1"):
            resources = [
                {
                    "name": name,
                    "singularName": kind.lower(),
                    "namespaced": True,
                    "kind": kind,
                    "verbs": ["get", "patch"],
                }
                for name, kind in kinds.items()
            ]
            version = f"{group}/v1" if group else "v1"
            return json_answer(200, {"kind": "APIResourceList", "groupVersion": version, "resources": resources})
    return None
