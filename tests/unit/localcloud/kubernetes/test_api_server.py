"""The cluster's API server: who may apply what, and whose a field is."""

import base64
import json
from typing import Any

import pytest

from tests.localcloud.base.messages import Answer, Request
from tests.localcloud.kubernetes.api_server import ADMINISTRATOR, ApiServer

BOT = "system:serviceaccount:team:bot"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/team"


def encoded(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


@pytest.fixture
def api() -> ApiServer:
    return ApiServer({"admin": ADMINISTRATOR, "bot": BOT, "stranger": "system:serviceaccount:team:stranger"})


def apply(api: ApiServer, path: str, content: dict[str, Any], user: str = "admin", **query: str) -> Answer:
    headers = {"Authorization": f"Bearer {user}", "Content-Type": "application/apply-patch+yaml"}
    request = Request("cluster", "PATCH", path, {"fieldManager": user, **query}, body=json.dumps(content).encode())
    request.headers.extend(headers)
    return api.answer(request)


def put_secret(api: ApiServer, user: str = "admin", name: str = "acr-pull", text: str = "{}", **more: Any) -> Answer:
    kind = more.pop("type", "kubernetes.io/dockerconfigjson")
    content = {"metadata": {"name": name}, "type": kind, "data": {".dockerconfigjson": encoded(text)}}
    return apply(api, f"/api/v1/namespaces/team/secrets/{name}", content, user, **more)


def allow(api: ApiServer, *verbs: str, names: list[str] | None = None) -> None:
    rule = {
        "apiGroups": [""],
        "resources": ["secrets"],
        "verbs": [*verbs],
        **({"resourceNames": names} if names else {}),
    }
    assert apply(api, f"{RBAC}/roles/r", {"metadata": {"name": "r"}, "rules": [rule]}).status in (200, 201)
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot"}],
    }
    assert apply(api, f"{RBAC}/rolebindings/b", binding).status in (200, 201)


def test_an_apply_makes_an_object_and_then_changes_it(api: ApiServer) -> None:
    assert put_secret(api).status == 201
    assert put_secret(api, text='{"auths": {}}').status == 200
    secret = api.secret("team", "acr-pull")
    assert secret["data"] == {".dockerconfigjson": encoded('{"auths": {}}')}
    assert secret["metadata"]["resourceVersion"] == "2"


def test_to_make_one_takes_the_right_to_create_it_by_that_name(api: ApiServer) -> None:
    allow(api, "patch", names=["acr-pull"])
    refused = put_secret(api, "bot")
    assert (refused.status, b"cannot create resource" in refused.body) == (403, True)
    put_secret(api)
    assert put_secret(api, "bot", force="true").status == 200
    allow(api, "create", "patch", names=["new"])
    assert put_secret(api, "bot", name="new").status == 201
    assert put_secret(api, "bot", name="other").status == 403


def test_only_who_is_bound_to_a_role_has_its_rights(api: ApiServer) -> None:
    allow(api, "create", "patch")
    assert put_secret(api, "stranger").status == 403
    assert put_secret(api, "nobody").status == 401
    assert put_secret(api, "bot").status == 201


def test_a_field_of_another_manager_is_a_conflict_unless_it_is_taken_by_force(api: ApiServer) -> None:
    put_secret(api)
    allow(api, "patch")
    assert put_secret(api, "bot").status == 200, "the same value is shared"
    conflict = put_secret(api, "bot", text="[]")
    assert conflict.status == 409
    assert '"admin": .data..dockerconfigjson' in json.loads(conflict.body)["message"]
    assert put_secret(api, "bot", text="[]", force="true").status == 200
    assert put_secret(api).status == 409


def test_a_field_that_nobody_applies_any_more_is_gone(api: ApiServer) -> None:
    path = "/api/v1/namespaces/team/configmaps/c"
    apply(api, path, {"metadata": {"name": "c"}, "data": {"a": "1", "b": "1"}})
    apply(api, path, {"metadata": {"name": "c"}, "data": {"b": "1"}}, fieldManager="other")
    apply(api, path, {"metadata": {"name": "c"}, "data": {"c": "1"}})
    assert api.objects["", "configmaps", "team", "c"].content()["data"] == {"b": "1", "c": "1"}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda api: put_secret(api, type="Opaque"), 422),
        (lambda api: put_secret(api, text="no json"), 422),
        (lambda api: put_secret(api, fieldManager=""), 400),
        (lambda api: apply(api, "/api/v1/namespaces/team/secrets/x", {"metadata": {"name": "y"}}), 400),
        (lambda api: apply(api, "/api/v1/namespaces/team/pods/x", {"metadata": {"name": "x"}}), 404),
    ],
)
def test_what_a_cluster_refuses_is_refused(api: ApiServer, answer: Any, status: int) -> None:
    put_secret(api)
    assert answer(api).status == status
    assert api.secret("team", "acr-pull")["metadata"]["resourceVersion"] == "1"


def test_another_kind_of_patch_is_refused(api: ApiServer) -> None:
    request = Request("cluster", "PATCH", "/api/v1/namespaces/team/secrets/x", body=b"{}")
    request.headers.extend({"Authorization": "Bearer admin", "Content-Type": "application/merge-patch+json"})
    assert api.answer(request).status == 405
