"""From names to login servers."""

from typing import Any

import pytest
from azure.cli.core.azclierror import AzCLIError, AzureConnectionError, ForbiddenError, ResourceNotFoundError

from azext_acrscope.base.hosts import RegistryRef
from azext_acrscope.registry import lookup, resource
from azext_acrscope.registry.lookup import ResolvedRegistry

IO, HOST = ".azurecr.io", "contoso.azurecr.io"
WEST, NORTH = "contoso.westeurope.geo.azurecr.io", "contoso.northeurope.geo.azurecr.io"


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Azure Resource Manager knows: a login server, or an error, by name."""
    known: dict[str, Any] = {"contoso": HOST, "hashed": "hashed-e7gg9xb2.azurecr.io", "regional": []}

    def find(_arm: Any, ref: RegistryRef, _group: str | None, _suffix: str) -> dict[str, Any]:
        found = known.get(ref.name.lower(), ResourceNotFoundError("not there"))
        if isinstance(found, Exception):
            raise found
        return {"id": "/x", "properties": {"loginServer": found}}

    monkeypatch.setattr(resource, "find_registry", find)
    monkeypatch.setattr(resource, "list_regional_login_servers", lambda *_: known["regional"])
    return known


def sign_ins(*refs: RegistryRef, group: str | None = None, endpoints: tuple[str, ...] = ()) -> list[ResolvedRegistry]:
    return lookup.resolve_login_servers(list(refs), group, list(endpoints), IO, lambda _: None)  # type: ignore[arg-type,return-value]


def servers(*refs: RegistryRef, endpoints: tuple[str, ...] = ()) -> list[str | None]:
    return [each.login_server for each in sign_ins(*refs, endpoints=endpoints)]


NAMED, HASHED = RegistryRef("contoso"), RegistryRef("hashed")
SERVER = RegistryRef("contoso", HOST)


def test_each_login_server_is_signed_in_to_once_in_the_order_given(arm: dict[str, Any]) -> None:
    assert servers(HASHED, NAMED, SERVER, RegistryRef("CONTOSO"), HASHED) == ["hashed-e7gg9xb2.azurecr.io", HOST]


def test_a_login_server_is_not_looked_up(arm: dict[str, Any]) -> None:
    arm["contoso"] = ForbiddenError("must not be asked")
    assert servers(SERVER) == [HOST]


def test_of_several_the_failed_ones_stay_in_the_run_each_for_itself(arm: dict[str, Any]) -> None:
    arm["contoso"] = AzureConnectionError("no network")
    here, there = (RegistryRef("contoso", None, group, "sub") for group in ("one", "two"))
    run = sign_ins(here, HASHED, there)
    assert [type(each.error) for each in run] == [AzureConnectionError, type(None), AzureConnectionError]
    with pytest.raises(AzureConnectionError, match="no network"):
        sign_ins(here)
    with pytest.raises(AzureConnectionError):
        sign_ins(here, here)


def test_who_is_forbidden_to_read_the_registry_is_signed_in_at_its_plain_name(arm: dict[str, Any]) -> None:
    arm["contoso"] = ForbiddenError("no")
    assert servers(NAMED) == [HOST]


@pytest.mark.parametrize("group", [None, "rg-typo"])
def test_a_name_that_arm_does_not_know_is_a_slip_and_makes_no_host(arm: dict[str, Any], group: str | None) -> None:
    arm["contoso"] = ResourceNotFoundError("no")
    with pytest.raises(ResourceNotFoundError) as caught:
        sign_ins(NAMED, group=group)
    assert "az acr scope login --name LOGIN_SERVER" in caught.value.recommendations[-1]


def test_regions_make_regional_login_servers(arm: dict[str, Any]) -> None:
    assert servers(SERVER, endpoints=("westeurope", "North Europe")) == [WEST, NORTH]
    assert servers(RegistryRef("contoso", WEST), endpoints=("northeurope",)) == [NORTH]
    assert servers(HASHED, endpoints=("westeurope",)) == ["hashed-e7gg9xb2.westeurope.geo.azurecr.io"]


@pytest.mark.parametrize("word", ["all", "ALL"])
def test_all_is_the_global_login_server_and_every_regional_one(arm: dict[str, Any], word: str) -> None:
    arm["regional"] = [WEST, NORTH]
    assert servers(SERVER, endpoints=(word,)) == [HOST, WEST, NORTH]


@pytest.mark.parametrize("region", ["../x", "a.b", "", "west-europe", "évil", "x" * 41])
def test_what_is_no_region_makes_no_host(arm: dict[str, Any], region: str) -> None:
    with pytest.raises(AzCLIError, match="not the name of an Azure region"):
        sign_ins(SERVER, endpoints=(region,))


def test_without_arm_only_a_login_server_will_do() -> None:
    assert lookup.find_login_servers(SERVER, None, ["westeurope"], IO, None) == [WEST]
    for ref, endpoints in ((NAMED, []), (SERVER, ["all"])):
        with pytest.raises(AzCLIError, match="Only Azure Resource Manager knows"):
            lookup.find_login_servers(ref, None, endpoints, IO, None)


# --- for a logout ---


STORED = [HOST, WEST, "contoso-e7gg9xb2.azurecr.io", "fabrikam.azurecr.io", "docker.io", "x.azurecr.io.evil.example"]


def test_what_is_stored_for_a_repository_is_meant_by_all_and_by_no_name() -> None:
    stored = [HOST, f"{HOST}/team/app", "docker.io/team", f"https://{HOST}/v2/"]
    assert lookup.match_stored_hosts([], lambda: stored, IO) == {host: [host] for host in (HOST, f"{HOST}/team/app")}
    assert lookup.match_stored_hosts([NAMED], lambda: stored, IO) == {NAMED.name: [HOST]}


def test_a_name_means_every_login_server_of_that_name_that_something_is_stored_for() -> None:
    meant = lookup.match_stored_hosts([RegistryRef("Contoso"), RegistryRef("tailspin")], lambda: STORED, IO)
    assert meant == {"Contoso": [HOST, WEST, "contoso-e7gg9xb2.azurecr.io"], "tailspin": []}


def test_a_login_server_means_itself_and_nothing_is_listed_for_it() -> None:
    def unlisted() -> list[str]:
        raise AssertionError

    assert lookup.match_stored_hosts([SERVER], unlisted, IO) == {HOST: [HOST]}
    assert lookup.match_stored_hosts([SERVER, NAMED], lambda: STORED, IO)[HOST] == [HOST]


def test_no_name_means_every_registry_of_the_cloud_in_use_and_no_other() -> None:
    meant = lookup.match_stored_hosts([], lambda: STORED, IO)
    assert list(meant) == [HOST, WEST, "contoso-e7gg9xb2.azurecr.io", "fabrikam.azurecr.io"]
    assert lookup.match_stored_hosts([], lambda: STORED, ".azurecr.cn") == {}
