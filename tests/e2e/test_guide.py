"""The README and every page that shows commands: each command prints what the page shows.

`make guides` writes the pages anew, with what the commands print now.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.az import ROOT, Az
from tests.factories.accounts import sign_in
from tests.factories.files import write
from tests.guide import HOME, Runner, follow, pages, stage_of
from tests.localcloud import LocalCloud
from tests.localcloud.scenarios import documented_fleets as fleets


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is as long as the one that pages show, so that lines and tables break at the same places."""
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as folder:
        assert len(folder) == len(HOME)
        yield Path(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(home: Path, extensions: Path, page: Path) -> None:
    with LocalCloud(backend=False) as cloud:
        stage: fleets.Stage = getattr(fleets, stage_of(page.read_text(encoding="utf-8")))(cloud)
        az = Az(home, extensions, cloud.env, forked=page.name != "README.md")  # that one as a user starts it
        for name, text in stage.files.items():
            write(home / name, text)
        sign_in(az, stage.team)
        az.ok("account", "set", "--subscription", stage.production.id)
        assert follow(page, Runner(az, lambda name: getattr(stage, name)())) == []
