"""A cloud per test, and a client that talks to it by its real names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud, Registry


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(backend=False) as running:
        yield running


@pytest.fixture
def client(cloud: LocalCloud) -> Client:
    return Client(cloud, cloud.default_account())


@pytest.fixture
def registry(cloud: LocalCloud) -> Registry:
    return cloud.world.add_registry("contoso")
