"""What may be released: a commit with nothing beside it, and with an entry in HISTORY.rst."""

import re
from pathlib import Path

import pytest

from release.errors import RefusedError
from release.source import find_source
from tests.factories.files import write
from tests.factories.projects import PROJECT, commit, make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def test_a_clean_checkout_is_a_source(project: Path) -> None:
    source = find_source(project, "v1.2.0")
    assert (source.version, source.tag, source.home) == ("1.2.0", "v1.2.0", "https://example.com/example")
    assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
    assert source.date > 1_700_000_000


@pytest.mark.parametrize("file", ["example/__init__.py", "example/forgotten.py"])
def test_a_file_that_is_not_committed_refuses_the_release_by_its_name(project: Path, file: str) -> None:
    write(project / file, "changed = True\n")
    with pytest.raises(RefusedError, match="differs from its commit") as caught:
        find_source(project)
    assert file in str(caught.value)
    assert "Commit the changes" in str(caught.value)


def test_a_version_that_history_does_not_know_refuses_the_release(project: Path) -> None:
    write(project / "pyproject.toml", PROJECT.replace("1.2.0", "1.3.0"))
    commit(project)
    with pytest.raises(RefusedError, match=r"says nothing of version 1\.3\.0; it has 1\.2\.0, 1\.1\.0"):
        find_source(project)


def test_the_tag_of_another_version_refuses_the_release(project: Path) -> None:
    with pytest.raises(RefusedError, match=r"The tag is v1\.1\.0 and pyproject\.toml has version 1\.2\.0"):
        find_source(project, "v1.1.0")


def test_a_project_without_its_address_refuses_the_release(project: Path) -> None:
    write(project / "pyproject.toml", PROJECT.replace("Home", "Homepage"))
    commit(project)
    with pytest.raises(RefusedError, match="no line `Home = …`"):
        find_source(project)


def test_a_folder_outside_git_refuses_the_release(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="`git status` failed"):
        find_source(tmp_path)


def test_what_is_unpacked_is_the_commit(project: Path, tmp_path: Path) -> None:
    source = find_source(project)
    write(project / "example/forgotten.py", "late = True\n")
    unpacked = source.unpack(tmp_path / "a/b")
    files = sorted(str(each.relative_to(unpacked)) for each in unpacked.rglob("*") if each.is_file())
    assert files == ["HISTORY.rst", "example/__init__.py", "pyproject.toml"]
    assert [each.name for each in unpacked.parent.iterdir()] == ["b"]
