"""Identities other than the account: what is looked for, what is refused, and what is said of an answer."""

import time
from typing import Any

import pytest
from azure.cli.core.azclierror import (
    AuthenticationError,
    AzureConnectionError,
    FileOperationError,
    InvalidArgumentValueError,
    RequiredArgumentMissingError,
)
from requests.exceptions import InvalidHeader, InvalidURL
from urllib3.exceptions import LocationParseError

from azext_acrscope.base import http
from azext_acrscope.base.tokens import ACR_AUDIENCE
from azext_acrscope.hops import (
    assertions,
    entra,
    errors,
    identities,
    identity_errors,
    managed_identity_errors,
    sign_in_errors,
)
from azext_acrscope.hops.principals import CREDENTIALS, Principal, RequestedIdentity
from tests.factories.tokens import jwt

AUTHORITY = "https://login.microsoftonline.com"
VARIABLES = [
    *identity_errors._HOW_TO_SET,
    *("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_AUTHORITY_HOST"),
]
ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "AZURE_REGIONAL_AUTHORITY_NAME")


class _Ctx:
    """As much of a CLI context as an identity needs."""

    class cloud:  # noqa: N801
        name = "AzureCloud"

        class endpoints:  # noqa: N801
            active_directory = AUTHORITY

    class config:  # noqa: N801
        discovery = True

        @classmethod
        def getboolean(cls, _section: str, _option: str, fallback: bool) -> bool:
            return cls.discovery and fallback


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *ENDPOINTS):
        monkeypatch.delenv(name, raising=False)


# --- which source ---


def test_an_identity_is_asked_for_the_audience_wanted_and_its_tenant_is_the_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, RequestedIdentity]] = []

    def token(_ctx: object, wanted: str, source: RequestedIdentity) -> str:
        asked.append((wanted, source))
        return jwt(aud=ACR_AUDIENCE, tid="its-tenant")

    monkeypatch.setattr(identities, "acquire_identity_token", token)
    source = RequestedIdentity("github-actions", "client", "contoso.example")
    got = entra.acquire_token(_Ctx(), ACR_AUDIENCE, source)
    assert asked == [(ACR_AUDIENCE, source)]
    assert (got.tenant, got.audience) == ("its-tenant", ACR_AUDIENCE)


@pytest.mark.parametrize("credential", CREDENTIALS[1:])
def test_a_wide_token_of_an_identity_is_not_believed(credential: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = jwt(aud="https://management.azure.com", tid="its-tenant")
    monkeypatch.setattr(identities, "acquire_identity_token", lambda *_: wide)
    with pytest.raises(AuthenticationError, match="It was not sent") as caught:
        entra.acquire_token(_Ctx(), ACR_AUDIENCE, RequestedIdentity(credential))
    assert f"--credential {credential}" in str(caught.value.recommendations)


def test_an_identity_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "TOTAL_SECONDS", 0.05)
    monkeypatch.setattr(identities, "_request_token", lambda *_: time.sleep(5))
    with pytest.raises(
        AzureConnectionError, match="--credential managed-identity returned no token within 0.05 seconds"
    ):
        identities.acquire_identity_token(_Ctx(), ACR_AUDIENCE, RequestedIdentity("managed-identity"))


# --- what it finds ---


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(RequiredArgumentMissingError) as caught:
        identities._read_identity_variables(
            RequestedIdentity("environment"), ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"), either=True
        )
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH"):
        assert name in caught.value.error_msg


def test_every_variable_has_a_word_on_how_to_set_it() -> None:
    for name in VARIABLES[:-3]:
        assert name.split()[0][:9] in str(identity_errors.identity_incomplete("x", [name]).recommendations)


def test_the_command_line_stands_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/f")
    monkeypatch.setenv("AZURE_CLIENT_ID", "theirs")
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant.example")
    found = identities._read_identity_variables(
        RequestedIdentity("workload-identity", client_id="mine"), ("AZURE_FEDERATED_TOKEN_FILE",)
    )
    assert (found["AZURE_CLIENT_ID"], found["AZURE_TENANT_ID"]) == ("mine", "tenant.example")


@pytest.mark.parametrize("tenant", ["../common", "a/b", "a b", "a?b", "é"])
def test_a_tenant_cannot_change_the_address_that_is_asked(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/f")
    with pytest.raises(InvalidArgumentValueError, match="cannot be a tenant"):
        identities._read_identity_variables(
            RequestedIdentity("workload-identity", "client", tenant), ("AZURE_FEDERATED_TOKEN_FILE",)
        )


@pytest.mark.parametrize("value", ["", "  ", "$(System.AccessToken)"])
def test_a_variable_without_a_value_is_missing(value: str) -> None:
    assert assertions.read_variable({"SYSTEM_ACCESSTOKEN": value}, "SYSTEM_ACCESSTOKEN") == ""


# --- the authority ---


@pytest.mark.parametrize(
    "named", ["https://login.microsoftonline.com/", "login.microsoftonline.com", "HTTPS://LOGIN.microsoftonline.com"]
)
def test_the_authority_is_that_of_the_cloud(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert identities._cli_authority(_Ctx()) == AUTHORITY
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", named)
    assert identities._cli_authority(_Ctx()) == AUTHORITY


@pytest.mark.parametrize(
    "named",
    [
        "https://login.chinacloudapi.cn/",
        "http://login.microsoftonline.com",
        "https://login.microsoftonline.com.evil.example",
        "https://login.microsoftonline.com@evil.example",
        "https://login.microsoftonline.com:444",
    ],
)
def test_a_variable_that_names_another_authority_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", named)
    with pytest.raises(InvalidArgumentValueError, match="Nothing was sent to either"):
        identities._cli_authority(_Ctx())


@pytest.mark.parametrize("region", ["evil.example/", "evil.example#", "a.b"])
def test_a_region_cannot_become_a_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", region)
    with pytest.raises(InvalidArgumentValueError, match="AZURE_REGIONAL_AUTHORITY_NAME"):
        identities._cli_authority(_Ctx())


def test_discovery_follows_the_setting_of_the_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    assert identities._discovery_options(_Ctx()) == {}
    monkeypatch.setattr(_Ctx.config, "discovery", False)
    assert identities._discovery_options(_Ctx()) == {"disable_instance_discovery": True}


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("", "", "http://169.254.169.254"),
        ("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token?x=hidden", "http://localhost:42356"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://user:hidden@10.0.0.1", "http://10.0.0.1"),
        ("IDENTITY_ENDPOINT", "http://[hidden", "that IDENTITY_ENDPOINT names"),
    ],
)
def test_the_endpoint_is_named_without_what_may_be_secret(
    variable: str, value: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, value)
    said = managed_identity_errors.endpoint_label()
    assert said.startswith(shown)
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (LocationParseError("http://u:S3cr@h:99999"), "LocationParseError"),
        (InvalidURL("Invalid URL 'http://u:S3cr@': No host supplied"), "InvalidURL"),
        (ValueError("Invalid header value b'S3cr\\netX'"), "ValueError"),
        (InvalidHeader("Invalid … return character(s) in header value: 'S3cr\netX'"), "InvalidHeader"),
        (OSError(111, "Connection refused"), "[Errno 111] Connection refused"),
    ],
)
def test_a_cause_that_quotes_a_setting_is_only_named(cause: Exception, said: str) -> None:
    assert errors.cause_of(cause) == said


# --- assertions ---


class _Pool:
    """Stands in for a connection: keeps the request, and answers what it was made with."""

    def __init__(self, status: int = 200, body: bytes = b"", error: Exception | None = None) -> None:
        self.status, self.body, self.error = status, body, error
        self.host, self.sent = "", ("", "")
        self.options: dict[str, Any] = {}

    def __call__(self, host: str) -> "_Pool":
        self.host = host
        return self

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def urlopen(self, method: str, target: str, **options: Any) -> "_Pool":
        self.sent, self.options = (method, target), options
        if self.error:
            raise self.error
        return self

    def read(self, amount: int, decode_content: bool) -> bytes:
        assert decode_content
        return self.body[:amount]


def answering(monkeypatch: pytest.MonkeyPatch, **answer: Any) -> _Pool:
    pool = _Pool(**answer)
    monkeypatch.setattr(http, "open_pool", pool)
    return pool


ASSERTION = jwt(
    iss="https://issuer.example", sub="repo:contoso/app:ref:refs/heads/main", aud=assertions.FEDERATION_AUDIENCE
)


def test_github_is_asked_for_the_audience_of_entras_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = answering(monkeypatch, body=b'{"count": 1, "value": "%s"}' % ASSERTION.encode())
    url = "https://run-actions-1.actions.example/37//idtoken/1/2?api-version=2.0"
    assert assertions.request_github_assertion(url, "request-token") == ASSERTION
    assert pool.host == "run-actions-1.actions.example"
    assert pool.sent == ("GET", "/37//idtoken/1/2?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange")
    assert pool.options["headers"]["Authorization"] == "Bearer request-token"
    assert pool.options["redirect"] is False


def test_azure_devops_is_asked_for_the_service_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = answering(monkeypatch, body=b'{"oidcToken": "%s"}' % ASSERTION.encode())
    url = "https://dev.azure.com/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken/"
    assert assertions.request_azure_pipelines_assertion(url, "access-token", "a&b") == ASSERTION
    assert pool.sent[0] == "POST"
    assert pool.sent[1].endswith("/oidctoken?api-version=7.1&serviceConnectionId=a%26b")
    assert pool.options["headers"]["X-TFS-FedAuthRedirect"] == "Suppress"


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://h/", "https:///x", "https://u@h/", "https://h:8443/", "https://h:port/", "https://h/a b", "//h/"],
)
def test_a_jobs_token_is_sent_over_tls_to_a_plain_host_only(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = answering(monkeypatch)
    with pytest.raises(InvalidArgumentValueError, match="The job's token was not sent there"):
        assertions.request_github_assertion(url, "t")
    assert pool.host == ""


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, b""), (401, b"secret-words"), (200, b""), (200, b"[]"), (200, b'{"value": "secret-words"}'), (500, b"{}")],
)
def test_an_answer_without_a_token_is_an_error_that_repeats_nothing(
    status: int, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, status=status, body=body)
    with pytest.raises(AuthenticationError, match="jobs.example returned no identity token") as caught:
        assertions.request_github_assertion("https://jobs.example/x", "request-token")
    assert "secret-words" not in caught.value.error_msg
    assert "request-token" not in caught.value.error_msg


def test_a_job_system_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, error=OSError("no route"))
    with pytest.raises(AzureConnectionError, match="jobs.example could not be reached: no route"):
        assertions.request_github_assertion("https://jobs.example/x", "t")


def test_a_token_file_is_read_without_its_line_end(tmp_path: Any) -> None:
    (tmp_path / "token").write_text(f"{ASSERTION}\n")
    assert assertions.read_assertion_file(str(tmp_path / "token")) == ASSERTION
    (tmp_path / "other").write_text("x")
    with pytest.raises(FileOperationError, match="it holds no token"):
        assertions.read_assertion_file(str(tmp_path / "other"))


# --- what Entra refuses ---

ANSWER = (
    "Microsoft Entra ID error '(invalid_client) AADSTS{}: Words of a server, provided: 'hidden'. Trace ID: "
    "11111111-aaaa-bbbb-cccc-222222222222 Correlation ID: 33333333-aaaa-bbbb-cccc-444444444444 Timestamp: now'"
)
AGAIN = f'az login --tenant "its-tenant" --scope "{ACR_AUDIENCE}/.default"'
ISSUER, SUBJECT = "https://token.actions.githubusercontent.com", "repo:contoso/app:ref:refs/heads/main"
JOB = Principal(
    "github-actions", "its-tenant", "its-client", assertions.read_trust_claims(jwt(iss=ISSUER, sub=SUBJECT, aud="a"))
)


@pytest.mark.parametrize("code", sign_in_errors._REFUSALS)
def test_every_known_refusal_is_told_in_our_words_for_people_and_machines(code: str) -> None:
    machine = sign_in_errors.identity_refused(ACR_AUDIENCE, JOB, ANSWER.format(code))
    account = {"tenantId": "its-tenant", "user": {"type": "user", "name": "someone"}}
    person = sign_in_errors.sign_in_refused(ACR_AUDIENCE, account, AuthenticationError(ANSWER.format(code)), AGAIN)
    for error in (machine, person):
        assert f"[AADSTS{code}, correlation id 33333333-aaaa-bbbb-cccc-444444444444]" in error.error_msg
        for text in (error.error_msg, *error.recommendations):
            assert "Words of a server" not in text
            assert "{" not in text
            assert text
        assert error.recommendations
    assert "(unknown)" not in f"{machine.error_msg} {machine.recommendations} {person.recommendations}"


@pytest.mark.parametrize("code", ["50076", "50079", "70043"])
def test_a_person_is_given_the_whole_command(code: str) -> None:
    account = {"tenantId": "its-tenant", "user": {"type": "user", "name": "someone"}}
    error = sign_in_errors.sign_in_refused(ACR_AUDIENCE, account, AuthenticationError(ANSWER.format(code)), AGAIN)
    command = 'az login --tenant "its-tenant" --scope "https://containerregistry.azure.net/.default"'
    assert error.recommendations[0].endswith(f"\n{command}")


@pytest.mark.parametrize(("code", "shown"), [("700211", ISSUER), ("700213", SUBJECT), ("700213", ISSUER)])
def test_what_was_presented_is_no_secret(code: str, shown: str) -> None:
    assert shown in sign_in_errors.identity_refused(ACR_AUDIENCE, JOB, ANSWER.format(code)).error_msg


def test_a_claims_challenge_is_told_before_the_factor_that_it_asks_for() -> None:
    account = {"tenantId": "its-tenant", "user": {"type": "user", "name": "someone"}}
    challenge = AuthenticationError(ANSWER.format(50076), msal_error={"claims": '{"access_token":{}}'})
    error = sign_in_errors.sign_in_refused(ACR_AUDIENCE, account, challenge, AGAIN)
    assert "Conditional Access" in error.error_msg
    assert "az logout\naz login" in error.recommendations[0]


@pytest.mark.parametrize("words", ["", "{braces} {0}", "password123456789012345678", jwt(aud="x")])
def test_an_unknown_refusal_is_repeated_without_what_may_be_secret(words: str) -> None:
    error = sign_in_errors.identity_refused(ACR_AUDIENCE, JOB, f"AADSTS50999: {words} Trace ID: {words}")
    assert "AADSTS50999" in error.error_msg
    assert "eyJ" not in error.error_msg
    assert "password1234" not in error.error_msg


def test_a_claim_is_not_shown_without_end() -> None:
    shown = {"subject": "s\n" * 10_000, "issuer": "i"}
    text = sign_in_errors.identity_refused(ACR_AUDIENCE, Principal("x", "t", "c", shown), "AADSTS700213").error_msg
    assert "\n" not in text
    assert len(text) < 600
