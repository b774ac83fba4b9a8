"""A command in a fork is what it is in an interpreter of its own: it knows its own home, and nothing of others.

So is a home that was made like one in which somebody has signed in.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.az import Az
from tests.factories.accounts import sign_in, use_subscription
from tests.localcloud import LocalCloud

NewAz = Callable[..., Az]
# The Azure CLI keeps changed suffixes of a cloud in a file whose path it makes when it is imported.
CHANGE = ("cloud", "update", "--name", "AzureCloud", "--suffix-acr-login-server-endpoint", ".registries.example")


def test_what_a_command_configures_is_in_its_own_home(new_az: NewAz) -> None:
    one, other = new_az(name="one"), new_az(name="other")
    assert one("config", "set", "defaults.group=rg-one").code == 0
    assert one.ok("config", "get", "defaults.group")["value"] == "rg-one"
    assert one(*CHANGE).code == 0
    assert ".registries.example" in (one.config / "clouds.config").read_text()
    assert one.ok("cloud", "show")["suffixes"]["acrLoginServerEndpoint"] == ".registries.example"
    assert other("config", "get", "defaults.group").code != 0
    assert other.ok("cloud", "show")["suffixes"]["acrLoginServerEndpoint"] == ".azurecr.io"


def test_a_configuration_folder_elsewhere_is_used(new_az: NewAz, tmp_path: Path) -> None:
    az = new_az()
    elsewhere = {"AZURE_CONFIG_DIR": str(tmp_path / "elsewhere")}
    assert az(*CHANGE, env=elsewhere).code == 0
    assert ".registries.example" in (tmp_path / "elsewhere/clouds.config").read_text()
    assert not (az.config / "clouds.config").exists()


def test_extensions_elsewhere_are_those_of_the_command(new_az: NewAz, tmp_path: Path) -> None:
    az = new_az()
    assert [found["name"] for found in az.ok("extension", "list")] == ["acrscope"]
    assert az.ok("extension", "list", env={"AZURE_EXTENSION_DIR": str(tmp_path / "none")}) == []


def test_a_variable_that_the_azure_cli_reads_when_it_is_imported_counts(new_az: NewAz, tmp_path: Path) -> None:
    az = new_az()
    sources = {"AZURE_EXTENSION_DEV_SOURCES": str(tmp_path / "sources")}
    assert str(tmp_path / "sources") in az("--version", env=sources).stdout
    assert str(tmp_path / "sources") not in az("--version").stdout


def account_files(az: Az) -> dict[str, Any]:
    names = ("azureProfile.json", "service_principal_entries.json", "msal_token_cache.json")
    files = {name: json.loads((az.config / name).read_text(encoding="utf-8-sig")) for name in names}
    for token in files["msal_token_cache.json"]["AccessToken"].values():
        for name in ("secret", "cached_at", "expires_on", "extended_expires_on", "expires_in", "ext_expires_in"):
            token.pop(name, None)
    return files


def test_an_account_is_what_a_sign_in_leaves(new_az: NewAz, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    world = cloud.world
    monkeypatch.setattr(world, "tenants", [*world.tenants])
    monkeypatch.setattr(world, "subscriptions", [*world.subscriptions])
    second = world.add_subscription("Second", world.add_tenant("Fabrikam", "fabrikam.example").id)
    third = world.add_subscription("Third", second.tenant_id)
    principal = world.add_service_principal("a team", tenant_id=second.tenant_id)
    for each in (second, third):
        world.grant(principal, each.scope, "Reader")
    made, real = new_az(principal, name="made", subscription=third), new_az(name="real")
    sign_in(real, principal)
    real.ok("account", "set", "--subscription", third.id)
    assert account_files(made) == account_files(real)
    use_subscription(made, second.id)
    assert made.ok("account", "show")["name"] == "Second"
