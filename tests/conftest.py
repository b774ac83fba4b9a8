"""What all tests share: which of them need more than this checkout and .venv, and recorded traffic."""

import functools
import gc
import inspect
import sys
from collections.abc import Generator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.factories.wire import OWN, RECORDED, Recordings

# Without limits of time: how fast a machine is, and what else runs on it, is no fault of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_SOURCES = [OWN, RECORDED] if RECORDED.is_dir() else [OWN]
# What takes a minute. Begun last, one worker would be at it when all others have ended.
_LONG = ("tests/e2e/test_faults.py", "tests/e2e/test_leaks.py", "tests/e2e/test_release.py")


def pytest_report_header() -> str:
    if RECORDED.is_dir():
        return "recorded traffic: tests of answers run on it, and on files of our own"
    return "recorded traffic: not at hand, so tests of answers run on files of our own"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip, on Python 3.10, what fails for want of duckdb-kql, on which the local Azure answers queries."""
    report = yield
    # Only what uses the local Azure has loaded this, which takes a second.
    refused: list[str] = getattr(sys.modules.get("tests.localcloud.kql"), "refused_for_python", [])
    if refused and report.failed:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, "Skipped: queries of Resource Graph need duckdb-kql, and Python 3.11")
    if report.when == "teardown":
        refused.clear()
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the coverage of each room, where coverage was asked for."""
    if getattr(config.option, "cov_source", None):
        from tests import rooms

        terminalreporter.section("coverage by the tests that run in this process")
        terminalreporter.write_line(rooms.table())


@pytest.fixture(params=_SOURCES, ids=lambda folder: "own" if folder == OWN else "recorded")
def recordings(request: pytest.FixtureRequest) -> Recordings:
    """What the services send: files of our own, and recorded traffic where it is at hand."""
    return Recordings(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the collector of garbage from the many objects that stay: to look there takes a tenth of a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `stage` what `make check` leaves out, and put first what takes long."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
    for item in items:
        if isinstance(item, pytest.Function) and _needs_a_stage(item):
            item.add_marker("stage")


def _needs_a_stage(item: pytest.Function) -> bool:
    """Tell whether a test is about or uses the local Azure, or runs a program of .venvs."""
    about = {"e2e", "localcloud"} & set(item.nodeid.split("/"))
    return bool(about) or "cloud" in item.fixturenames or _uses_venvs(item.module)


@functools.cache
def _uses_venvs(module: ModuleType) -> bool:
    """Tell whether a test module, or a module of the tests that it takes something from, names .venvs."""
    names = {getattr(value, "__module__", None) for value in vars(module).values()}
    modules: list[Any] = [module, *(sys.modules.get(name) for name in names if name and name.startswith("tests."))]
    return any(".venvs/" in inspect.getsource(each) for each in modules)
