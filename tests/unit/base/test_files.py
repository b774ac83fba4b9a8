"""Files that people name: read as what other tools write them, or refused with the reason."""

from pathlib import Path

import pytest

from azext_acrscope.base import files


def read(file: Path) -> object:
    def unreadable(name: str, why: str) -> Exception:
        return LookupError(f"unreadable {name}: {why}")

    def malformed(name: str, why: str) -> Exception:
        return ArithmeticError(f"malformed {name}: {why}")

    return files.read_json_document(str(file), unreadable, malformed)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_json_is_read_in_the_encodings_that_shells_write(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes('{"name": "Zoë"}'.encode(encoding))
    assert read(file) == {"name": "Zoë"}


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"unreadable .*none\.json: No such file"):
        read(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000])
def test_a_file_that_is_not_json_is_malformed(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(content)
    with pytest.raises(ArithmeticError, match="it is not JSON"):
        read(file)


def test_an_error_without_words_of_the_system_is_named_by_its_kind() -> None:
    assert files.os_error_reason(PermissionError(13, "Permission denied", "/etc/shadow")) == "Permission denied"
    assert files.os_error_reason(BlockingIOError()) == "BlockingIOError"
