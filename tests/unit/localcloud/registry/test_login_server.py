"""A registry's login server: the challenge, the exchange, its tokens, and the real registry behind it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jwt
import pytest
import requests

from tests.factories.localcloud import Client
from tests.localcloud import ACR_AUDIENCE, ARM_AUDIENCES, LocalCloud, Registry

TOKEN_USER = "00000000-0000-0000-0000-000000000000"


def claims_of(token: str) -> dict[str, Any]:
    content: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return content


def message(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["message"]


def get(client: Client, registry: Registry, path: str, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.session.get(f"https://{registry.login_server}{path}", headers=headers, timeout=20)


class TestChallenge:
    def test_as_recorded(self, client: Client, registry: Registry) -> None:
        answer = get(client, registry, "/v2/")
        assert answer.headers["WWW-Authenticate"] == (
            'Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io"'
        )
        assert answer.text == (
            '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit '
            'https://aka.ms/acr/authorization for more information.","detail":null}]}\n'
        )

    def test_with_the_scope_of_a_repository(self, client: Client, registry: Registry) -> None:
        challenge = get(client, registry, "/v2/team/app/manifests/v1", "bad").headers["WWW-Authenticate"]
        assert challenge.endswith('scope="repository:team/app:pull",error="invalid_token"')

    def test_it_can_be_made_to_lie(self, client: Client, registry: Registry) -> None:
        registry.challenge_realm, registry.challenge_service = "https://evil.example/token", "evil"
        expected = 'Bearer realm="https://evil.example/token",service="evil"'
        assert get(client, registry, "/v2/").headers["WWW-Authenticate"] == expected
        registry.challenge_header = "Basic"
        assert get(client, registry, "/v2/").headers["WWW-Authenticate"] == "Basic"


class TestExchange:
    def test_an_acr_token_buys_a_refresh_token_of_three_hours(self, client: Client, registry: Registry) -> None:
        answer = client.exchange(registry, client.token(ACR_AUDIENCE))
        claims = claims_of(answer.json()["refresh_token"])
        assert (claims["iss"], claims["aud"]) == ("Azure Container Registry", "contoso.azurecr.io")
        assert claims["exp"] - claims["iat"] == 10800
        assert answer.json()["refresh_token"] in client.cloud.secrets

    @pytest.mark.parametrize("audience", ARM_AUDIENCES)
    def test_an_arm_token_counts_while_the_policy_allows(
        self, client: Client, registry: Registry, audience: str
    ) -> None:
        token = client.token(audience)
        statuses = []
        for status in ("enabled", None, "disabled"):
            registry.policy_status = status
            statuses.append(client.exchange(registry, token).status_code)
        assert statuses == [200, 200, 401]
        assert client.exchange(registry, client.token(ACR_AUDIENCE)).status_code == 200

    def test_the_login_server_can_be_made_to_disagree(self, client: Client, registry: Registry) -> None:
        registry.refuse_all_arm = True
        assert client.exchange(registry, client.token()).status_code == 401
        registry.refuse_all_arm, registry.ignore_policy, registry.policy_status = False, True, "disabled"
        assert client.exchange(registry, client.token()).status_code == 200

    def test_bad_tokens_are_refused(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        bad = [
            "",
            "not-a-token",
            client.token(ACR_AUDIENCE, key=cloud.world.stranger_key),
            client.token(ACR_AUDIENCE, lifetime=-1),
            client.token("https://graph.microsoft.com"),
            client.token("https://contoso.azurecr.io"),
        ]
        answers = [client.exchange(registry, token) for token in bad]
        assert {answer.status_code for answer in answers} == {401}
        assert all("CorrelationId: " in message(answer)[1] for answer in answers)

    def test_an_identity_without_a_role_is_refused_as_recorded(self, cloud: LocalCloud, registry: Registry) -> None:
        nobody = Client(cloud, cloud.world.add_service_principal("nobody"))
        status, text = message(nobody.exchange(registry, nobody.token(ACR_AUDIENCE)))
        assert status == 401
        assert text.startswith(
            "authentication required, visit https://aka.ms/acr/authorization for more information. C"
        )

    @pytest.mark.parametrize("fields", [{"service": "other.azurecr.io"}, {"tenant": "other"}])
    def test_fields_that_do_not_fit_are_refused(
        self, client: Client, registry: Registry, fields: dict[str, str]
    ) -> None:
        assert client.exchange(registry, client.token(ACR_AUDIENCE), **fields).status_code == 401

    def test_get_is_not_found(self, client: Client, registry: Registry) -> None:
        assert get(client, registry, "/oauth2/exchange").status_code == 404

    def test_the_firewall_names_the_client(self, client: Client, registry: Registry) -> None:
        registry.firewall = "203.0.113.9"
        for answer in (get(client, registry, "/v2/"), client.exchange(registry, client.token(ACR_AUDIENCE))):
            assert answer.json()["errors"][0]["code"] == "DENIED"
            assert "client with IP '203.0.113.9' is not allowed access" in message(answer)[1]

    def test_too_many_requests(self, client: Client, registry: Registry) -> None:
        registry.oauth_limit = 2
        answers = [client.exchange(registry, client.token(ACR_AUDIENCE)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61


class TestTokens:
    def test_access_is_limited_to_what_the_roles_allow(self, cloud: LocalCloud, registry: Registry) -> None:
        principal = cloud.world.add_service_principal("puller")
        cloud.world.grant(principal, registry.id, "AcrPull")
        client = Client(cloud, principal)
        claims = claims_of(client.access_token(registry, "repository:app:pull,push", "registry:catalog:*"))
        assert claims["access"] == [
            {"type": "repository", "name": "app", "actions": ["pull"]},
            {"type": "registry", "name": "catalog", "actions": ["*"]},
        ]
        assert claims["exp"] - claims["iat"] == 4500

    def test_every_kind_of_scope_in_either_form(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        asked = (
            "repository:team/app:pull,push,delete,metadata_read,metadata_write repository:other:pull",
            "registry:catalog:*",
        )
        access = [
            {
                "type": "repository",
                "name": "team/app",
                "actions": ["pull", "push", "delete", "metadata_read", "metadata_write"],
            },
            {"type": "repository", "name": "other", "actions": ["pull"]},
            {"type": "registry", "name": "catalog", "actions": ["*"]},
        ]
        assert claims_of(client.access_token(registry, *asked))["access"] == access
        pusher = cloud.world.add_service_principal("pusher")
        cloud.world.grant(pusher, registry.id, "AcrPush")
        access[0]["actions"] = ["pull", "push", "metadata_read", "metadata_write"]
        assert claims_of(Client(cloud, pusher).access_token(registry, *asked))["access"] == access

    def basic(
        self, client: Client, registry: Registry, user: str, password: str, **query: str | list[str]
    ) -> requests.Response:
        url = f"https://{registry.login_server}/oauth2/token"
        asked = {"service": registry.login_server, "scope": "repository:app:pull", **query}
        return client.session.get(url, params=asked, auth=(user, password), timeout=10)

    def test_an_access_token_is_a_password_for_no_more_than_it_grants(self, client: Client, registry: Registry) -> None:
        password = client.access_token(registry, "repository:app:pull,metadata_read")
        asked = ["repository:app:pull,push,metadata_read", "repository:other:pull registry:catalog:*"]
        answer = self.basic(client, registry, TOKEN_USER, password, scope=asked, offline_token="true")
        assert claims_of(answer.json()["access_token"])["access"] == [
            {"type": "repository", "name": "app", "actions": ["pull", "metadata_read"]}
        ]
        assert "refresh_token" not in answer.json()
        form = {"grant_type": "password", "service": registry.login_server, "scope": asked, "username": TOKEN_USER}
        url = f"https://{registry.login_server}/oauth2/token"
        posted = client.session.post(url, data={**form, "password": password}, timeout=10)
        assert [one["name"] for one in claims_of(posted.json()["access_token"])["access"]] == ["app"]
        as_grant = {"grant_type": "refresh_token", "service": registry.login_server, "refresh_token": password}
        assert client.session.post(url, data=as_grant, timeout=10).status_code == 401

    def test_an_access_token_as_a_password_ends_and_serves_one_registry(
        self, cloud: LocalCloud, client: Client, registry: Registry
    ) -> None:
        password = client.access_token(registry, "repository:app:pull")
        assert self.basic(client, cloud.world.add_registry("other"), TOKEN_USER, password).status_code == 401
        cloud.world.advance(4501)
        assert self.basic(client, registry, TOKEN_USER, password).status_code == 401

    def test_docker_s_question_for_an_offline_token_is_answered(self, client: Client, registry: Registry) -> None:
        token = client.refresh_token(registry)
        assert "refresh_token" not in self.basic(client, registry, TOKEN_USER, token).json()
        offline = self.basic(client, registry, TOKEN_USER, token, offline_token="true").json()
        assert claims_of(offline["refresh_token"])["grant_type"] == "refresh_token"

    def test_lifetimes_can_be_set(self, cloud: LocalCloud, client: Client, registry: Registry) -> None:
        cloud.world.acr_refresh_lifetime = cloud.world.acr_access_lifetime = 60
        refresh, access = client.refresh_token(registry), client.access_token(registry, "registry:catalog:*")
        assert self.basic(client, registry, TOKEN_USER, refresh).status_code == 200
        assert get(client, registry, "/v2/", access).status_code == 200
        cloud.world.advance(61)
        assert self.basic(client, registry, TOKEN_USER, refresh).status_code == 401
        form = {"grant_type": "refresh_token", "service": registry.login_server, "refresh_token": refresh}
        url = f"https://{registry.login_server}/oauth2/token"
        assert client.session.post(url, data=form, timeout=10).status_code == 401
        assert get(client, registry, "/v2/", access).status_code == 401

    def test_a_refresh_token_is_a_password(self, client: Client, registry: Registry) -> None:
        assert self.basic(client, registry, TOKEN_USER, client.refresh_token(registry)).status_code == 200
        assert self.basic(client, registry, TOKEN_USER, "guess").status_code == 401
        assert self.basic(client, registry, "somebody", client.refresh_token(registry)).status_code == 401

    def test_a_refresh_token_ends_and_serves_one_registry(self, cloud: LocalCloud, client: Client) -> None:
        ours, other = cloud.world.add_registry("contoso"), cloud.world.add_registry("fabrikam")
        token = client.refresh_token(ours)
        assert self.basic(client, other, TOKEN_USER, token).status_code == 401
        cloud.world.advance(10801)
        assert self.basic(client, ours, TOKEN_USER, token).status_code == 401

    def test_the_admin_user_only_when_enabled(self, client: Client, registry: Registry) -> None:
        password = registry.admin_passwords[1]
        assert self.basic(client, registry, "contoso", password).status_code == 401
        registry.properties["adminUserEnabled"] = True
        assert self.basic(client, registry, "contoso", password).status_code == 200
        assert self.basic(client, registry, "contoso", "guess").status_code == 401

    def test_anonymous_pull_only_when_enabled(self, client: Client, registry: Registry) -> None:
        url = f"https://{registry.login_server}/oauth2/token"
        query = {"service": registry.login_server, "scope": "repository:app:pull,push"}
        assert client.session.get(url, params=query, timeout=10).status_code == 401
        registry.properties["anonymousPullEnabled"] = True
        token = client.session.get(url, params=query, timeout=10).json()["access_token"]
        assert claims_of(token)["access"][0]["actions"] == ["pull"]

    def test_only_an_access_token_opens_v2(self, client: Client, registry: Registry) -> None:
        assert get(client, registry, "/v2/", client.access_token(registry)).status_code == 200
        assert get(client, registry, "/v2/", client.refresh_token(registry)).status_code == 401
        assert get(client, registry, "/v2/", client.token(ACR_AUDIENCE)).status_code == 401
        missing = get(client, registry, "/v2/app/tags/list", client.access_token(registry))
        assert missing.json()["errors"][0]["code"] == "NAME_UNKNOWN"


class TestRealRegistry:
    """Needs the program docker-registry."""

    def push(self, client: Client, registry: Registry, token: str) -> requests.Response:
        content = b"a layer" * 200_000
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        base = f"https://{registry.login_server}"
        headers = {"Authorization": f"Bearer {token}"}
        begun = client.session.post(f"{base}/v2/app/blobs/uploads/", headers=headers, timeout=20)
        if begun.status_code != 202:
            return begun
        assert begun.headers["Location"].startswith(f"{base}/v2/app/blobs/uploads/")
        place = f"{begun.headers['Location']}&digest={digest}"
        assert client.session.put(place, data=content, headers=headers, timeout=20).status_code == 201
        back = client.session.get(f"{base}/v2/app/blobs/{digest}", headers=headers, timeout=20)
        assert back.content == content
        return client.session.head(f"{base}/v2/app/blobs/{digest}", headers=headers, timeout=20)

    def test_blobs_go_there_and_back_within_the_token_s_rights(self) -> None:
        with LocalCloud() as cloud:
            registry = cloud.world.add_registry("contoso", backend=True)
            client = Client(cloud, cloud.default_account())
            assert get(client, registry, "/v2/").status_code == 401
            both = client.access_token(registry, "repository:app:pull,push")
            found = self.push(client, registry, both)
            assert (found.status_code, found.headers["Content-Length"]) == (200, "1400000")
            cloud.faults.add(path="/v2/app/*", reset="after")
            with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                get(client, registry, f"/v2/app/blobs/{found.headers['Docker-Content-Digest']}", both)
            only_pull = client.access_token(registry, "repository:app:pull")
            assert self.push(client, registry, only_pull).status_code == 401
            forged = cloud.world.stranger_key.sign(claims_of(both), with_chain=True)
            assert self.push(client, registry, forged).status_code == 401

    def test_a_regional_name_stands_in_its_own_links(self) -> None:
        with LocalCloud() as cloud:
            registry = cloud.world.add_registry("contoso", backend=True, regions=("eastus",))
            client = Client(cloud, cloud.default_account())
            headers = {"Authorization": f"Bearer {client.access_token(registry, 'repository:app:pull,push')}"}
            for host in registry.login_servers:
                begun = client.session.post(f"https://{host}/v2/app/blobs/uploads/", headers=headers, timeout=20)
                assert begun.headers["Location"].startswith(f"https://{host}/v2/app/blobs/uploads/")


def test_basic_credentials_do_not_open_v2(client: Client, registry: Registry) -> None:
    registry.properties["adminUserEnabled"] = True
    login = base64.b64encode(f"contoso:{registry.admin_passwords[0]}".encode()).decode()
    url = f"https://{registry.login_server}/v2/"
    assert client.session.get(url, headers={"Authorization": f"Basic {login}"}, timeout=10).status_code == 401
