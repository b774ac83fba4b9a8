"""Host rules: what may be sent a token, and what never is."""

import pytest
from azure.cli.core.azclierror import InvalidArgumentValueError
from azure.cli.core.cloud import CloudSuffixNotSetException

from azext_acrscope.base import hosts
from azext_acrscope.base.hosts import RegistryRef

IO = ".azurecr.io"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PROVIDER = "providers/Microsoft.ContainerRegistry/registries"
ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps/{PROVIDER}/contoso"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("contoso", RegistryRef("contoso")),
        ("Contoso", RegistryRef("Contoso")),
        ("  contoso ", RegistryRef("contoso")),
        ("contoso.azurecr.io", RegistryRef("contoso", "contoso.azurecr.io")),
        ("Contoso.AzureCR.io", RegistryRef("contoso", "contoso.azurecr.io")),
        ("contoso-e7gg9xb2.azurecr.io", RegistryRef("contoso", "contoso-e7gg9xb2.azurecr.io")),
        ("contoso-my-tenant.azurecr.io", RegistryRef("contoso", "contoso-my-tenant.azurecr.io")),
        ("contoso.westeurope.geo.azurecr.io", RegistryRef("contoso", "contoso.westeurope.geo.azurecr.io")),
        ("contoso-e7gg.eastus2.geo.azurecr.io", RegistryRef("contoso", "contoso-e7gg.eastus2.geo.azurecr.io")),
        (ID, RegistryRef("contoso", None, "rg-apps", SUBSCRIPTION)),
        (ID.upper(), RegistryRef("CONTOSO", None, "RG-APPS", SUBSCRIPTION)),
    ],
)
def test_a_registry_is_understood_as_name_login_server_or_id(text: str, ref: RegistryRef) -> None:
    assert hosts.parse_registry(text, IO) == ref


def test_a_login_server_keeps_its_hash() -> None:
    assert hosts.check_login_server("contoso-e7gg9xb2.azurecr.io", IO) == "contoso-e7gg9xb2.azurecr.io"


@pytest.mark.parametrize(
    "text",
    [
        "x-azurecr.io",
        "contosoazurecr.io",
        "contoso.x-azurecr.io",
        "contoso.azurecr.io.evil.example",
        "evil.example",
        "contoso.evil.azurecr.io",
        "contoso.azurecr.io.",
        ".azurecr.io",
        "azurecr.io",
        "-contoso.azurecr.io",
        "contoso-.azurecr.io",
        "contoso..azurecr.io",
        "contoso.azurecr.cn",
        "contoso.geo.azurecr.io",
        "contoso.west-europe.geo.azurecr.io",
        "a.azurecr.io",
        f"{'a' * 50}-{'b' * 13}.azurecr.io",
        "management.azure.com",
        "localhost",
        "127.0.0.1",
    ],
)
def test_a_host_that_is_no_login_server_of_the_cloud_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        hosts.check_login_server(text, IO)


@pytest.mark.parametrize(
    "text",
    [
        "https://contoso.azurecr.io",
        "http://contoso.azurecr.io",
        "contoso.azurecr.io/",
        "contoso.azurecr.io:443",
        "contoso.azurecr.io:8443",
        "contoso.azurecr.io@evil.example",
        "user@contoso.azurecr.io",
        "evil.example/contoso.azurecr.io",
        "evil.example#contoso.azurecr.io",
        "evil.example?contoso.azurecr.io",
        "contoso.azurecr.io\\@evil.example",
        "contoso.azurecr.io\nevil.example",
        "contoso.azurecr.io evil",
        "contosö.azurecr.io",
        "contoso。azurecr.io",
        "\N{KELVIN SIGN}ontoso.azurecr.io",
        "ſcontoso.azurecr.io",
        "%63ontoso.azurecr.io",
        "[::1]",
    ],
)
def test_scheme_port_path_user_info_and_odd_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="bare login server"):
        hosts.check_login_server(text, IO)


@pytest.mark.parametrize("text", ["contoso.westeurope.data.azurecr.io", "Contoso.westeurope.DATA.azurecr.io"])
def test_a_data_endpoint_is_refused_as_such(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError, match="data endpoint"):
        hosts.check_login_server(text, IO)


@pytest.mark.parametrize(
    "text", ["cont", "contoso-hash", "a" * 51, "", "con_toso", "contoso!", "/subscriptions/x", ID + "/x"]
)
def test_a_text_that_names_no_registry_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentValueError):
        hosts.parse_registry(text, IO)


@pytest.mark.parametrize(
    ("suffix", "good", "bad"),
    [
        (".azurecr.cn", "contoso.azurecr.cn", "contoso.azurecr.io"),
        (".azurecr.us", "contoso.azurecr.us", "contoso.azurecr.us.com"),
        (".azurecr.sovcloud-azure.fr", "contoso.azurecr.sovcloud-azure.fr", "contoso.azurecr.fr"),
    ],
)
def test_each_cloud_has_its_own_suffix(suffix: str, good: str, bad: str) -> None:
    assert hosts.check_login_server(good, suffix) == good
    with pytest.raises(InvalidArgumentValueError):
        hosts.check_login_server(bad, suffix)


def test_without_a_suffix_no_login_server_can_be_checked() -> None:
    with pytest.raises(InvalidArgumentValueError, match="defines no login server suffix"):
        hosts.check_login_server("contoso.azurecr.io", "")


class _Suffixes:
    def __init__(self, value: str | None) -> None:
        self.value = value

    @property
    def acr_login_server_endpoint(self) -> str:
        if self.value is None:
            raise CloudSuffixNotSetException
        return self.value


class _Cloud:
    def __init__(self, value: str | None) -> None:
        self.suffixes = _Suffixes(value)


@pytest.mark.parametrize(
    ("value", "suffix"), [(".azurecr.io", IO), ("azurecr.io", IO), (".AzureCR.io", IO), (None, ""), ("", "")]
)
def test_the_suffix_of_a_cloud_always_begins_with_a_dot(value: str | None, suffix: str) -> None:
    assert hosts.login_server_suffix(_Cloud(value)) == suffix


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/oauth2/token",
        "http://contoso.azurecr.io/oauth2/token",
        "https://contoso.azurecr.io:8443/oauth2/token",
        "https://contoso.azurecr.io@evil.example/oauth2/token",
        "https://user@contoso.azurecr.io/oauth2/token",
        "https://contoso.azurecr.io.evil.example/oauth2/token",
        "https://fabrikam.azurecr.io/oauth2/token",
        "https://contoso.azurecr.io/other",
        "https://contoso.azurecr.io/oauth2/token?x=1",
        "//contoso.azurecr.io/oauth2/token",
        "",
    ],
)
def test_a_realm_that_is_not_the_login_servers_own_is_foreign(realm: str) -> None:
    assert not hosts.is_own_realm(realm, "contoso.azurecr.io")


def test_the_login_servers_own_realm_is_recognised() -> None:
    assert hosts.is_own_realm("https://contoso.azurecr.io/oauth2/token", "contoso.azurecr.io")


def test_a_regional_login_server_may_name_the_global_service() -> None:
    regional = "contoso-e7gg.westeurope.geo.azurecr.io"
    assert hosts.is_own_service(regional, regional, IO)
    assert hosts.is_own_service("contoso-e7gg.azurecr.io", regional, IO)
    assert not hosts.is_own_service("contoso.azurecr.io", regional, IO)
    assert not hosts.is_own_service("fabrikam.azurecr.io", "contoso.azurecr.io", IO)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Contoso.azurecr.io", "contoso.azurecr.io"),
        ("contoso.azurecr.io/app:1", "contoso.azurecr.io"),
        ("https://contoso.azurecr.io:443/v2/", "contoso.azurecr.io"),
        ("HTTP://contoso.azurecr.io", "contoso.azurecr.io"),
        ("oci://contoso.azurecr.io/charts", "contoso.azurecr.io"),
        ("contoso.azurecr.io:5000/app", "contoso.azurecr.io:5000"),
        ("https://contoso.azurecr.io@evil.example/app", "contoso.azurecr.io@evil.example"),
        ("", ""),
    ],
)
def test_the_host_of_a_reference_is_what_stands_before_the_first_slash(text: str, host: str) -> None:
    assert hosts.host_of_reference(text) == host
