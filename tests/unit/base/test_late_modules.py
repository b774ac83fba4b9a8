"""Modules that load when they are first used: the package's own importers, and everybody else."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrscope.base.late_modules import late_modules, late_packages


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


@pytest.fixture
def user_and_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A package that asks another one for its version while it is imported, as requests does, and for more later."""
    user, other = "user_of_a_test", "detector_of_a_test"
    (tmp_path / other).mkdir()
    (tmp_path / other / "__init__.py").write_text("from .version import __version__\ndef detect(): return 'utf-8'\n")
    (tmp_path / other / "version.py").write_text("__version__ = '5.2.0'\n")
    (tmp_path / user).mkdir()
    (tmp_path / user / "__init__.py").write_text(
        f"import {other} as other\nfrom {other} import __version__\nversion = __version__\n"
        "def detect(): return other.detect()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield user, other
    for each in [each for each in sys.modules if each.partition(".")[0] in (user, other)]:
        del sys.modules[each]


def test_a_package_of_which_only_the_version_is_used_is_not_loaded(user_and_detector: tuple[str, str]) -> None:
    user, other = user_and_detector
    with late_packages(user, other):
        assert importlib.import_module(user).version == "5.2.0"
    assert other not in sys.modules


def test_a_package_that_is_used_later_is_the_one_that_others_import(user_and_detector: tuple[str, str]) -> None:
    user, other = user_and_detector
    with late_packages(user, other):
        module = importlib.import_module(user)
    assert module.detect() == "utf-8"
    assert module.other.detect is importlib.import_module(other).detect


def test_a_package_that_is_used_at_once_loads(user_and_detector: tuple[str, str]) -> None:
    user, other = user_and_detector
    with late_packages(user, other):
        assert importlib.import_module(user).detect() == "utf-8"
        loaded = sys.modules[other]
    assert sys.modules[other] is loaded
    assert loaded.__file__


@pytest.mark.parametrize("version", ["syntax error", "raise ImportError", "raise ValueError", "version = 1\n", None])
def test_a_package_that_keeps_its_version_elsewhere_is_imported_as_ever(
    user_and_detector: tuple[str, str], tmp_path: Path, version: str | None
) -> None:
    user, other = user_and_detector
    (tmp_path / other / "__init__.py").write_text("__version__ = '1.0'\n")
    if version is None:
        (tmp_path / other / "version.py").unlink()
    else:
        (tmp_path / other / "version.py").write_text(version)
    with late_packages(user, other, "no_such_package_of_a_test"):
        assert importlib.import_module(user).version == "1.0"
    assert sys.modules[other].__file__


def test_requests_finds_out_an_encoding_although_it_was_loaded_without_what_does() -> None:
    code = """
import sys
from azext_acrscope.base import http
http.load_requests()
detectors = {"chardet", "charset_normalizer"} & set(sys.modules)
import requests
answer = requests.Response()
answer._content = "Grüße aus Zürich, äöü und ß: viele schöne Grüße".encode("latin-1")
print(sorted(detectors), "Grüße" in answer.text)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.split() == ["[]", "True"]
