"""Credential files: nothing is lost, whoever else writes, whatever the file is."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrscope.base import files
from azext_acrscope.credentials import credential_file


def put(file: Path, host: str) -> None:
    with credential_file.edit_credential_file(file) as content:
        content.setdefault("auths", {})[host] = {"auth": "c2VjcmV0"}


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_new_file_and_its_folder_are_their_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "config.json"
    put(file, "a")
    assert json.loads(file.read_text()) == {"auths": {"a": {"auth": "c2VjcmV0"}}}
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)


def test_what_is_unknown_is_kept_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"zeta": [1, {"deep": "\\u00e4"}], "auths": {"b": {"auth": "x", "email": "y"}}, "alpha": null}')
    put(file, "a")
    content = json.loads(file.read_text())
    assert list(content) == ["zeta", "auths", "alpha"]
    assert content["zeta"] == [1, {"deep": "ä"}]
    assert list(content["auths"]) == ["b", "a"]
    assert content["auths"]["b"] == {"auth": "x", "email": "y"}


def test_a_file_that_others_could_read_no_longer_is_once_a_secret_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    file.chmod(0o644)
    put(file, "a")
    assert mode(file) == 0o600


def test_a_link_stays_one_and_its_target_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "config.json", tmp_path / "config.json"
    target.parent.mkdir()
    link.symlink_to(target)
    put(link, "a")
    assert link.is_symlink()
    put(link, "b")
    assert set(json.loads(target.read_text())["auths"]) == {"a", "b"}


def test_nothing_is_written_when_nothing_changes(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{ "auths":{}}')
    before = file.stat()
    with credential_file.edit_credential_file(file):
        pass
    assert file.read_text() == '{ "auths":{}}'
    assert file.stat().st_ino == before.st_ino


def test_nothing_is_written_when_the_change_fails(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"auths": {"a": {}}}')

    def change_half() -> None:
        with credential_file.edit_credential_file(file) as content:
            content.clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_half()
    assert file.read_text() == '{"auths": {"a": {}}}'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"auths": {', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"auths": []}', "'auths'"),
        ('{"credHelpers": "x"}', "'credHelpers'"),
        ('{"credHelpers": {"x": 7}}', "'credHelpers' for x is not a text"),
        ('{"credsStore": 7}', "'credsStore' is not a text"),
        ('{"auths": {"x": "text"}}', "entry 'x' in its 'auths' is not a JSON object"),
        ('{"auths": {"x": {"auth": 7}}}', "'auth' of the entry 'x' is not a text"),
        ('{"auths": {"x": {"identitytoken": []}}}', "'identitytoken' of the entry 'x' is not a text"),
        ('{"auths": {"x": {}}, "auths": {"y": {}}}', "names 'auths' twice"),
        ('{"zeta": NaN}', "the number NaN is out of range"),
        ('{"zeta": 1e999}', "the number 1e999 is out of range"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_left_alone(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(FileOperationError, match=why):
        put(file, "a")
    assert file.read_text() == text
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".acrscope-")] == []


def test_half_a_character_is_kept_as_json_escapes_it(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"psFormat": "\\ud83d", "name": "\\u00e4"}')
    put(file, "a")
    assert json.loads(file.read_text(encoding="utf-8"))["psFormat"] == "\ud83d"


def make_folder(file: Path) -> None:
    file.mkdir()


def make_far_link(file: Path) -> None:
    file.symlink_to(file.parent / "gone" / "config.json")


@pytest.mark.parametrize(
    ("make", "why"),
    [(os.mkfifo, "not a regular file"), (make_folder, "not a regular file"), (make_far_link, "is a link to .*/gone/")],
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    file = tmp_path / "config.json"
    make(file)
    with pytest.raises(FileOperationError, match=why):
        credential_file.read_credential_file(file)


def test_a_link_to_a_file_that_is_yet_to_be_written_is_an_empty_one(tmp_path: Path) -> None:
    link = tmp_path / "config.json"
    link.symlink_to(tmp_path / "real.json")
    put(link, "a")
    assert (link.is_symlink(), set(json.loads((tmp_path / "real.json").read_text())["auths"])) == (True, {"a"})


@pytest.mark.parametrize(("make", "why"), [(os.mkfifo, "No such device|not a regular"), (make_folder, "Is a dir")])
def test_something_else_in_the_place_of_the_lock_is_named(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / ".config.json.acrscope-lock")
    with pytest.raises(FileOperationError, match=f"its lock {tmp_path}/.config.json.acrscope-lock: {why}"):
        put(tmp_path / "config.json", "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_another_users_file_that_cannot_be_read_is_said_to_be_theirs(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    os.chown(file, 65534, 65534)
    assert files.other_owner(file) == f" ({file} belongs to nobody)"
    assert files.other_owner(tmp_path) == ""


def test_bytes_that_are_no_text_are_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileOperationError):
        put(file, "a")
    assert file.read_bytes() == b"\xff\xfe\x00"


@pytest.mark.parametrize("text", ["", " \n", "\ufeff{}"])
def test_an_empty_file_is_one_without_credentials(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(text, encoding="utf-8")
    put(file, "a")
    assert set(json.loads(file.read_text())["auths"]) == {"a"}


def test_a_folder_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(FileOperationError, match="not a regular file"):
        put(tmp_path / "config.json", "a")


def test_a_place_where_nothing_can_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileOperationError, match="--auth-file|cannot be written"):
        put(tmp_path / "file" / "config.json", "a")


def test_a_rename_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileOperationError, match="No space left"):
        put(file, "a")
    assert file.read_text() == "{}"
    assert sorted(each.name for each in tmp_path.iterdir()) == [".config.json.acrscope-lock", "config.json"]


def test_another_process_that_holds_the_lock_is_waited_for_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_file, "_LOCK_SECONDS", 0.2)
    file = tmp_path / "config.json"
    with credential_file.lock_file(file), pytest.raises(FileOperationError, match="0.2 seconds"):
        put(file, "a")
    put(file, "b")
    assert set(json.loads(file.read_text())["auths"]) == {"b"}


_WRITER = """
import sys
from pathlib import Path
from azext_acrscope.credentials import credential_file
for number in range(20):
    with credential_file.edit_credential_file(Path(sys.argv[1])) as content:
        content.setdefault("auths", {})[f"{sys.argv[2]}-{number}"] = {"auth": "eA=="}
"""


def test_writers_of_several_processes_lose_nothing_and_a_reader_never_sees_a_half(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(file), str(writer)], cwd=Path(__file__).parents[3])
        for writer in range(4)
    ]
    broken: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            text = file.read_text()
            try:
                json.loads(text)
            except ValueError:
                broken.append(text)

    reader = threading.Thread(target=look)
    reader.start()
    codes = [writer.wait() for writer in writers]
    done.set()
    reader.join()
    assert (codes, broken) == ([0] * 4, [])
    assert len(json.loads(file.read_text())["auths"]) == 80


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("portalocker.portalocker.LOCKER", refuse)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waited"))
    with pytest.raises(FileOperationError, match=os.strerror(number)):
        put(tmp_path / "config.json", "a")


def test_nobody_else_can_open_the_lock(tmp_path: Path) -> None:
    put(tmp_path / "config.json", "a")
    assert mode(tmp_path / ".config.json.acrscope-lock") == 0o600


def test_a_file_that_another_user_laid_in_a_shared_folder_does_not_stay_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root would hand its tokens to whoever left a file, or a link to one, in /tmp."""
    given: list[object] = []
    monkeypatch.setattr(os, "chown", lambda *arguments: given.append(arguments[1:]))
    monkeypatch.setattr(os, "stat", _owned_by({"theirs": 4711, "auth.json": 4711, "their-file": 4711}, os.stat))
    (tmp_path / "shared").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "shared/auth.json").write_text("{}")
    (tmp_path / "theirs/their-file").write_text("{}")
    (tmp_path / "shared/link").symlink_to(tmp_path / "theirs/their-file")
    put(tmp_path / "shared/auth.json", "a")
    put(tmp_path / "shared/link", "a")
    assert given == []
    put(tmp_path / "theirs/their-file", "b")
    assert given == [(4711, os.getegid())]


def _owned_by(owners: dict[str, int], real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def stat_(path: Any, **options: Any) -> os.stat_result:
        found = real(path, **options)
        owner = owners.get(Path(path).name, found.st_uid) if isinstance(path, (str, Path)) else found.st_uid
        return os.stat_result((*found[:4], owner, *found[5:10]))

    return stat_
