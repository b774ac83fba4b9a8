"""What was typed for a sign-in: taken, or refused before anything is asked."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from types import SimpleNamespace
from typing import Any

import pytest
from azure.cli.core.azclierror import AzCLIError
from knack.arguments import CaseInsensitiveList
from knack.validators import DefaultStr

from azext_acrscope import _validators
from azext_acrscope._params.shared import CollectValues
from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.credentials.kubernetes_secret import SecretName

CMD = SimpleNamespace(
    cli_ctx=SimpleNamespace(cloud=SimpleNamespace(suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io")))
)


def login(**options: Any) -> Namespace:
    unset = dict.fromkeys(
        ("client_name", "auth_file", "min_ttl", "token_format", "permission", "repository", "endpoint")
    )
    return Namespace(**{"registry_name": ["contoso"], "expose_token": False, **unset, **options})


@pytest.mark.parametrize(
    ("text", "seconds"), [("45m", 2700), ("1h30m", 5400), ("3h", 10800), ("90s", 90), ("1h0m1s", 3601), ("180m", 10800)]
)
def test_a_time_becomes_seconds(text: str, seconds: int) -> None:
    namespace = Namespace(min_ttl=text)
    _validators.validate_min_ttl(namespace)
    assert namespace.min_ttl == seconds


@pytest.mark.parametrize("text", ["", "45", "0m", "3h1s", "-1m", "m", "1.5h", "1m1h", "1 h", "٣m", "99999h", "nan"])
def test_what_is_no_time_a_token_can_live_is_refused(text: str) -> None:
    with pytest.raises(AzCLIError, match="up to three hours"):
        _validators.validate_min_ttl(Namespace(min_ttl=text))


@pytest.mark.parametrize("name", ["app", "team/app", "a.b/c_d/e__f/g-h/i---j", "0", "a" * 255])
def test_the_name_of_a_repository_is_taken(name: str) -> None:
    _validators.validate_repositories(Namespace(repository=[name]))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "App",
        "app:v1",
        "team/*",
        "*",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "a..b",
        "a b",
        "a,b",
        "a___b",
        "ä",
        "a\n",
        "a" * 256,
    ],
)
def test_what_would_change_the_scope_is_refused(name: str) -> None:
    with pytest.raises(AzCLIError, match="not the name of a repository"):
        _validators.validate_repositories(Namespace(repository=["good", name]))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"client_name": "docker", "auth_file": "x"}, "--client cannot be combined with --auth-file"),
        ({"auth_file": ""}, "--auth-file is empty"),
        ({"auth_file": " "}, "--auth-file is empty"),
        ({"expose_token": True, "client_name": "docker"}, "--expose-token cannot be combined with --client"),
        ({"expose_token": True, "auth_file": "x"}, "--expose-token cannot be combined with --auth-file"),
        ({"expose_token": True, "min_ttl": "45m"}, "--expose-token cannot be combined with --min-ttl"),
        ({"token_format": "env"}, "--token-format requires --expose-token"),
        ({"permission": ["pull"]}, "--permission requires --repository"),
        ({"registry_name": []}, "No registry was named"),
        ({"registry_name": ["evil.example"]}, "not a login server"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(AzCLIError, match=says):
        _validators.validate_login(CMD, login(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"registry_name": ["contoso", "fabrikam"]},
        {"endpoint": ["westeurope", "northeurope"]},
        {"endpoint": ["ALL"]},
    ],
)
def test_variables_are_for_one_login_server(options: dict[str, Any]) -> None:
    for flat in ("env", "external"):
        with pytest.raises(AzCLIError, match=f"{flat} cannot be combined with several login servers"):
            _validators.validate_login(CMD, login(expose_token=True, token_format=flat, **options))
    _validators.validate_login(CMD, login(expose_token=True, token_format="dockerconfigjson", **options))


def secret(name: str | None, namespace: str | None, form: str = "kubernetes") -> Any:
    found = Namespace(secret_name=name, namespace=namespace, token_format=form)
    _validators.validate_secret(found)
    return found.secret_name


LABEL = "a" * 63


@pytest.mark.parametrize("name", ["a", "acr-pull", "0.registry.contoso", f"{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}"])
@pytest.mark.parametrize("namespace", [None, "team-1", LABEL])
def test_names_that_kubernetes_takes_are_taken(name: str, namespace: str | None) -> None:
    assert secret(name, namespace) == SecretName(name, namespace)
    assert secret(None, namespace) == SecretName("acr-pull", namespace)
    assert secret(None, None, "env") is None


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", ".a", "a.", "A", "a_b", "a/b", "a b", "a\n", "ä", "a" * 254])
def test_names_that_kubernetes_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(AzCLIError, match="cannot be the name of a Kubernetes secret"):
        secret(name, None)
    with pytest.raises(AzCLIError, match="cannot be a Kubernetes namespace"):
        secret(None, name)


@pytest.mark.parametrize("namespace", ["a.b", "a" * 64])
def test_a_namespace_is_a_single_label(namespace: str) -> None:
    with pytest.raises(AzCLIError, match="cannot be a Kubernetes namespace"):
        secret(None, namespace)


@pytest.mark.parametrize(("name", "namespace"), [("acr-pull", None), (None, "team"), ("", None)])
def test_only_a_whole_secret_has_a_name(name: str | None, namespace: str | None) -> None:
    with pytest.raises(AzCLIError, match="requires --token-format kubernetes"):
        secret(name, namespace, "dockerconfigjson")


def test_a_registry_named_twice_is_one() -> None:
    twice = login(registry_name=["contoso", "contoso"], expose_token=True, token_format="env")
    _validators.validate_login(CMD, twice)


def test_a_default_registry_does_not_count_beside_all() -> None:
    def logout(name: Any, select_all: bool) -> Namespace:
        return Namespace(registry_name=name, select_all=select_all, client_name=None, auth_file=None)

    beside = logout("contoso", True)
    _validators.validate_logout(CMD, beside)
    assert beside.registry_name == []
    alone = logout("contoso", False)
    _validators.validate_logout(CMD, alone)
    assert alone.registry_name == [RegistryRef("contoso")]
    for name, select_all, says in ((["contoso"], True, "--name cannot"), (None, False, "No registry was named")):
        with pytest.raises(AzCLIError, match=says):
            _validators.validate_logout(CMD, logout(name, select_all))


def test_values_add_up_and_choices_are_meant_in_any_case() -> None:
    parser = ArgumentParser()
    parser.add_argument("--permission", nargs="+", action=CollectValues, choices=CaseInsensitiveList(["pull", "push"]))
    parser.add_argument("--name", nargs="+", action=CollectValues, default="configured")
    found = parser.parse_args(["--permission", "PULL", "--name", "a", "b", "--permission", "push", "--name", "c"])
    assert (found.permission, found.name) == (["pull", "push"], ["a", "b", "c"])


# --- a default group of the CLI's configuration ----------------------------------------------------------------------

REGISTRY_ID = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-apps"
    "/providers/Microsoft.ContainerRegistry/registries/contoso"
)


def selection(**options: Any) -> Namespace:
    unset = dict.fromkeys(
        ("registry_name", "ids", "tags", "undo", "exclude", "wave", "canary", "verify", "status", "management_group")
    )
    switches = dict.fromkeys(("select_all", "all_subscriptions", "dry_run"), False)
    return Namespace(**{**unset, **switches, "resource_group_name": DefaultStr("rg-default"), **options})


def test_a_default_group_says_where_a_name_is_looked_for_and_contradicts_no_id() -> None:
    namespace = selection(registry_name=["contoso", REGISTRY_ID])
    _validators.validate_selection(CMD, namespace)
    named, by_id = namespace.registry_name
    assert (named.resource_group, by_id.resource_group) == ("rg-default", "rg-apps")
    assert type(named.resource_group) is str
    assert namespace.resource_group_name is None


@pytest.mark.parametrize("text", ["contoso", "contoso.azurecr.io", REGISTRY_ID])
def test_one_registry_is_looked_for_in_the_default_group_but_for_an_id(text: str) -> None:
    namespace = Namespace(registry_name=text, resource_group_name=DefaultStr("rg-default"))
    _validators.validate_registry(CMD, namespace)
    assert namespace.registry_name.resource_group == ("rg-apps" if text == REGISTRY_ID else "rg-default")
    assert namespace.resource_group_name is None


def test_a_typed_group_stays_for_the_command_to_compare() -> None:
    namespace = selection(registry_name=["contoso", REGISTRY_ID], resource_group_name="rg-typed")
    _validators.validate_selection(CMD, namespace)
    assert [each.resource_group for each in namespace.registry_name] == [None, "rg-apps"]
    assert namespace.resource_group_name == "rg-typed"


def consumers(**options: Any) -> Namespace:
    return selection(**{"azure_devops": None, "source": None, "workspace": None, "days": None, **options})


def test_an_organization_is_searched_without_a_registry_and_defaults_select_none() -> None:
    namespace = consumers(azure_devops=["contoso"], registry_name=DefaultStr("contoso"))
    _validators.validate_consumers(CMD, namespace)
    assert (namespace.registry_name, namespace.resource_group_name) == ([], None)


@pytest.mark.parametrize("options", [{}, {"azure_devops": ["contoso"], "workspace": "w"}])
def test_a_search_needs_a_registry_or_an_organization_and_a_log_needs_a_registry(options: Any) -> None:
    with pytest.raises(AzCLIError, match="No registry was selected"):
        _validators.validate_consumers(CMD, consumers(**options))


def test_organizations_may_be_named_by_the_addresses_of_their_pages() -> None:
    namespace = consumers(azure_devops=["Contoso", "https://dev.azure.com/fabrikam/"])
    _validators.validate_azure_devops(namespace)
    assert namespace.azure_devops == ["contoso", "fabrikam"]


@pytest.mark.parametrize("validate", [_validators.validate_selection, _validators.validate_configure_docker])
def test_a_default_group_selects_nothing_by_itself(validate: Any) -> None:
    namespace = selection(select_all=True, remove=False, show=False)
    validate(CMD, namespace)
    assert namespace.resource_group_name is None


def helper(mode: str, **options: Any) -> Namespace:
    """What `configure-docker` with --show or --remove gets; its identity and group are the CLI's defaults."""
    unset = dict.fromkeys(("registry_name", "client_id", "tenant", "bin_dir"))
    defaults = {"credential": DefaultStr("cli"), "resource_group_name": DefaultStr("rg-default")}
    modes = {"show": mode == "--show", "remove": mode == "--remove"}
    return Namespace(**{"select_all": False, **unset, **defaults, **modes, **options})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("resource_group_name", "rg-apps"),
        ("credential", "cli"),
        ("credential", "managed-identity"),
        ("client_id", "1"),
        ("tenant", "contoso.onmicrosoft.com"),
        ("bin_dir", "/usr/local/bin"),
    ],
)
def test_what_only_a_setup_heeds_is_refused_where_the_helper_is_shown_or_removed(option: str, value: str) -> None:
    """It would be left out silently: `--remove --resource-group` would remove all."""
    for mode in ("--show", "--remove"):
        _validators.validate_configure_docker(CMD, helper(mode))
        namespace = helper(mode, **{option: value})
        if (mode, option) == ("--remove", "bin_dir"):
            _validators.validate_configure_docker(CMD, namespace)
            continue
        name = option.removesuffix("_name").replace("_", "-")
        with pytest.raises(AzCLIError, match=f"{mode} cannot be combined with --{name}"):
            _validators.validate_configure_docker(CMD, namespace)


@pytest.mark.parametrize(
    ("validate", "wider"),
    [
        (_validators.validate_management_group, {"management_group": "mg"}),
        (_validators.validate_all_subscriptions, {"all_subscriptions": True}),
    ],
)
def test_a_default_group_gives_way_to_a_wider_scope_only_and_a_typed_one_never(validate: Any, wider: Any) -> None:
    for options, group in (
        (wider, None),
        ({}, "rg-default"),
        ({**wider, "resource_group_name": "rg-typed"}, "rg-typed"),
    ):
        namespace = selection(**options)
        validate(namespace)
        assert namespace.resource_group_name == group


def test_where_only_a_typed_group_counts_a_default_one_is_checked_and_dropped() -> None:
    namespace = selection()
    _validators.validate_typed_group(namespace)
    assert namespace.resource_group_name is None
    with pytest.raises(AzCLIError, match="rg/../.."):
        _validators.validate_typed_group(selection(resource_group_name=DefaultStr("rg/../..")))


@pytest.mark.parametrize(
    ("named", "warned"),
    [
        (["Contoso.azurecr.io"], True),
        ("CONTOSO.AZURECR.IO", True),
        (["contoso.azurecr.io"], False),
        (["Contoso"], False),
        (["/subscriptions/S/resourceGroups/G/providers/Microsoft.ContainerRegistry/registries/contoso"], False),
    ],
)
def test_capital_letters_in_a_login_server_are_told_to_whom_stores_its_credential(
    named: Any, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients compare hosts letter by letter (Azure/acr#168)."""
    _validators._warn_of_capitals(named)
    assert ("Clients do not find it for" in caplog.text) == warned
    assert ("for contoso.azurecr.io, in lower case" in caplog.text) == warned


def test_a_login_server_in_capital_letters_is_signed_in_to_in_lower_case() -> None:
    namespace = login(registry_name=["Contoso.azurecr.io"])
    _validators.validate_login(CMD, namespace)
    assert namespace.registry_name == [RegistryRef("contoso", "contoso.azurecr.io")]


def test_loading_the_validators_loads_no_sign_in_and_no_http() -> None:
    show = "import sys, azext_acrscope._validators; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout.split()
    assert "azext_acrscope._validators" in loaded
    heavy = {"azext_acrscope.credentials.login", "azext_acrscope.hops.token_endpoints", "azext_acrscope.arm.client"}
    assert not heavy & set(loaded)


def test_code_is_searched_without_a_registry_and_defaults_select_none() -> None:
    namespace = consumers(source=["."], registry_name=DefaultStr("contoso"))
    _validators.validate_consumers(CMD, namespace)
    assert (namespace.registry_name, namespace.resource_group_name) == ([], None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": [" "], "skip_consumers": False}, "--source is empty"),
        ({"source": ["nowhere"], "skip_consumers": False}, "no folder or file"),
        ({"source": ["."], "skip_consumers": True}, "--skip-consumers cannot be combined with --source"),
        ({"knowledge": "known.json", "skip_consumers": True}, "--skip-consumers cannot be combined with --knowledge"),
    ],
)
def test_code_that_cannot_be_searched_is_refused_before_anything_is_changed(options: Any, said: str) -> None:
    with pytest.raises(AzCLIError, match=said):
        _validators.validate_preflight_source(Namespace(**{"source": None, "knowledge": None, **options}))
