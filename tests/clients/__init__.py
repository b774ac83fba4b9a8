"""Real container clients, each as a process of its own, with a push and a pull to run against a registry.

They find their credentials by themselves, in the files that docker, podman and Helm are known for, as at home.
"""

import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.az import ROOT, Az, Result, running
from tests.localcloud.scenarios.images import write_oci_layout

_DRIVERS = Path(__file__).parent
_PYTHON = ROOT / ".venvs/clients/bin/python"
HELM = ROOT / ".venvs/helm/bin/helm"
_SKOPEO = ("skopeo", "copy", "--quiet", "--insecure-policy")


@dataclass(frozen=True)
class Desk:
    """Where a client works: a home with credentials (that of `az`), what a sign-in adds to the environment, a folder.

    The registry has an image app:v1 (see `stock`).
    """

    az: Az
    server: str
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *commands: list[str], env: Mapping[str, str] | None = None) -> Result:
        """The first command's result that failed, else the last one's."""
        for command in commands:
            result = self.az.tool(*command, env={**self.env, **(env or {})})
            if result.code != 0:
                break
        return result


@dataclass(frozen=True)
class Client:
    """A container client.

    push, pull: what it said; code 0 means that it is done. no_identity_token: what does not work with the form in which
    docker keeps an ACR credential, a refresh token under `identitytoken`.
    """

    name: str
    push: Callable[[Desk], Result]
    pull: Callable[[Desk], Result]
    no_identity_token: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


def stock(az: Az, server: str, folder: Path, auth: str) -> None:
    """Puts the image app:v1 into a registry, and an image and a chart into the folder for clients to push.

    auth: base64 of user:password. The image is in docker's format: its client before version 25 knows no other.
    """
    write_oci_layout(folder / "image", marker=server)
    _write_chart(folder)
    authfile = folder / "stock.json"
    authfile.write_text(f'{{"auths": {{"{server}": {{"auth": "{auth}"}}}}}}')
    command = [*_SKOPEO, "--authfile", str(authfile), "--format", "v2s2", f"oci:{folder / 'image'}"]
    done = az.tool(*command, f"docker://{server}/app:v1")
    authfile.unlink()
    assert done.code == 0, done


def _write_chart(folder: Path) -> None:
    (folder / "tiny").mkdir()
    (folder / "tiny/Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 0.1.0\n")
    with tarfile.open(folder / "tiny-0.1.0.tgz", "w:gz") as archive:
        archive.add(folder / "tiny", "tiny")


# docker without a daemon: it makes and pushes a list of images, and reads an image's manifest.


def _docker(desk: Desk, push: bool) -> Result:
    image, made = f"{desk.server}/app:v1", f"{desk.server}/app:docker"
    if push:
        create = ["docker", "manifest", "create", "--amend", made, image]
        return desk.run(create, ["docker", "manifest", "push", "--purge", made])
    return desk.run(["docker", "manifest", "inspect", image])


# docker-py needs an engine: podman's, which speaks docker's protocol and has no credentials of its own.


@contextmanager
def engine(desk: Desk) -> Iterator[str]:
    # Paths of sockets, and of podman's run directories, are short.
    with tempfile.TemporaryDirectory(prefix="engine") as home:
        socket = Path(home, "socket")
        store = ["--storage-driver", "vfs", "--root", f"{home}/root", "--runroot", f"{home}/run"]
        quiet = subprocess.DEVNULL
        with running(
            ["podman", *store, "system", "service", "--time", "0", f"unix://{socket}"],
            env={**desk.az.env, "HOME": home, "XDG_RUNTIME_DIR": home},
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        ) as service:
            while not socket.exists():
                assert service.poll() is None, "podman offers no engine"
                time.sleep(0.05)
            yield f"unix://{socket}"


def _docker_py(desk: Desk, push: bool) -> Result:
    with engine(desk) as address:
        command = [str(_PYTHON), str(_DRIVERS / "docker_py.py"), "push" if push else "pull", desk.server]
        return desk.run(command, env={"DOCKER_HOST": address})


# podman and buildah keep images in a store, which here is the test's own.


def _store(program: str, desk: Desk, push: bool) -> Result:
    with tempfile.TemporaryDirectory(prefix="store") as store:
        command = [program, "--storage-driver", "vfs", "--root", f"{store}/root", "--runroot", f"{store}/run"]
        if not push:
            return desk.run([*command, "pull", "--quiet", f"{desk.server}/app:v1"])
        loaded = desk.run([*command, "pull", "--quiet", f"oci:{desk.folder / 'image'}"])
        assert loaded.code == 0, loaded
        return desk.run([*command, "push", "--quiet", loaded.stdout.strip(), f"docker://{desk.server}/{program}:v1"])


def _skopeo(desk: Desk, push: bool) -> Result:
    if push:
        return desk.run([*_SKOPEO, f"oci:{desk.folder / 'image'}", f"docker://{desk.server}/skopeo:v1"])
    return desk.run([*_SKOPEO, f"docker://{desk.server}/app:v1", f"oci:{desk.folder / 'copy'}"])


def _driver(name: str, desk: Desk, push: bool) -> Result:
    action = "push" if push else "pull"
    return desk.run([str(_PYTHON), str(_DRIVERS / name), action, desk.server, str(desk.folder)])


def _helm(desk: Desk, push: bool) -> Result:
    if push:
        return desk.run([str(HELM), "push", str(desk.folder / "tiny-0.1.0.tgz"), f"oci://{desk.server}/helm"])
    chart = f"oci://{desk.server}/helm/tiny"
    return desk.run([str(HELM), "pull", chart, "--version", "0.1.0", "--destination", str(desk.folder)])


def _client(name: str, do: Callable[[Desk, bool], Result], without_identity_token: str = "") -> Client:
    unable = frozenset(without_identity_token.split())
    return Client(name, lambda desk: do(desk, True), lambda desk: do(desk, False), unable)


CLIENTS = (
    _client("docker", _docker),
    # It hands an identity token to the engine; podman's uses it for pulling only, docker's own for both.
    _client("docker-py", _docker_py, "push"),
    _client("podman", partial(_store, "podman")),
    _client("buildah", partial(_store, "buildah")),
    _client("skopeo", _skopeo),
    _client("helm", _helm),
    _client("helm-python-sdk", partial(_driver, "helm_sdk.py")),
    _client("oras-py", partial(_driver, "oras_py.py"), "push pull"),
)
