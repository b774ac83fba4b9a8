"""The documents, followed to the letter: each command prints what they show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.az import ROOT, Az
from tests.factories.accounts import sign_in
from tests.guide import Runner, follow
from tests.localcloud import LocalCloud
from tests.localcloud.scenarios.documented_fleets import Contoso, Governed, Shop, Stage


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("document", "make"), [("docs/cut-over.md", Contoso), ("docs/estates.md", Governed), ("README.md", Shop)]
)
def test_a_document_shows_what_its_commands_print(
    tmp_path: Path, extensions: Path, document: str, make: Callable[[LocalCloud], Stage]
) -> None:
    with LocalCloud(backend=False) as cloud:
        stage = make(cloud)
        az = Az(tmp_path / "home", extensions, cloud.env)
        sign_in(az, stage.team)
        az.ok("account", "set", "--subscription", stage.production.id)
        assert follow(ROOT / document, Runner(az, lambda name: getattr(stage, name)())) == []
