"""What `python -m tests.localcloud` tells a shell."""

import shlex
from pathlib import Path

import pytest

from tests.localcloud import LocalCloud
from tests.localcloud.__main__ import _lines


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
    exports = dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))
    assert exports["AZURE_EXTENSION_DIR"] == str(tmp_path / expected)
    assert exports["AZURE_CONFIG_DIR"] != own.get("AZURE_CONFIG_DIR")  # nobody's sign-in is touched
