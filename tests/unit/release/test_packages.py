"""The wheel and the sdist are the same whenever, wherever and by whomever they are built."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.errors import RefusedError
from release.packages import build_packages, without_traces
from release.source import find_source
from tests.factories.files import write
from tests.factories.projects import commit, make_project

builds = pytest.mark.stage  # building takes seconds, which `make check` does without


@builds
def test_builds_are_the_same_under_any_umask_and_hold_the_package(tmp_path: Path) -> None:
    source = find_source(make_project(tmp_path / "project"))
    old = os.umask(0o077)
    try:
        built = build_packages(source, tmp_path / "workshop")
    finally:
        os.umask(old)
    with zipfile.ZipFile(built[0]) as wheel:
        # What others may do; setuptools gives RECORD, which it makes up itself, a mode of its own.
        assert {member.external_attr >> 16 & 0o007 for member in wheel.infolist()} == {0o004}
    assert [file.name for file in built] == ["example-1.2.0-py3-none-any.whl", "example-1.2.0.tar.gz"]
    with tarfile.open(built[1]) as sdist:
        assert {member.uname for member in sdist} == {""}
        assert len({member.mtime for member in sdist}) == 1
        assert "example-1.2.0/example/__init__.py" in sdist.getnames()


@builds
def test_builds_that_differ_are_no_release(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    stamp = "open('example/stamp.py', 'w').write(f'STAMP = {os.urandom(8)}')"
    write(project / "setup.py", f"import os\nfrom setuptools import setup\n{stamp}\nsetup()\n")
    commit(project)
    with pytest.raises(RefusedError, match="Two builds of .* differ") as caught:
        build_packages(find_source(project), tmp_path / "workshop")
    assert str(caught.value).count("example-1.2.0-py3-none-any.whl") == 2


@builds
def test_a_build_that_fails_says_what_setuptools_says(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    write(project / "setup.py", "raise SystemExit('no such thing')\n")
    commit(project)
    with pytest.raises(RefusedError, match="no such thing"):
        build_packages(find_source(project), tmp_path / "workshop")


def archive(names: list[str], user: str, time: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for name in names:
            member = tarfile.TarInfo(name)
            member.uname, member.uid, member.mtime, member.mode, member.size = user, time % 1000, time, 0o600, len(name)
            files.addfile(member, io.BytesIO(name.encode()))
    return packed.getvalue()


def test_an_sdist_does_not_say_who_made_it_when_and_in_which_order() -> None:
    one, other = archive(["a/x", "a/y"], "ann", 1_700_000_001), archive(["a/y", "a/x"], "bob", 1_700_000_999)
    assert without_traces(one, 1_600_000_000) == without_traces(other, 1_600_000_000)
    with tarfile.open(fileobj=io.BytesIO(without_traces(one, 1_600_000_000))) as files:
        content = {member.name: files.extractfile(member) for member in files}
        assert {name: stream.read() for name, stream in content.items() if stream} == {"a/x": b"a/x", "a/y": b"a/y"}
    assert without_traces(one, 1_600_000_000) != without_traces(archive(["a/x"], "ann", 1_700_000_001), 1_600_000_000)
