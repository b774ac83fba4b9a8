import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.cli.core.azclierror import FileOperationError
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.base.regular_files import open_with_size
from azext_acrscope.consumers.code import walk
from azext_acrscope.consumers.code.counts import WalkCounts
from tests.factories.source import make_hostile, write_tree


def read(*paths: Path | str) -> tuple[dict[str, bytes], WalkCounts]:
    """The files of a walk by the name that results have, and the counts."""
    counts, found = WalkCounts(), dict[str, bytes]()
    for root in walk.find_roots([str(each) for each in paths]):
        for path, content in walk.read_files(root, counts):
            found[root.shown_name(path)] = content
    return found, counts


def test_files_are_named_relative_to_the_folder(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.yml": "1", "deep/er/b.yml": "2"})
    found, counts = read(tmp_path)
    assert found == {"a.yml": b"1", "deep/er/b.yml": b"2"}
    assert counts.files == 2


def test_files_of_several_folders_are_named_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"app/a.yml": "1", "infra/a.yml": "2", "c.yml": "3"})
    monkeypatch.chdir(tmp_path)
    found, _ = read("app/", "./infra", "c.yml")
    assert set(found) == {"app/a.yml", "infra/a.yml", "c.yml"}


def test_a_folder_that_was_given_twice_is_one(tmp_path: Path) -> None:
    write_tree(tmp_path, {"app/a.yml": "1"})
    (tmp_path / "link").symlink_to(tmp_path / "app")
    roots = walk.find_roots([str(tmp_path / "app"), str(tmp_path / "app"), str(tmp_path / "link")])
    assert [root.path for root in roots] == [str(tmp_path / "app")]


def test_a_file_is_known_by_its_name_in_the_repository(tmp_path: Path) -> None:
    write_tree(tmp_path, {".github/workflows/build.yml": "1", ".git/config": ""})
    [folder] = walk.find_roots([str(tmp_path / ".github" / "workflows")])
    [file] = walk.find_roots([str(tmp_path / ".github/workflows/build.yml")])
    path = str(tmp_path / ".github/workflows/build.yml")
    assert folder.shown_name(path) == "build.yml"
    assert folder.name_in_repository(path) == file.name_in_repository(path) == ".github/workflows/build.yml"


def test_a_folder_without_a_repository_is_its_own(tmp_path: Path) -> None:
    write_tree(tmp_path, {"app/main.bicep": "1"})
    [root] = walk.find_roots([str(tmp_path)])
    assert root.name_in_repository(str(tmp_path / "app/main.bicep")) == "app/main.bicep"


def test_the_home_of_a_person_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"code/a.yml": "1"})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert set(read("~/code")[0]) == {"a.yml"}


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileOperationError, match="no folder or file"):
        walk.find_roots([str(tmp_path / "nowhere")])


def test_folders_of_other_peoples_code_are_left_out_and_counted(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{name}/x.yml": "1" for name in ("node_modules", "a/node_modules", ".git", "Vendor", "src")})
    found, counts = read(tmp_path)
    assert set(found) == {"src/x.yml"}
    assert counts.left_out == {"node_modules": 2, ".git": 1, "vendor": 1}


def test_a_folder_that_was_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    write_tree(tmp_path, {"vendor/x.yml": "1"})
    assert set(read(tmp_path / "vendor")[0]) == {"x.yml"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"in/a.yml": "1", "out/secret.yml": "2"})
    (tmp_path / "in/out").symlink_to(tmp_path / "out")
    (tmp_path / "in/secret.yml").symlink_to(tmp_path / "out/secret.yml")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/broken").symlink_to(tmp_path / "nowhere")
    found, counts = read(tmp_path / "in")
    assert set(found) == {"a.yml"}
    assert counts.links == 4


def test_a_link_that_was_named_is_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"real/a.yml": "1"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert set(read(tmp_path / "link")[0]) == {"a.yml"}


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"in/a.yml": "1", "out/secret.yml": "2"})
    real = open_with_size

    def swap(path: str, flags: int) -> tuple[int, int]:
        os.unlink(path)
        os.symlink(tmp_path / "out/secret.yml", path)
        return real(path, flags)

    monkeypatch.setattr(walk, "open_with_size", swap)
    found, counts = read(tmp_path / "in")
    assert not found
    assert counts.unreadable.number == 1


def test_binaries_and_large_files_are_counted_and_not_read(tmp_path: Path) -> None:
    text = b"x" * walk.MAX_FILE_BYTES
    write_tree(tmp_path, {"a.png": b"\x89PNG\0", "big.zip": b"PK\0" + text, "big.yml": text + b"x", "most.yml": text})
    found, counts = read(tmp_path)
    assert set(found) == {"most.yml"}
    assert (counts.binary, counts.large.names) == (2, ["big.yml"])


def test_what_windows_powershell_writes_is_text(tmp_path: Path) -> None:
    content = "az acr login"
    write_tree(tmp_path, {"le.ps1": b"\xff\xfe" + content.encode("utf-16-le"), "be.ps1": content.encode("utf-16")})
    assert set(read(tmp_path)[0].values()) == {content.encode()}


def test_what_cannot_be_read_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"closed/a.yml": "1", "b.yml": "2", "open.yml": "3"})
    scan, open_file = os.scandir, open_with_size

    def refuse(path: str, name: str, then: Callable[[], object]) -> object:
        if path.endswith(name):
            raise PermissionError(13, "Permission denied")
        return then()

    monkeypatch.setattr(os, "scandir", lambda path: refuse(path, "closed", lambda: scan(path)))
    monkeypatch.setattr(
        walk, "open_with_size", lambda path, flags: refuse(path, "b.yml", lambda: open_file(path, flags))
    )
    found, counts = read(tmp_path)
    assert set(found) == {"open.yml"}
    assert sorted(counts.unreadable.names) == ["b.yml (Permission denied)", "closed (Permission denied)"]


def test_a_tree_without_an_end_is_cut_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {f"{number}.yml": "1" for number in range(10)})
    monkeypatch.setattr(walk, "MAX_ENTRIES", 4)
    found, counts = read(tmp_path)
    assert len(found) == 4
    assert counts.cut


def test_a_hostile_tree_ends_and_leads_nowhere(tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", {"secret.yml": "sign-in breaks"})
    make_hostile(tmp_path / "tree", outside)
    ended = threading.Timer(60, os._exit, [3])  # what waits for a pipe would wait forever
    ended.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, counts = read(tmp_path / "tree")
    ended.cancel()
    assert not any("secret" in name for name in found)
    assert (counts.links, counts.special, counts.binary, counts.large.names) == (4, 2, 1, ["large.yml"])
    assert "File name too long" in counts.unreadable.names[0]
    assert all(name.isprintable() for name in found)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, f"{grown} KB more"


def test_of_other_formats_only_scripts_are_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.run": "#!/bin/sh\n",
        "b.run": "#",
        "c.run": "",
        "d.run": "x#!/bin/sh",
        "e.yml": "1",
    }
    write_tree(tmp_path, files)
    (tmp_path / "b.run").chmod(0)
    counts = WalkCounts()
    [root] = walk.find_roots([str(tmp_path)])
    found = {root.shown_name(path) for path, _ in walk.read_files(root, counts, lambda path: path.endswith("yml"))}
    assert found == {"a.run", "e.yml"}
    assert (counts.files, counts.other_formats, counts.unreadable.number) == (2, 3, 0)


@given(
    st.sets(st.binary(min_size=1, max_size=20).filter(lambda name: b"/" not in name and b"\0" not in name), max_size=5)
)
def test_any_name_is_read_and_printable(tmp_path_factory: pytest.TempPathFactory, names: set[bytes]) -> None:
    folder = tmp_path_factory.mktemp("names")
    names = {
        each
        for each in names
        if each not in (b".", b"..") and each.lower().decode("latin-1") not in walk.LEFT_OUT_FOLDERS
    }
    for name in names:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(b"text")
    counts = WalkCounts()
    [root] = walk.find_roots([str(folder)])
    shown = [root.shown_name(path) for path, _ in walk.read_files(root, counts)]
    assert len(shown) == counts.files == len(names)
    for each in shown:
        each.encode("utf-8")
        assert "\x1b" not in each
        assert "\n" not in each
