"""`az acr scope login --credential …`: identities that sign in without `az login`, and never hold an ARM token."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az, Result
from tests.factories.secrets import holds_any
from tests.localcloud import LocalCloud, ManagedIdentity, Registry, Request, ServicePrincipal
from tests.localcloud.entra.ci_job_identity import DEVOPS_HOST, GITHUB_HOST

ENTRA = "login.microsoftonline.com"
ARM = "management.azure.com"
ACR_AUDIENCE = "https://containerregistry.azure.net"
NewAz = Callable[..., Az]
JOBS = {"github-actions": GITHUB_HOST, "azure-pipelines": DEVOPS_HOST}


@pytest.fixture
def application(cloud: LocalCloud, registry: Registry) -> ServicePrincipal:
    """An application that may push to this test's registry, and nothing else."""
    principal = cloud.world.add_service_principal(f"job of {registry.name}")
    cloud.world.grant(principal, registry.id, "AcrPush")
    return principal


@pytest.fixture
def identity(cloud: LocalCloud, registry: Registry) -> Iterator[ManagedIdentity]:
    """The system-assigned identity of the machine; gone after the test."""
    principal = cloud.world.add_managed_identity(f"vm of {registry.name}", system_assigned=True)
    cloud.world.grant(principal, registry.id, "AcrPull")
    yield principal
    del cloud.world.principals[principal.object_id]


def environment(cloud: LocalCloud, credential: str, application: ServicePrincipal) -> dict[str, str]:
    """What the system that runs a job sets."""
    who = {"AZURE_CLIENT_ID": application.app_id, "AZURE_TENANT_ID": application.tenant_id}
    if credential == "environment":
        return {**who, "AZURE_CLIENT_SECRET": application.secret}
    if credential == "workload-identity":
        return cloud.workload_identity_env(application)
    if credential == "github-actions":
        return cloud.github_actions_env(application)
    assert credential == "azure-pipelines"
    return cloud.azure_pipelines_env(application)


def login(az: Az, name: str, credential: str, env: dict[str, str], *more: str) -> Result:
    return az("acr", "scope", "login", "-n", name, "--expose-token", "--credential", credential, *more, env=env)


def token_requests(cloud: LocalCloud) -> list[Request]:
    """Every request for a token of Entra's, at Entra or at a metadata service."""
    return [request for request in cloud.requests if request.path.endswith("/token") and "azurecr" not in request.host]


def assert_narrow(cloud: LocalCloud) -> None:
    """One token was asked for, for the registries' audience; ARM was asked nothing."""
    asked = [request.scopes or [request.query["resource"]] for request in token_requests(cloud)]
    assert asked in ([[f"{ACR_AUDIENCE}/.default"]], [[ACR_AUDIENCE]])
    assert cloud.requests_to(ARM) == []


def assert_refused(result: Result, cloud: LocalCloud, *says: str) -> None:
    """An error in our own words, nothing exchanged, ARM not asked."""
    assert result.code == 1, result
    for text in says:
        assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not [request for request in cloud.requests if "oauth2/exchange" in request.path]
    assert cloud.requests_to(ARM) == []


APPLICATIONS = ["environment", "workload-identity", "github-actions", "azure-pipelines"]


@pytest.mark.parametrize("credential", APPLICATIONS)
def test_an_application_signs_in_with_a_new_home(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, credential: str
) -> None:
    env = environment(cloud, credential, application)
    result = login(new_az(), registry.login_server, credential, env)
    assert result.code == 0, result
    assert set(result.json) == {"loginServer", "username", "accessToken", "refreshToken", "expiresOn"}
    assert_narrow(cloud)
    exchange = cloud.requests_to(registry.login_server)[-1]
    assert exchange.form["tenant"] == application.tenant_id
    assert [request.host for request in cloud.requests if request.host in JOBS.values()] == [
        host for name, host in JOBS.items() if name == credential
    ]


def test_a_certificate_signs_in(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, tmp_path: Path
) -> None:
    file = cloud.world.write_certificate(tmp_path / "application.pem", application)
    env = {
        "AZURE_CLIENT_ID": application.app_id,
        "AZURE_TENANT_ID": application.tenant_id,
        "AZURE_CLIENT_CERTIFICATE_PATH": str(file),
    }
    result = login(new_az(), registry.login_server, "environment", env)
    assert result.code == 0, result
    assert_narrow(cloud)


@pytest.mark.parametrize("place", ["machine", "app service"])
def test_a_managed_identity_signs_in_with_a_new_home(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity, place: str
) -> None:
    env = cloud.managed_identity_env if place == "machine" else cloud.app_service_env
    result = login(new_az(), registry.login_server, "managed-identity", env)
    assert result.code == 0, result
    assert_narrow(cloud)
    assert cloud.requests_to(ENTRA) == []
    assert cloud.requests_to(registry.login_server)[-1].form["tenant"] == identity.tenant_id


def test_a_managed_identity_is_not_exchanged_for_a_workload_identity(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity, application: ServicePrincipal
) -> None:
    """The library would go over to it where it finds its variables."""
    env = {**cloud.workload_identity_env(application), **cloud.managed_identity_env}
    assert login(new_az(), registry.login_server, "managed-identity", env).code == 0
    assert cloud.requests_to(ENTRA) == []


def test_one_of_several_managed_identities_is_named_by_its_client_id(
    new_az: NewAz, cloud: LocalCloud, registry: Registry
) -> None:
    world = cloud.world
    both = [world.add_managed_identity(f"{name} of {registry.name}") for name in ("one", "other")]
    world.grant(both[1], registry.id, "AcrPull")
    try:
        az, env = new_az(), cloud.managed_identity_env
        ambiguous = login(az, registry.login_server, "managed-identity", env)
        assert_refused(ambiguous, cloud, "several identities are assigned here", "--client-id")
        wrong = login(az, registry.login_server, "managed-identity", env, "--client-id", "nobody")
        assert_refused(wrong, cloud, "no managed identity with the client ID nobody")
        named = login(az, registry.login_server, "managed-identity", env, "--client-id", both[1].client_id)
        assert named.code == 0, named
    finally:
        for one in both:
            del world.principals[one.object_id]


def test_options_stand_before_variables(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = {**cloud.github_actions_env(application), "AZURE_CLIENT_ID": "somebody-else", "AZURE_TENANT_ID": ""}
    who = ("--client-id", application.app_id, "--tenant", application.tenant_id)
    assert login(new_az(), registry.login_server, "github-actions", env, *who).code == 0
    assert_narrow(cloud)


def test_one_token_of_entra_serves_for_several_registries(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, registry_name: str
) -> None:
    other = cloud.world.add_registry(f"{registry_name}other")
    cloud.world.grant(application, other.id, "AcrPull")
    env = cloud.github_actions_env(application)
    result = login(new_az(), registry.login_server, "github-actions", env, "--name", other.login_server)
    assert result.code == 0, result
    assert [each["loginServer"] for each in result.json] == [registry.login_server, other.login_server]
    assert_narrow(cloud)


def test_a_container_client_gets_the_credential_of_a_job(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = cloud.github_actions_env(application)
    az = new_az()
    result = az("acr", "scope", "login", "-n", registry.login_server, "--credential", "github-actions", env=env)
    assert result.code == 0, result
    assert registry.login_server in (az.home / ".docker/config.json").read_text()


# --- answers that break off ---

# Who signs in, where the answer breaks off and how, and how often it is requested before that is an error.
SOURCES = [
    ("environment", ENTRA, "*/token", "truncate", 4),
    ("environment", ENTRA, "*openid-configuration", "bad_chunk", 4),
    ("workload-identity", ENTRA, "*/token", "bad_chunk", 4),
    ("github-actions", GITHUB_HOST, "*", "truncate", 2),
    ("azure-pipelines", DEVOPS_HOST, "*", "bad_chunk", 2),
    ("managed-identity", "127.0.0.1", "/metadata/*", "bad_chunk", 5),
    ("managed-identity in App Service", "127.0.0.1", "/msi/token", "truncate", 5),
]


@pytest.mark.parametrize(("source", "host", "path", "how", "requests"), SOURCES)
def test_an_answer_that_breaks_off_is_requested_again_but_not_for_ever(
    *,
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    identity: ManagedIdentity,
    source: str,
    host: str,
    path: str,
    how: str,
    requests: int,
) -> None:
    credential, _, place = source.partition(" ")
    if credential == "managed-identity":
        env = cloud.app_service_env if place else cloud.managed_identity_env
    else:
        env = environment(cloud, credential, application)
    broken: dict[str, Any] = {"host": host, "path": path, how: True}
    once = cloud.faults.add(**broken)
    result = login(new_az(), registry.login_server, credential, env)
    assert (result.code, once.used) == (0, 1), result
    cloud.clear_requests()
    always = cloud.faults.add(times=None, **broken)
    assert_refused(login(new_az(name="new"), registry.login_server, credential, env), cloud, "could not be reached")
    assert always.used == requests


# --- what is missing ---


@pytest.mark.parametrize(
    ("credential", "variable", "how"),
    [
        ("environment", "AZURE_TENANT_ID", "--tenant"),
        ("environment", "AZURE_CLIENT_ID", "--client-id"),
        ("environment", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH"),
        ("workload-identity", "AZURE_FEDERATED_TOKEN_FILE", "azure.workload.identity/use"),
        ("workload-identity", "AZURE_CLIENT_ID", "--client-id"),
        ("github-actions", "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token: write"),
        ("github-actions", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "id-token: write"),
        ("github-actions", "AZURE_TENANT_ID", "--tenant"),
        ("azure-pipelines", "SYSTEM_OIDCREQUESTURI", "in every job"),
        ("azure-pipelines", "SYSTEM_ACCESSTOKEN", "$(System.AccessToken)"),
        ("azure-pipelines", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "AzureCLI@2"),
        ("azure-pipelines", "AZURESUBSCRIPTION_CLIENT_ID", "AzureCLI@2"),
        ("azure-pipelines", "AZURESUBSCRIPTION_TENANT_ID", "AzureCLI@2"),
    ],
)
def test_a_missing_variable_is_named_and_nobody_is_asked(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    credential: str,
    variable: str,
    how: str,
) -> None:
    env = {**environment(cloud, credential, application), variable: ""}
    result = login(new_az(), registry.login_server, credential, env)
    assert_refused(
        result, cloud, f"--credential {credential} needs environment variables that are not set here", variable, how
    )
    assert {request.host for request in cloud.requests} <= {registry.login_server}


@pytest.mark.parametrize("content", [None, "", "no token at all", "\xff"])
def test_a_token_file_without_a_token_is_named(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    tmp_path: Path,
    content: str | None,
) -> None:
    file = tmp_path / "projected"
    if content is not None:
        file.write_text(content)
    env = {**cloud.workload_identity_env(application), "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    result = login(new_az(), registry.login_server, "workload-identity", env)
    assert_refused(result, cloud, str(file), "AZURE_FEDERATED_TOKEN_FILE")
    assert token_requests(cloud) == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_without_a_certificate_is_named(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    tmp_path: Path,
    content: str | None,
) -> None:
    file = tmp_path / "application.pem"
    if content is not None:
        file.write_text(content)
    env = {**environment(cloud, "environment", application), "AZURE_CLIENT_SECRET": ""}
    result = login(new_az(), registry.login_server, "environment", {**env, "AZURE_CLIENT_CERTIFICATE_PATH": str(file)})
    assert_refused(result, cloud, str(file), "AZURE_CLIENT_CERTIFICATE_PATH")
    assert token_requests(cloud) == []


def test_an_absent_metadata_service_is_named_and_not_waited_for(
    new_az: NewAz, cloud: LocalCloud, registry: Registry
) -> None:
    env = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9"}
    result = login(new_az(), registry.login_server, "managed-identity", env)
    assert_refused(result, cloud, "http://127.0.0.1:9 (from AZURE_POD_IDENTITY_AUTHORITY_HOST)", "could not be reached")


def test_something_else_at_the_metadata_address_is_no_identity(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity
) -> None:
    cloud.faults.add(host="127.0.0.1", status=200, headers={"Content-Type": "text/html"}, body="<html>portal</html>")
    result = login(new_az(), registry.login_server, "managed-identity", cloud.managed_identity_env)
    assert_refused(result, cloud, "returned no token for the audience", "its answer is not a token")
    assert "portal" not in result.stderr


def test_metadata_never_goes_through_a_proxy(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity
) -> None:
    """Its answer is a token in the clear."""
    spy = cloud.hostile("proxied.example")
    env = {**cloud.env, "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://proxied.example"}
    result = login(new_az(), registry.login_server, "managed-identity", env)
    assert_refused(result, cloud, "http://proxied.example (from AZURE_POD_IDENTITY_AUTHORITY_HOST)")
    assert spy.requests == []


@pytest.mark.parametrize("credential", list(JOBS))
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401},
        {"status": 404, "body": "<html>page not found</html>"},
        {"redirect": "https://evil.example/steal"},
        {"status": 200, "body": "{}"},
        {"status": 200, "body": {"value": 7, "oidcToken": 7}},
        {"status": 200, "body": {"value": "page", "oidcToken": "page"}},
    ],
)
def test_a_job_that_gets_no_token_is_told_so(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    credential: str,
    fault: dict[str, object],
) -> None:
    evil = cloud.hostile("evil.example")
    evil.requests.clear()
    env = environment(cloud, credential, application)
    cloud.faults.add(host=JOBS[credential], times=None, **fault)  # type: ignore[arg-type]
    result = login(new_az(), registry.login_server, credential, env)
    assert_refused(result, cloud, JOBS[credential], "returned no identity token for this job")
    assert "page" not in result.stderr.replace("pages", "")
    assert evil.requests == []
    assert token_requests(cloud) == []
    assert len(cloud.requests_to(JOBS[credential])) == 1


@pytest.mark.parametrize(
    ("credential", "variable"),
    [("github-actions", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"), ("azure-pipelines", "SYSTEM_ACCESSTOKEN")],
)
def test_a_jobs_token_with_a_line_break_is_not_sent_and_not_quoted(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    credential: str,
    variable: str,
) -> None:
    env = {**environment(cloud, credential, application), variable: "S3cr\netX"}
    az = new_az()
    assert_refused(login(az, registry.login_server, credential, env), cloud, "holds characters that no token has")
    result = login(az, registry.login_server, credential, env, "--debug")
    assert "etX" not in result.stdout + result.stderr
    assert cloud.requests_to(JOBS[credential]) == []


@pytest.mark.parametrize(
    "url", ["http://evil.example/x?api-version=2.0", "https://evil.example:8443/", "https://u@evil.example/", "evil"]
)
@pytest.mark.parametrize(
    ("credential", "variable"),
    [("github-actions", "ACTIONS_ID_TOKEN_REQUEST_URL"), ("azure-pipelines", "SYSTEM_OIDCREQUESTURI")],
)
def test_a_jobs_token_goes_to_https_only(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    credential: str,
    variable: str,
    url: str,
) -> None:
    evil = cloud.hostile("evil.example")
    evil.requests.clear()
    env = {**environment(cloud, credential, application), variable: url}
    result = login(new_az(), registry.login_server, credential, env)
    assert_refused(result, cloud, f"{variable} is not an https URL")
    assert evil.requests == []


def test_a_passing_fault_of_the_job_system_is_survived(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = cloud.azure_pipelines_env(application)
    cloud.faults.add(host=DEVOPS_HOST, status=503)
    assert login(new_az(), registry.login_server, "azure-pipelines", env).code == 0


# --- what Entra refuses ---


def test_what_was_presented_is_named_where_there_is_no_trust(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    az, env = new_az(), cloud.github_actions_env(application)
    application.federated.clear()
    result = login(az, registry.login_server, "github-actions", env)
    assert_refused(result, cloud, "AADSTS700211", "issuer presented: https://token.actions.githubusercontent.com")
    application.add_federated_credential("https://token.actions.githubusercontent.com", "repo:contoso/app:other")
    result = login(az, registry.login_server, "github-actions", env)
    assert_refused(result, cloud, "AADSTS700213", "subject presented: repo:contoso/app:ref:refs/heads/main")
    application.federated.clear()
    application.add_federated_credential(
        "https://token.actions.githubusercontent.com", "repo:contoso/app:ref:refs/heads/main", "api://other"
    )
    result = login(az, registry.login_server, "github-actions", env)
    assert_refused(
        result,
        cloud,
        "AADSTS700212",
        "audience presented: api://AzureADTokenExchange",
        f"az ad app federated-credential list --id {application.app_id}",
    )
    assert len(token_requests(cloud)) == 3


def test_an_expired_assertion_is_told_as_such(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = cloud.workload_identity_env(application, lifetime=-60)
    result = login(new_az(), registry.login_server, "workload-identity", env)
    assert_refused(result, cloud, "AADSTS700024", "It has expired", "AZURE_FEDERATED_TOKEN_FILE")
    assert len(token_requests(cloud)) == 1


def test_a_wrong_secret_is_told_and_not_shown(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = {**environment(cloud, "environment", application), "AZURE_CLIENT_SECRET": "an-old-secret"}
    result = login(new_az(), registry.login_server, "environment", env)
    assert_refused(result, cloud, "AADSTS7000215", "az ad app credential list")
    assert "an-old-secret" not in result.stderr
    assert len(token_requests(cloud)) == 1


def test_an_application_that_is_not_there_is_named(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = {**environment(cloud, "environment", application), "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555"}
    result = login(new_az(), registry.login_server, "environment", env)
    assert_refused(result, cloud, "AADSTS700016", "has no application 11111111-2222-3333-4444-555555555555")
    assert len(token_requests(cloud)) == 1


def test_a_tenant_that_is_not_there_is_named(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    tenant = "11111111-2222-3333-4444-555555555555"
    env = {**environment(cloud, "environment", application), "AZURE_TENANT_ID": tenant}
    result = login(new_az(), registry.login_server, "environment", env)
    assert_refused(result, cloud, "AADSTS90002", f"there is no tenant {tenant} in this cloud", "Check the tenant")


@pytest.mark.parametrize("credential", ["environment", "github-actions", "managed-identity"])
@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        (50001, "invalid_resource", "does not know this audience"),
        (500011, "invalid_resource", "does not know this audience"),
        (53003, "access_denied", "Conditional Access"),
    ],
)
def test_a_refusal_has_its_own_next_step_and_is_not_tried_again(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    identity: ManagedIdentity,
    credential: str,
    code: int,
    error: str,
    says: str,
) -> None:
    managed = credential == "managed-identity"
    env = cloud.managed_identity_env if managed else environment(cloud, credential, application)
    who = identity if managed else application
    rule = cloud.world.entra_error(who, ACR_AUDIENCE, code, "Refused, says Entra.", error=error)
    result = login(new_az(), registry.login_server, credential, env)
    cloud.world.entra_errors.remove(rule)
    assert_refused(result, cloud, f"AADSTS{code}", says)
    assert "says Entra" not in result.stderr
    assert len(token_requests(cloud)) == 1


def test_a_claims_challenge_is_told_as_a_policy(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = cloud.github_actions_env(application)
    challenge = '{"access_token":{"capolids":{"essential":true}}}'
    cloud.world.entra_error(application, ACR_AUDIENCE, 50199, error="interaction_required", claims=challenge)
    result = login(new_az(), registry.login_server, "github-actions", env)
    assert_refused(result, cloud, "AADSTS50199", "Conditional Access", application.app_id)


def test_a_token_for_another_audience_is_not_sent(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity
) -> None:
    """As a broker that cannot make the registries' audience might answer."""
    wide = cloud.world.mint(identity, "https://management.core.windows.net/")
    body = {"access_token": wide, "expires_in": "3600", "resource": "https://management.core.windows.net/"}
    cloud.faults.add(host="127.0.0.1", status=200, body=body)
    result = login(new_az(), registry.login_server, "managed-identity", cloud.managed_identity_env)
    assert_refused(result, cloud, "It was not sent to the registry", "--credential managed-identity")


@pytest.mark.parametrize("credential", ["environment", "github-actions"])
def test_an_entra_that_fails_is_tried_a_few_times_only(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, credential: str
) -> None:
    env = environment(cloud, credential, application)
    cloud.faults.add(host=ENTRA, method="POST", status=503, times=None)
    assert_refused(login(new_az(), registry.login_server, credential, env), cloud, "Entra ID")
    assert len(token_requests(cloud)) == 4


# --- where secrets may go ---


@pytest.mark.parametrize("credential", APPLICATIONS)
def test_another_authority_ends_the_sign_in(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, credential: str
) -> None:
    evil = cloud.hostile("login.evil.example")
    evil.requests.clear()
    env = {**environment(cloud, credential, application), "AZURE_AUTHORITY_HOST": "https://login.evil.example/"}
    result = login(new_az(), registry.login_server, credential, env)
    assert_refused(result, cloud, "AZURE_AUTHORITY_HOST names https://login.evil.example/", "az cloud set")
    assert evil.requests == []
    assert token_requests(cloud) == []


@pytest.mark.parametrize("credential", ["environment", "github-actions"])
def test_entra_is_not_followed_elsewhere(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, credential: str
) -> None:
    evil = cloud.hostile("evil.example")
    evil.requests.clear()
    env = environment(cloud, credential, application)
    cloud.faults.add(host=ENTRA, method="POST", redirect="https://evil.example/steal", times=None)
    assert_refused(login(new_az(), registry.login_server, credential, env), cloud, "Entra ID")
    assert evil.requests == []


@pytest.mark.parametrize("form", ["name", "id"])
def test_only_a_login_server_names_a_registry_and_arm_is_never_asked(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal, form: str
) -> None:
    env = environment(cloud, "environment", application)
    result = login(new_az(), getattr(registry, form), "environment", env)
    assert_refused(
        result, cloud, "the command never calls it", f"az acr show --name {registry.name} --query loginServer"
    )
    assert cloud.requests == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--client-id", "x"], "--client-id cannot be used with --credential cli"),
        (["--tenant", "x", "--subscription", "y"], "--tenant cannot be combined with --subscription"),
        (["--credential", "managed-identity", "--tenant", "x"], "--tenant cannot be used with"),
        (["--credential", "environment", "--subscription", "y"], "--subscription cannot be used with"),
    ],
)
def test_what_means_nothing_is_refused(az: Az, cloud: LocalCloud, arguments: list[str], says: str) -> None:
    result = az("acr", "scope", "login", "-n", "contoso.azurecr.io", "--expose-token", *arguments)
    assert_refused(result, cloud, says)
    assert cloud.requests == []


def test_no_identity_leaks_a_secret(
    new_az: NewAz,
    cloud: LocalCloud,
    registry: Registry,
    application: ServicePrincipal,
    identity: ManagedIdentity,
    tmp_path: Path,
) -> None:
    """With --debug and a log file, signed in and refused, by servers that send back what they were sent."""
    az = new_az()
    az("config", "set", "logging.enable_log_file=yes", f"logging.log_dir={az.home / 'logs'}")
    certificate = cloud.world.write_certificate(tmp_path / "application.pem", application)
    environments = {name: [environment(cloud, name, application)] for name in APPLICATIONS}
    by_certificate = {**environments["environment"][0], "AZURE_CLIENT_SECRET": ""}
    environments["environment"].append({**by_certificate, "AZURE_CLIENT_CERTIFICATE_PATH": str(certificate)})
    environments["managed-identity"] = [cloud.managed_identity_env, cloud.app_service_env]
    shown = []
    for credential, each in environments.items():
        for env in each:
            result = login(az, registry.login_server, credential, env, "--debug", "--output", "none")
            assert result.code == 0, result
            shown.append(result)
    # Echoes of whatever was sent last, in every place that might be shown.
    tokens = [secret for secret in cloud.secrets if secret.startswith("eyJ")][-5:] + [application.secret]
    text = f"AADSTS50999: {' '.join(tokens)} Trace ID: {tokens[0]}"
    body = json.dumps({"error": tokens[0], "error_description": text, "error_codes": [50999], "message": tokens[0]})
    for host in (ENTRA, "127.0.0.1", *JOBS.values()):
        headers = {"Content-Type": "application/json", "X-Ms-Request-Id": tokens[0]}
        cloud.faults.add(host=host, status=400, body=body, headers=headers, times=None)
    for credential, each in environments.items():
        for env in each:
            result = login(az, registry.login_server, credential, env, "--debug")
            assert result.code == 1
            shown.append(result)
    secrets = {secret.encode() for secret in cloud.secrets if len(secret) >= 8}
    leaks = [result.command for result in shown if holds_any((result.stdout + result.stderr).encode(), secrets)]
    assert leaks == []
    files = [file for file in az.home.rglob("*") if file.is_file() and holds_any(file.read_bytes(), secrets)]
    assert files == [], "an identity leaves nothing behind"
    assert (az.home / "logs").exists()


# --- the account of the CLI ---


@pytest.fixture
def guest(new_az: NewAz, cloud: LocalCloud, registry: Registry) -> tuple[Az, str]:
    """A person who is signed in at home, without any subscription, and a guest elsewhere: that tenant's id."""
    world = cloud.world
    elsewhere = world.add_tenant(f"Elsewhere of {registry.name}")
    user = world.add_user(f"someone-{registry.name}@contoso.example", "pass-word-1")
    user.tenant_ids.append(elsewhere.id)
    world.grant(user, registry.id, "AcrPull")
    az = new_az()
    az.ok("login", "--username", user.upn, "--password", "pass-word-1", "--allow-no-subscriptions")
    profile = json.loads((az.config / "azureProfile.json").read_text(encoding="utf-8-sig"))
    home = next(each for each in profile["subscriptions"] if each["tenantId"] == world.tenant_id)
    az.ok("account", "set", "--subscription", home["id"])
    cloud.clear_requests()
    return az, elsewhere.id


def test_an_account_without_subscriptions_signs_in(
    guest: tuple[Az, str], cloud: LocalCloud, registry: Registry
) -> None:
    result = login(guest[0], registry.login_server, "cli", {})
    assert result.code == 0, result
    assert cloud.requests_to(registry.login_server)[-1].form["tenant"] == cloud.world.tenant_id
    assert cloud.requests_to(ARM) == []


@pytest.mark.parametrize("named_by", ["id", "domain"])
def test_a_guest_signs_in_with_the_token_of_the_tenant_named(
    guest: tuple[Az, str], cloud: LocalCloud, registry: Registry, named_by: str
) -> None:
    az, elsewhere = guest
    tenant = cloud.world.tenant(elsewhere)
    assert tenant is not None
    theirs = cloud.world.add_subscription(f"Theirs of {registry.name}", elsewhere)
    there = cloud.world.add_registry(f"{registry.name}there", subscription=theirs)
    user = cloud.world.user(f"someone-{registry.name}@contoso.example")
    assert user is not None
    cloud.world.grant(user, there.id, "AcrPull")
    assert login(az, there.login_server, "cli", {}).code == 1, "the token of the home tenant must not do"
    named = tenant.id if named_by == "id" else tenant.domain
    result = login(az, there.login_server, "cli", {}, "--tenant", named)
    assert result.code == 0, result
    assert cloud.requests_to(there.login_server)[-1].form["tenant"] == elsewhere
    assert cloud.requests_to(ARM) == []


def test_a_tenant_that_knows_nothing_of_the_person_is_told(
    guest: tuple[Az, str], cloud: LocalCloud, registry: Registry
) -> None:
    stranger = cloud.world.add_tenant(f"Strangers of {registry.name}")
    result = login(guest[0], registry.login_server, "cli", {}, "--tenant", stranger.id)
    assert_refused(result, cloud, "AADSTS50020", f'az login --tenant "{stranger.id}" --scope "{ACR_AUDIENCE}/.default"')


@pytest.mark.parametrize("tenant", ["11111111-2222-3333-4444-555555555555", "misspelled.example"])
def test_a_tenant_that_is_not_there_is_told_to_a_person(
    guest: tuple[Az, str], cloud: LocalCloud, registry: Registry, tenant: str
) -> None:
    result = login(guest[0], registry.login_server, "cli", {}, "--tenant", tenant)
    assert_refused(result, cloud, "AADSTS90002", f"there is no tenant {tenant} in this cloud", "Check --tenant")


@pytest.mark.parametrize(
    ("code", "claims", "says"),
    [
        (50076, None, "another factor"),
        (50079, None, "another factor"),
        (50076, '{"access_token":{"capolids":{"essential":true}}}', "Conditional Access"),
        (70043, None, "older than a policy"),
        (500011, None, "az ad sp create --id 76c92352-c057-4cc2-9b1e-f34c32bc58bd"),
    ],
)
def test_a_person_is_told_how_to_sign_in_to_the_tenant_named(
    guest: tuple[Az, str], cloud: LocalCloud, registry: Registry, code: int, claims: str | None, says: str
) -> None:
    az, elsewhere = guest
    user = cloud.world.user(f"someone-{registry.name}@contoso.example")
    assert user is not None
    cloud.world.entra_error(user, ACR_AUDIENCE, code, "Refused, says Entra.", "interaction_required", claims=claims)
    result = login(az, registry.login_server, "cli", {}, "--tenant", elsewhere)
    assert_refused(result, cloud, f"AADSTS{code}", says)
    if code != 500011:
        assert f'az login --tenant "{elsewhere}" --scope "{ACR_AUDIENCE}/.default"' in result.stderr
    assert "says Entra" not in result.stderr


def test_a_managed_identity_of_the_cli_has_one_tenant(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, identity: ManagedIdentity
) -> None:
    az = new_az()
    env = cloud.managed_identity_env
    signed_in = az("login", "--identity", "--allow-no-subscriptions", env=env)
    assert signed_in.code == 0, signed_in
    cloud.clear_requests()
    assert login(az, registry.login_server, "cli", env, "--tenant", identity.tenant_id).code == 0
    cloud.clear_requests()
    elsewhere = cloud.world.add_tenant(f"Elsewhere of {registry.name}")
    result = login(az, registry.login_server, "cli", env, "--tenant", elsewhere.id)
    assert_refused(result, cloud, f"cannot sign in to tenant {elsewhere.id}", "az login")


def test_a_foreign_answer_of_entra_is_an_error_of_entra(
    new_az: NewAz, cloud: LocalCloud, registry: Registry, application: ServicePrincipal
) -> None:
    env = cloud.github_actions_env(application)
    cloud.faults.add(host=ENTRA, status=200, headers={"Content-Type": "text/html"}, body="<html>portal</html>")
    result = login(new_az(), registry.login_server, "github-actions", env)
    assert_refused(result, cloud, "Entra ID, or a proxy in its place")
    assert "portal" not in result.stderr
