"""The CLI's own sign-in: how it was made, which of its files is broken, and what is said of a failure."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.auth.identity import Identity
from azure.cli.core.azclierror import AuthenticationError, AzCLIError, AzureConnectionError, FileOperationError
from requests.exceptions import ChunkedEncodingError, SSLError

from azext_acrscope.base.tokens import ACR_AUDIENCE
from azext_acrscope.hops import cli_sign_in, entra, identities, identity_errors, managed_identity_errors, sign_in_errors

PERSON = {"id": "sub-1", "tenantId": "tenant-1", "user": {"type": "user", "name": "someone@contoso.example"}}
PRINCIPAL = {"id": "sub-1", "tenantId": "tenant-1", "user": {"type": "servicePrincipal", "name": "app-1"}}
MACHINE = {
    "id": "sub-1",
    "tenantId": "tenant-1",
    "user": {"type": "servicePrincipal", "name": "systemAssignedIdentity", "assignedIdentityInfo": "MSI"},
}


class _Store:
    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def load_entry(self, client: str, tenant: str) -> dict[str, Any]:
        assert (client, tenant) == ("app-1", "tenant-1")
        return {"client_id": client, "tenant": tenant, **self.entry}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Sets what the CLI keeps of a service principal."""
    return lambda entry: monkeypatch.setattr(Identity, "_service_principal_store_instance", _Store(entry))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The CLI's folder, without any file."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(Identity, "_service_principal_store_instance", None)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def failing(error: BaseException, account: dict[str, Any]) -> AzCLIError:
    def request() -> None:
        raise error

    with pytest.raises(AzCLIError) as caught:
        entra.call_entra(request, ACR_AUDIENCE, account)
    return caught.value


def refusal(error: str, description: str | None, **more: Any) -> AuthenticationError:
    """What the CLI raises for an answer of Entra's, or of an endpoint's."""
    answer = {"error": error, "error_description": description, **more}
    return AuthenticationError(description, msal_error=answer)


def said(error: AzCLIError) -> str:
    return "\n".join([error.error_msg, *error.recommendations])


# --- how it signs in again ---


@pytest.mark.parametrize(
    ("entry", "option"),
    [
        ({"client_secret": "hidden"}, "--password SECRET"),
        ({"certificate": "/home/me/my app.pem"}, '--certificate "/home/me/my app.pem"'),
        ({"certificate": "/a.pem", "use_cert_sn_issuer": True}, '--certificate "/a.pem" --use-cert-sn-issuer'),
        ({"client_assertion": "hidden"}, "--federated-token TOKEN"),
    ],
)
def test_a_service_principal_signs_in_the_way_it_did(
    entry: dict[str, Any], option: str, stored: Callable[[dict[str, Any]], None]
) -> None:
    stored(entry)
    command = cli_sign_in.sign_in_command(PRINCIPAL, ACR_AUDIENCE)
    assert command == f'az login --service-principal --username "app-1" --tenant "tenant-1" {option}'


def test_all_ways_are_named_where_the_clis_file_cannot_be_read(config: Path) -> None:
    command = cli_sign_in.sign_in_command(PRINCIPAL, ACR_AUDIENCE)
    for option in ("--password", "--certificate", "--federated-token"):
        assert option in command


@pytest.mark.parametrize(
    ("info", "command"),
    [
        ("MSI", "az login --identity"),
        ("MSIClient-11111111-a", 'az login --identity --client-id "11111111-a"'),
        ("MSIObject-22222222-b", 'az login --identity --object-id "22222222-b"'),
        ("MSIResource-/subscriptions/s-1/x", 'az login --identity --resource-id "/subscriptions/s-1/x"'),
        (None, "az login --identity"),
    ],
)
def test_a_managed_identity_signs_in_as_the_same_one(info: str | None, command: str) -> None:
    name = "systemAssignedIdentity" if info == "MSI" else "userAssignedIdentity"
    account = {**MACHINE, "user": {"type": "servicePrincipal", "name": name, "assignedIdentityInfo": info}}
    assert cli_sign_in.sign_in_command(account, ACR_AUDIENCE) == command


@pytest.mark.parametrize("account", [PERSON, PRINCIPAL, MACHINE])
def test_an_account_without_subscriptions_signs_in_without_any(account: dict[str, Any], config: Path) -> None:
    alone = {**account, "id": account["tenantId"]}
    assert cli_sign_in.sign_in_command(alone, ACR_AUDIENCE).endswith(" --allow-no-subscriptions")


# --- what MSAL remembers ---


def test_a_refusal_that_is_answered_from_memory_for_a_minute_says_so(
    stored: Callable[[dict[str, Any]], None], config: Path
) -> None:
    stored({"client_secret": "hidden"})
    remembered = refusal("unauthorized_client", "AADSTS700016: no such application")
    assert "repeat the command in a minute" in said(failing(remembered, PRINCIPAL))
    # A person's new sign-in makes another request; an administrator's step does not.
    assert "in a minute" not in said(failing(refusal("invalid_grant", "AADSTS50173: revoked"), PERSON))
    assert "repeat the command in a minute" in said(failing(refusal("x", "AADSTS500011: no such resource"), PERSON))


def test_what_is_not_remembered_is_not_waited_for(stored: Callable[[dict[str, Any]], None], config: Path) -> None:
    stored({"client_secret": "hidden"})
    assert "in a minute" not in said(failing(refusal("invalid_client", "AADSTS7000215: wrong"), PRINCIPAL))
    stored({"certificate": "/a.pem"})
    assert "in a minute" not in said(failing(refusal("invalid_grant", "AADSTS50173: revoked"), PRINCIPAL))


# --- its files ---


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("msal_token_cache.json", '{"AccessToken": {'),
        ("msal_token_cache.json", "[]"),
        ("msal_token_cache.json", '{"AccessToken": []}'),
        ("msal_token_cache.json", '{"AccessToken": {"key": 5}}'),
        ("msal_token_cache.json", "\x00\x00"),
        ("service_principal_entries.json", ""),
        ("service_principal_entries.json", '[{"client_id"'),
        ("service_principal_entries.json", "{}"),
        ("service_principal_entries.json", "[{}]"),
    ],
)
def test_a_file_that_was_cut_short_is_named_and_entra_is_not_blamed(config: Path, name: str, content: str) -> None:
    (config / name).write_text(content)
    error = failing(json.JSONDecodeError("Expecting value", "", 0), PRINCIPAL)
    assert isinstance(error, FileOperationError)
    assert str(config / name) in error.error_msg
    assert "No token was requested" in error.error_msg
    assert error.recommendations[0].splitlines()[1:3] == [f'rm "{config / name}"', "az account clear"]
    assert "HTTPS_PROXY" not in said(error)


def test_an_answer_that_makes_no_sense_is_entras_while_the_files_are_sound(config: Path) -> None:
    (config / "msal_token_cache.json").write_text('{"AccessToken": {"key": {"secret": "x"}}}')
    (config / "service_principal_entries.json").write_text('[{"client_id": "app-1", "tenant": "tenant-1"}]')
    assert "Entra ID, or a proxy" in failing(json.JSONDecodeError("Expecting value", "", 0), PERSON).error_msg
    (config / "msal_token_cache.json").write_text("")  # to MSAL as good as none
    assert "Entra ID, or a proxy" in failing(json.JSONDecodeError("Expecting value", "", 0), PERSON).error_msg


def test_a_file_of_another_user_is_given_back() -> None:
    file = "/home/me/.azure/msal_token_cache.json"
    error = failing(PermissionError(13, "Permission denied", file), PERSON)
    assert f"{file}, which its sign-in needs: Permission denied" in error.error_msg
    assert error.recommendations[0].endswith(f'\nsudo chown "$USER" "{file}"')


def test_a_certificate_that_is_gone_is_named(stored: Callable[[dict[str, Any]], None]) -> None:
    stored({"certificate": "/home/me/app.pem"})
    error = failing(FileNotFoundError(2, "No such file or directory", "/home/me/app.pem"), PRINCIPAL)
    assert "/home/me/app.pem" in error.error_msg
    assert '--certificate "/home/me/app.pem"' in error.recommendations[0]


@pytest.mark.parametrize(("home", "advice"), [("/root", "\nsudo az login"), ("/home/me", "az login")])
def test_with_sudo_the_reader_learns_whose_sign_in_is_used(
    home: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "me")
    monkeypatch.setenv("HOME", home)
    error = sign_in_errors.not_signed_in(AzCLIError("Please run 'az login'"))
    assert error.recommendations[0].endswith(advice)
    assert ("without sudo" in said(error)) == (home == "/root")


# --- the connection ---


def test_an_answer_that_breaks_off_is_requested_once_more(config: Path) -> None:
    answers = [ChunkedEncodingError("IncompleteRead"), "token"]

    def request() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert entra.call_entra(request, ACR_AUDIENCE, PERSON) == "token"
    assert isinstance(failing(ChunkedEncodingError("IncompleteRead"), PERSON), AzureConnectionError)


@pytest.mark.parametrize(
    "rule",
    [
        "Missing Authority Key Identifier",
        "Missing Subject Key Identifier",
        "Basic Constraints of CA cert not marked critical",
        "CA cert does not include key usage extension",
    ],
)
def test_a_certificate_that_newer_pythons_reject_is_no_matter_of_the_bundle(rule: str, config: Path) -> None:
    """azure-cli#32108, #33716: the authority is in the bundle, and that does not help."""
    cause = SSLError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {rule} (_ssl.c:1032)")
    error = failing(cause, PERSON)
    assert f"Python 3.13 and newer reject such a certificate ({rule})" in error.recommendations[0]
    assert "administrators" in error.recommendations[0]


# --- managed identities ---

UNSUPPORTED = {
    "code": "AudienceNotSupported",
    "message": f"Audience {ACR_AUDIENCE} is not a supported MSI token audience.",
}


def test_a_machine_without_tokens_for_registries_leaves_a_deliberate_way(config: Path) -> None:
    """azure-cli#33698, CloudShell#484."""
    error = failing(AuthenticationError(None, msal_error={"error": UNSUPPORTED}), MACHINE)
    assert "this machine issues no tokens for that audience [AudienceNotSupported]" in error.error_msg
    assert "az login --identity" in error.recommendations[0]
    assert "--password" not in said(error)
    assert "While the registry's status is `enabled`, `az config set acr.audience_resource=" in said(error)


def test_the_way_by_arms_audience_is_not_told_where_that_one_was_refused(config: Path) -> None:
    answer = {"error": "invalid_request", "error_description": "x"}
    with pytest.raises(AuthenticationError) as caught:
        entra.call_entra(raising(AuthenticationError("x", msal_error=answer)), "https://management.azure.com", MACHINE)
    assert "acr.audience_resource" not in said(caught.value)
    assert "[invalid_request]" in caught.value.error_msg


def raising(error: BaseException) -> Callable[[], None]:
    def request() -> None:
        raise error

    return request


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (f"Token request error: ({UNSUPPORTED}) ", "[AudienceNotSupported]"),
        (f"(AudienceNotSupported) {UNSUPPORTED['message']}", "[AudienceNotSupported]"),
        ("Token request error: (invalid_request) Bad", "it refused [invalid_request]"),
        ("JSONDecodeError", "its answer is not a token"),
        ("(s3cret1234) answer", "its answer is not a token"),
    ],
)
def test_the_endpoints_code_is_told_and_nothing_else_of_its_answer(answer: str, says: str) -> None:
    error = managed_identity_errors.no_managed_identity(ACR_AUDIENCE, answer)
    assert says in error.error_msg
    assert "Bad" not in said(error)
    assert "s3cret" not in said(error)
    assert "az login --identity" not in said(error)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("account", [True, False])
def test_azure_arcs_key_file_is_named_with_the_group_that_reads_it(wrapped: bool, account: bool, config: Path) -> None:
    file = "/var/opt/azcmagent/tokens/3f2504e0-4f89-41d3-9a0c-0305e82c3301.key"
    cause = PermissionError(13, "Permission denied", file)
    error = RuntimeError("no response from the IMDS endpoint")
    error.__cause__ = cause
    raised: Exception = error if wrapped else cause
    if account:
        found = failing(raised, MACHINE)
    else:
        found = identities._no_managed_identity(raised, str(raised), ACR_AUDIENCE, None)
    assert isinstance(found, FileOperationError)
    assert f"{file} who asks for a token, and it cannot be read: Permission denied" in found.error_msg
    assert "himds" in found.recommendations[0]


# --- the extension's one dependency ---


@pytest.mark.parametrize(("module", "package"), [("azure.identity", "azure-identity"), ("msal", "msal")])
def test_a_missing_library_is_named_with_the_way_to_get_it(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *more: Any, **options: Any) -> Any:
        if name == "azure.identity":
            raise ModuleNotFoundError(f"No module named '{module}'", name=module)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(AzCLIError) as caught:
        identities._library("github-actions")
    assert f"--credential github-actions needs the Python package {package}" in caught.value.error_msg
    assert "az extension add --source" in said(caught.value)
    assert identity_errors.library_missing("x", package).error_msg != ""
