"""Entra ID: who gets which token, and with which AADSTS number others are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.factories.localcloud import ENTRA, Client
from tests.localcloud import ACR_AUDIENCE, LocalCloud, Principal

ACR_SCOPE = f"{ACR_AUDIENCE}/.default"
ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:contoso/app:ref:refs/heads/main"


def ask(client: Client, principal: Principal, **form: str) -> requests.Response:
    fields = {"grant_type": "client_credentials", "client_id": principal.app_id, "scope": ACR_SCOPE, **form}
    return client.session.post(f"{ENTRA}/{principal.tenant_id}/oauth2/v2.0/token", data=fields, timeout=10)


def claims_of(answer: requests.Response) -> dict[str, Any]:
    content: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return content


def test_a_secret_buys_a_token_with_the_recorded_claims(cloud: LocalCloud, client: Client) -> None:
    principal = cloud.world.add_service_principal("ci")
    answer = ask(client, principal, client_secret=principal.secret)
    claims = claims_of(answer)
    assert answer.json()["expires_in"] == claims["exp"] - claims["iat"] == 5009
    assert claims["aud"] == "https://containerregistry.azure.net"
    assert claims["iss"] == f"https://sts.windows.net/{principal.tenant_id}/"
    assert (claims["appid"], claims["oid"], claims["tid"]) == (
        principal.app_id,
        principal.object_id,
        principal.tenant_id,
    )
    assert (claims["idtyp"], claims["ver"], "scp" in claims) == ("app", "1.0", False)


def test_a_double_slash_in_a_scope_keeps_the_slash_of_the_audience(cloud: LocalCloud, client: Client) -> None:
    principal = cloud.world.add_service_principal("ci")
    scope = "https://management.core.windows.net//.default"
    answer = ask(client, principal, client_secret=principal.secret, scope=scope)
    assert claims_of(answer)["aud"] == "https://management.core.windows.net/"


def test_a_wrong_secret_is_refused(cloud: LocalCloud, client: Client) -> None:
    answer = ask(client, cloud.world.add_service_principal("ci"), client_secret="wrong")
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [7000215])


def test_an_unknown_application_is_refused(cloud: LocalCloud, client: Client) -> None:
    principal = cloud.world.add_service_principal("ci")
    answer = ask(client, principal, client_id="11111111-2222-3333-4444-555555555555", client_secret="x")
    assert answer.json()["error_codes"] == [700016]


def test_an_unknown_resource_is_refused_in_the_recorded_form(cloud: LocalCloud, client: Client) -> None:
    principal = cloud.world.add_service_principal("ci")
    answer = ask(client, principal, client_secret=principal.secret, scope="https://contoso.azurecr.io/.default")
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (400, "invalid_resource", [500011])
    assert body["error_description"].startswith(
        "AADSTS500011: The resource principal named https://contoso.azurecr.io was not found"
    )
    assert body["trace_id"] in body["error_description"]
    assert body["correlation_id"] in body["error_description"]


def test_an_unknown_tenant_is_refused(client: Client) -> None:
    answer = client.session.get(f"{ENTRA}/nosuch.example/v2.0/.well-known/openid-configuration", timeout=10)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


class TestFederation:
    ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    def ask(self, client: Client, principal: Principal, assertion: str) -> requests.Response:
        more = {"client_assertion": assertion, "client_assertion_type": self.ASSERTION_TYPE}
        return ask(client, principal, **more)

    def test_a_matching_assertion_buys_a_token(self, cloud: LocalCloud, client: Client) -> None:
        principal = cloud.world.add_service_principal("ci")
        principal.add_federated_credential(ISSUER, SUBJECT)
        assertion = cloud.world.issue_assertion(ISSUER, SUBJECT)
        assert self.ask(client, principal, assertion).status_code == 200
        assert assertion in cloud.secrets

    @pytest.mark.parametrize(
        ("issuer", "subject", "audience", "lifetime", "code"),
        [
            (ISSUER, SUBJECT, "api://AzureADTokenExchange", -1, 700024),
            ("https://evil.example", SUBJECT, "api://AzureADTokenExchange", 300, 700211),
            (ISSUER, "repo:other/app", "api://AzureADTokenExchange", 300, 700213),
            (ISSUER, SUBJECT, "https://other", 300, 700212),
        ],
    )
    def test_another_assertion_is_refused(
        self, cloud: LocalCloud, client: Client, issuer: str, subject: str, audience: str, lifetime: int, code: int
    ) -> None:
        principal = cloud.world.add_service_principal("ci")
        principal.add_federated_credential(ISSUER, SUBJECT)
        assertion = cloud.world.issue_assertion(issuer, subject, audience, lifetime)
        assert self.ask(client, principal, assertion).json()["error_codes"] == [code]

    def test_a_forged_assertion_is_refused(self, cloud: LocalCloud, client: Client) -> None:
        principal = cloud.world.add_service_principal("ci")
        principal.add_federated_credential(ISSUER, SUBJECT)
        forged = cloud.world.stranger_key.sign({"iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange"})
        assert self.ask(client, principal, forged).json()["error_codes"] == [700027]

    def test_a_pod_s_token_file_is_an_assertion(self, cloud: LocalCloud, client: Client, tmp_path: Path) -> None:
        principal = cloud.world.add_service_principal("pod")
        path = cloud.world.write_token_file(tmp_path / "token", principal)
        assert self.ask(client, principal, path.read_text()).status_code == 200


class TestUsers:
    def sign_in(self, client: Client, **form: str) -> requests.Response:
        fields = {"client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scope": f"{ACR_SCOPE} openid", **form}
        return client.session.post(f"{ENTRA}/organizations/oauth2/v2.0/token", data=fields, timeout=10)

    def test_a_password_buys_tokens_that_msal_can_keep(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_user("ada@contoso.example", "Pa55word!")
        answer = self.sign_in(client, grant_type="password", username="ada@contoso.example", password="Pa55word!")
        assert {"refresh_token", "id_token", "client_info", "foci"} <= answer.json().keys()
        claims = claims_of(answer)
        assert (claims["scp"], claims["upn"], claims["idtyp"]) == ("user_impersonation", "ada@contoso.example", "user")

    def test_a_wrong_password_is_refused(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_user("ada@contoso.example", "Pa55word!")
        answer = self.sign_in(client, grant_type="password", username="ada@contoso.example", password="guess")
        assert answer.json()["error_codes"] == [50126]

    def test_a_refresh_token_serves_every_audience(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_user("ada@contoso.example", "Pa55word!")
        first = self.sign_in(client, grant_type="password", username="ada@contoso.example", password="Pa55word!").json()
        scope = "https://management.azure.com/.default"
        answer = self.sign_in(client, grant_type="refresh_token", refresh_token=first["refresh_token"], scope=scope)
        assert claims_of(answer)["aud"] == "https://management.azure.com"
        assert {first["refresh_token"], first["access_token"], first["id_token"]} <= cloud.secrets

    def test_an_unknown_refresh_token_is_refused(self, client: Client) -> None:
        answer = self.sign_in(client, grant_type="refresh_token", refresh_token="made-up")
        assert answer.json()["error"] == "invalid_grant"

    def test_a_device_code_is_approved_at_once(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_user("ada@contoso.example", "Pa55word!")
        url = f"{ENTRA}/organizations/oauth2/v2.0/devicecode"
        form = {"client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scope": ACR_SCOPE}
        code = client.session.post(url, data=form, timeout=10).json()["device_code"]
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        first = self.sign_in(client, grant_type=grant, device_code=code, scope="")
        assert claims_of(first)["aud"] == ACR_AUDIENCE
        assert self.sign_in(client, grant_type=grant, device_code=code).status_code == 400


def test_an_ordered_refusal_hits_one_identity_and_one_audience_only(cloud: LocalCloud, client: Client) -> None:
    ours, other = cloud.world.add_service_principal("ci"), cloud.world.add_service_principal("other")
    cloud.world.entra_error(
        ours, ACR_AUDIENCE, 50076, "You must use MFA.", "interaction_required", "basic_action", "{}", times=1
    )
    arm = "https://management.azure.com/.default"
    assert ask(client, ours, client_secret=ours.secret, scope=arm).status_code == 200
    assert ask(client, other, client_secret=other.secret).status_code == 200
    body = ask(client, ours, client_secret=ours.secret).json()
    assert (body["error"], body["error_codes"]) == ("interaction_required", [50076])
    assert (body["suberror"], body["claims"]) == ("basic_action", "{}")
    assert ask(client, ours, client_secret=ours.secret).status_code == 200


class TestManagedIdentity:
    QUERY = {"api-version": "2018-02-01", "resource": ACR_AUDIENCE}
    URL = "http://169.254.169.254/metadata/identity/oauth2/token"

    def test_imds_needs_its_header(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_managed_identity("vm", system_assigned=True)
        assert client.session.get(self.URL, params=self.QUERY, timeout=5).status_code == 400
        answer = client.session.get(self.URL, params=self.QUERY, headers={"Metadata": "true"}, timeout=5)
        assert answer.status_code == 200
        assert isinstance(answer.json()["expires_on"], str)
        assert answer.json()["access_token"] in cloud.secrets

    def test_imds_is_also_at_the_authority_host_of_the_environment(self, cloud: LocalCloud, client: Client) -> None:
        identity = cloud.world.add_managed_identity("app")
        base = cloud.managed_identity_env["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
        query = {**self.QUERY, "client_id": identity.client_id}
        answer = requests.get(
            f"{base}/metadata/identity/oauth2/token", params=query, headers={"Metadata": "true"}, timeout=5
        )
        assert answer.json()["client_id"] == identity.client_id

    def test_two_identities_must_be_told_apart(self, cloud: LocalCloud, client: Client) -> None:
        cloud.world.add_managed_identity("one")
        cloud.world.add_managed_identity("two")
        answer = client.session.get(self.URL, params=self.QUERY, headers={"Metadata": "true"}, timeout=5)
        assert answer.json()["error_description"].startswith("Multiple user assigned identities exist")

    def test_without_an_identity_there_is_no_token(self, client: Client) -> None:
        answer = client.session.get(self.URL, params=self.QUERY, headers={"Metadata": "true"}, timeout=5)
        assert (answer.status_code, answer.json()["error_description"]) == (400, "Identity not found")

    @pytest.mark.parametrize(("right", "status"), [(True, 200), (False, 403)])
    def test_app_service_checks_its_header(self, cloud: LocalCloud, right: bool, status: int) -> None:
        cloud.world.add_managed_identity("app", system_assigned=True)
        env = cloud.app_service_env
        header = {"X-IDENTITY-HEADER": env["IDENTITY_HEADER"] if right else "guess"}
        query = {**self.QUERY, "api-version": "2019-08-01"}
        assert requests.get(env["IDENTITY_ENDPOINT"], params=query, headers=header, timeout=5).status_code == status
