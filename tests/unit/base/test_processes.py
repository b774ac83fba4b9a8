"""Other programs: found where they may be, run to their end, quoted without secrets."""

from pathlib import Path

import pytest
from azure.cli.core.azclierror import ValidationError

from azext_acrscope.base import processes
from tests.factories.tokens import jwt

SECRET = jwt(aud="contoso.azurecr.io")


def program(file: Path, script: str) -> str:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_a_program_gets_its_input_and_its_answer_is_whole(tmp_path: Path) -> None:
    ended = processes.run_program(
        [program(tmp_path / "echo", "cat; echo said >&2; exit 3"), "get"], SECRET.encode(), 20
    )
    assert (ended.code, ended.stdout.decode(), ended.said) == (3, SECRET, "said")
    assert SECRET not in str(ended.said)


def test_only_a_failure_is_explained_by_standard_output(tmp_path: Path) -> None:
    assert processes.run_program([program(tmp_path / "good", "echo fine")], b"", 20).said == ""
    assert processes.run_program([program(tmp_path / "bad", "echo wrong; exit 1")], b"", 20).said == "wrong"


def test_a_program_that_does_not_read_its_input_is_no_failure(tmp_path: Path) -> None:
    assert processes.run_program([program(tmp_path / "deaf", "exit 0")], b"x" * 1_000_000, 20).code == 0


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        processes.run_program([program(tmp_path / "slow", "exec sleep 600")], b"", 0)


@pytest.mark.parametrize("content", ["", "#!/no/such/interpreter\n"])
def test_what_cannot_be_run_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken").write_text(content)
    if content:
        (tmp_path / "broken").chmod(0o755)
    with pytest.raises(OSError, match="Permission denied|No such file"):
        processes.run_program([str(tmp_path / "broken")], b"", 20)


def test_a_helper_in_the_working_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "docker-credential-x", "exit 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValidationError, match="working directory"):
        processes.find_program("docker-credential-x")
    assert processes.find_program("docker-credential-y") is None
