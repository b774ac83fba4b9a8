"""The stage for end-to-end tests: a local Azure, the installed extension, and an `az` that is signed in."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.az import Az, add_extension, build_wheel, locked
from tests.factories.accounts import sign_in, sign_in_like, use_subscription
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.world.world import Subscription


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def wheel(shared: Path) -> Path:
    with locked(shared / "wheel.lock"):
        built = list((shared / "wheel").glob("*.whl"))
        return built[0] if built else build_wheel(shared / "wheel")


@pytest.fixture(scope="session")
def extensions(shared: Path, wheel: Path) -> Path:
    """The extension folder, filled once in a run by `az extension add`."""
    folder = shared / "extensions"
    with locked(shared / "extensions.lock"):
        if not (folder / "acrscope").exists():
            add_extension(wheel, folder, shared / "installer")
    return folder


@pytest.fixture(scope="session")
def _session_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(backend=True) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def operator(_session_cloud: LocalCloud) -> ServicePrincipal:
    """A service principal that may do everything in the subscription."""
    principal = _session_cloud.world.add_service_principal("operator")
    _session_cloud.world.grant(principal, _session_cloud.world.subscriptions[0].scope, "Contributor")
    return principal


@pytest.fixture
def cloud(_session_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """The local Azure, with no faults and an empty log at the start of each test."""
    _session_cloud.faults.clear()
    _session_cloud.clear_requests()
    yield _session_cloud
    _session_cloud.faults.clear()


_numbers = itertools.count(1)


@pytest.fixture
def registry_name() -> str:
    return f"contoso{next(_numbers)}"


@pytest.fixture
def registry(cloud: LocalCloud, registry_name: str) -> Registry:
    """A registry of this test's own: status enabled, no real backend."""
    return cloud.world.add_registry(registry_name, resource_group="rg-apps")


@pytest.fixture(scope="session")
def _signed_in(
    tmp_path_factory: pytest.TempPathFactory, extensions: Path, _session_cloud: LocalCloud, operator: ServicePrincipal
) -> Path:
    """The home of an operator who has signed in once, for tests to copy."""
    az = Az(tmp_path_factory.mktemp("operator"), extensions, _session_cloud.env, forked=True)
    sign_in(az, operator)
    az("acr", "scope", "-h")  # builds the CLI's command index
    return az.home


@pytest.fixture
def new_az(tmp_path: Path, extensions: Path, cloud: LocalCloud, _signed_in: Path) -> Callable[..., Az]:
    """Makes an `az` with a new home; with `principal` signed in as it, with `subscription` using that one."""

    def make(
        principal: ServicePrincipal | None = None, name: str = "home", subscription: Subscription | None = None
    ) -> Az:
        az = Az(tmp_path / name, extensions, cloud.env, forked=True)
        if principal:
            sign_in_like(az, principal, cloud.world, _signed_in)
        if subscription:
            use_subscription(az, subscription.id)
        cloud.clear_requests()
        return az

    return make


@pytest.fixture
def az(tmp_path: Path, extensions: Path, cloud: LocalCloud, _signed_in: Path) -> Az:
    """`az`, signed in as the operator, with a home of this test's own."""
    shutil.copytree(_signed_in, tmp_path / "home", symlinks=True)
    return Az(tmp_path / "home", extensions, cloud.env, forked=True)
