"""docs/cut-over.md, followed to the letter: each command prints what the guide shows."""

from pathlib import Path

import pytest

from tests.az import ROOT, Az
from tests.e2e.conftest import sign_in
from tests.guide import Runner, follow
from tests.localcloud import LocalCloud
from tests.localcloud.estate import Contoso


@pytest.mark.timeout(600)
def test_the_guide_shows_what_its_commands_print(tmp_path: Path, extensions: Path) -> None:
    with LocalCloud(backend=False) as cloud:
        estate = Contoso(cloud)
        az = Az(tmp_path / "home", extensions, cloud.env)
        sign_in(az, estate.team)
        az.ok("account", "set", "--subscription", estate.production.id)
        runner = Runner(az, lambda name: getattr(estate, name)())
        assert follow(ROOT / "docs" / "cut-over.md", runner) == []
