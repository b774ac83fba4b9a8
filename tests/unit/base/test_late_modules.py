"""Modules that load when they are first used: the package's own importers, and everybody else."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrscope.base.late_modules import late_modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package as generators of SDKs make them: operations, with models in their annotations."""
    name = "sdk_of_a_test"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("from .operations import read, make\n")
    (folder / "models.py").write_text("class Registry:\n    pass\n")
    (folder / "operations.py").write_text(
        "from typing import Union\nfrom . import models as _models\n"
        "def read(body: Union[_models.Registry, bytes]) -> _models.Registry:\n    return body\n"
        "def make():\n    return _models.Registry()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for each in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[each]


def test_a_module_that_is_only_in_annotations_is_not_loaded(package: str) -> None:
    with late_modules(package, "models"):
        sdk = importlib.import_module(package)
    assert sdk.read(b"body") == b"body"
    assert f"{package}.models" not in sys.modules


def test_a_module_that_is_used_loads_and_is_the_one_that_others_import(package: str) -> None:
    with late_modules(package, "models"):
        sdk = importlib.import_module(package)
    made = sdk.make()
    assert type(made) is importlib.import_module(f"{package}.models").Registry
    assert type(made) is sdk.models.Registry


def test_others_get_the_module_before_the_package_has_used_it(package: str) -> None:
    with late_modules(package, "models"):
        sdk = importlib.import_module(package)
    registry = importlib.import_module(f"{package}.models").Registry
    assert type(sdk.make()) is registry


def test_a_package_that_was_imported_before_is_left_alone(package: str) -> None:
    before = importlib.import_module(package).models
    with late_modules(package, "models"):
        assert sys.modules[f"{package}.models"] is before
    assert sys.modules[f"{package}.models"] is before


def test_an_import_that_fails_leaves_nothing_behind(package: str) -> None:
    with pytest.raises(ZeroDivisionError), late_modules(package, "models"):
        raise ZeroDivisionError
    assert f"{package}.models" not in sys.modules
