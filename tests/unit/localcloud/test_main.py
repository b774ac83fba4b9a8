"""What `python -m tests.localcloud` tells a shell."""

import re
import shlex
from pathlib import Path

import pytest

from tests.az import ROOT
from tests.localcloud import LocalCloud
from tests.localcloud.__main__ import _lines, allow_policies
from tests.localcloud.scenarios.documented_fleets import Contoso


def exported(lines: list[str]) -> dict[str, str]:
    return dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, ".azure/cliextensions"),
        ({"AZURE_CONFIG_DIR": "~/cli"}, "cli/cliextensions"),
        ({"AZURE_CONFIG_DIR": "~/cli", "AZURE_EXTENSION_DIR": ""}, "cli/cliextensions"),
    ],
)
def test_a_shell_keeps_the_extensions_that_it_has(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AZURE_CONFIG_DIR", "AZURE_EXTENSION_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    lines = _lines(cloud, cloud.default_account("operator"))
    exports = exported(lines)
    assert exports["AZURE_EXTENSION_DIR"] == str(tmp_path / expected)
    assert exports["AZURE_CONFIG_DIR"] != own.get("AZURE_CONFIG_DIR")  # nobody's sign-in is touched


def test_the_sign_in_that_a_shell_is_told_works_with_the_variables_that_it_gets(cloud: LocalCloud) -> None:
    operator = cloud.default_account("operator")
    lines = _lines(cloud, operator)
    exports = exported(lines)
    (sign_in,) = [line for line in lines if line.startswith("# az login")]
    assert set(re.findall(r"\$(\w+)", sign_in)) <= set(exports)
    given = [exports[name] for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID")]
    assert given == [operator.app_id, operator.secret, operator.tenant_id]


def test_the_operator_of_the_fleet_sees_the_subscriptions_of_the_page_and_no_other(cloud: LocalCloud) -> None:
    operator = Contoso(cloud).team
    allow_policies(cloud, operator)
    seen = cloud.world.subscriptions_seen(operator, operator.tenant_id)
    assert [each.name for each in seen] == ["Contoso Production", "Contoso Test"]
    assert len(cloud.world.subscriptions) > len(seen)


def test_the_page_tells_what_each_variable_is_for(cloud: LocalCloud) -> None:
    page = (ROOT / "docs/local-azure.md").read_text(encoding="utf-8")
    rows = re.search(r"^\| variables \|.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    told = [
        name for row in (rows[1] if rows else "").splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    set_for_a_shell = {name.upper() for name in exported(_lines(cloud, cloud.default_account("operator")))}
    assert sorted(told) == sorted(set_for_a_shell)
