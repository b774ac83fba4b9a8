"""A user without a home directory: the variables of the clients are enough, and else the one to set is named."""

from pathlib import Path

import pytest
from azure.cli.core.azclierror import AuthenticationError

from azext_acrscope.base.errors import NoHomeError
from azext_acrscope.credentials import clients, inspection
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.destinations import Destination
from azext_acrscope.credentials.helper import install
from azext_acrscope.hops import sign_in_errors


@pytest.fixture
def homeless(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A random user ID in a pod: no HOME, and no entry in /etc/passwd (azure-cli#7019)."""
    import pwd

    def unknown(_uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    return home


@pytest.mark.parametrize(
    ("client", "variable"), [("docker", "DOCKER_CONFIG"), ("helm", "HELM_REGISTRY_CONFIG"), ("oras", "DOCKER_CONFIG")]
)
def test_without_a_home_the_variable_to_set_is_named(homeless: Path, client: str, variable: str) -> None:
    with pytest.raises(NoHomeError) as caught:
        clients.config_file(client)
    assert f"Set {variable}" in caught.value.recommendations[0]


def test_without_a_home_the_variables_of_a_client_are_enough(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(homeless / "docker"))
    docker = homeless / "docker/config.json"
    assert [clients.config_file(each) for each in ("docker", "nerdctl", "oras")] == [docker] * 3
    docker.parent.mkdir()
    docker.write_text("{}")
    assert Destination(client=ContainerClient("docker", "/usr/bin/docker")).shadows("contoso.azurecr.io") == []
    assert inspection.find_credentials("contoso.azurecr.io") == []


def test_without_a_home_the_helper_is_set_up_and_removed(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(homeless / "docker"))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(homeless / "azure"))
    (homeless / "bin").mkdir()
    source = {"contoso.azurecr.io": {"credential": "cli"}}
    install.apply_setup(install.plan_setup(source, "docker", None))
    assert (homeless / "bin/docker-credential-acrscope").exists()
    plan = install.plan_removal(list, "docker", None)
    install.apply_setup(plan)
    assert plan.results == {"contoso.azurecr.io": "removed"}
    assert not (homeless / "bin/docker-credential-acrscope").exists()


def test_without_a_home_the_cli_finds_no_sign_in(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_CONFIG_DIR", raising=False)
    error = sign_in_errors.not_signed_in(AuthenticationError("x"))
    assert "Set AZURE_CONFIG_DIR" in error.recommendations[0]
