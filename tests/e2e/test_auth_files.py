"""Where each real client looks for a credential, beside what `clients.auth_files` says of it."""

import base64
import json
from pathlib import Path

import pytest

from azext_acrscope.credentials import clients
from azext_acrscope.credentials.clients import ContainerClient
from azext_acrscope.credentials.stores import LEGACY_FILE_NAME
from tests.az import Az, run
from tests.clients import CLIENTS, HELM, Desk, stock
from tests.localcloud import LocalCloud, Registry

HOST = "contoso.azurecr.io"
VARIABLES = {"REGISTRY_AUTH_FILE": "named.json", "DOCKER_CONFIG": "job", "XDG_CONFIG_HOME": "config"}


def entry(user: str, *secret: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{''.join(secret) or 'x'}".encode()).decode()}


def put(file: Path, host: str, credential: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    auths = {host: credential}
    file.write_text(json.dumps(auths if file.name == LEGACY_FILE_NAME else {"auths": auths}))


def environment(home: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> dict[str, str]:
    """An environment with these variables, which is this process's own, too."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    env |= {name: str(home / VARIABLES[name]) for name in names}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", **env}


@pytest.mark.parametrize(
    "names",
    [(), ("REGISTRY_AUTH_FILE",), ("DOCKER_CONFIG",), ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG"), ("XDG_CONFIG_HOME",)],
    ids="+".join,
)
@pytest.mark.parametrize("name", ["podman", "skopeo", "buildah"])
def test_podman_and_its_kin_look_through_these_files_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, names: tuple[str, ...]
) -> None:
    env = environment(tmp_path, monkeypatch, names)
    (tmp_path / "run").mkdir()
    places = ["named.json", "job/config.json", "run/containers/auth.json", ".config/containers/auth.json"]
    places += ["config/containers/auth.json", ".docker/config.json", LEGACY_FILE_NAME]
    for place in places:
        put(tmp_path / place, HOST, entry(place))
    seen = []
    while (found := run([name, "login", "--get-login", HOST], env, tmp_path, 60)).code == 0:
        seen.append(tmp_path / found.stdout.strip())
        seen[-1].unlink()
    assert seen == clients.auth_files(ContainerClient(name, name))


@pytest.fixture
def desk(az: Az, cloud: LocalCloud, registry_name: str, tmp_path: Path) -> Desk:
    """A registry with an image, which its admin user may pull."""
    registry = cloud.world.add_registry(registry_name, resource_group="rg-apps", backend=True)
    registry.properties["adminUserEnabled"] = True
    stock(az, registry.login_server, tmp_path, admin(registry)["auth"])
    return Desk(az, registry.login_server, tmp_path)


def admin(registry: Registry) -> dict[str, str]:
    return entry(registry.name, registry.admin_passwords[0])


def admin_of(cloud: LocalCloud, desk: Desk) -> dict[str, str]:
    return admin(next(each for each in cloud.world.registries if each.login_server == desk.server))


@pytest.mark.parametrize("names", [(), ("DOCKER_CONFIG",)], ids="+".join)
@pytest.mark.parametrize("name", ["docker", "docker-py", "oras-py", "helm"])
def test_dockers_kin_looks_into_one_file_and_helm_into_its_own_before(
    desk: Desk, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, name: str, names: tuple[str, ...]
) -> None:
    """A refused credential in one of them, then a good one."""
    (client,) = (each for each in CLIENTS if each.name == name)
    home = desk.az.home
    environment(home, monkeypatch, names)
    desk = Desk(desk.az, desk.server, desk.folder, {each: str(home / VARIABLES[each]) for each in names})
    rules = "helm" if name == "helm" else "docker"
    files = clients.auth_files(ContainerClient(rules, str(HELM) if name == "helm" else "docker"))
    assert len(files) == (2 if name == "helm" else 1)
    good, do = admin_of(cloud, desk), client.push
    for file in files:
        put(file, desk.server, good)
        assert do(desk).code == 0, file
        put(file, desk.server, entry("wrong"))
        assert do(desk).code != 0, file
        file.unlink()
    if name == "helm":
        put(files[0], desk.server, entry("wrong"))
        put(files[1], desk.server, good)
        assert do(desk).code != 0, "its own comes first"
