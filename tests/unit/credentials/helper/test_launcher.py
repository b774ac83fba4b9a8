"""A CLI that moves: Homebrew and mise run az from a folder with its version in the name (azure-cli#33720)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from azext_acrscope.credentials.helper import cli, launcher

PROGRAM = "docker-credential-acrscope"
PYTHON = os.path.realpath(sys.executable)


@pytest.fixture(autouse=True)
def bin_dir(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the user's own, alone on PATH with the system's; an extension that says who runs it."""
    folder = home / ".local/bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    main = home / "ext/azext_acrscope/credentials/helper/__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text("import sys; print(sys.executable)")
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(home / "ext"))
    return folder


def install(folder: Path, executable: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the launcher, as the az whose interpreter this is."""
    monkeypatch.setattr(sys, "executable", str(executable))
    launcher.write_launcher(folder / PROGRAM, launcher.launcher_text())
    return folder / PROGRAM


def interpreter(place: Path) -> Path:
    """An interpreter at this place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(PYTHON)
    return place


def az(folder: Path, executable: Path) -> None:
    """An `az` that tells where its interpreter is, as the real one does."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "#!/bin/sh\ntest \"$1\" = --version || exit 2\ncat\necho 'azure-cli   2.89.0'\n"
    (folder / "az").write_text(f"{text}echo \"Python location '{executable}'\"\n")
    (folder / "az").chmod(0o755)


def run(program: Path, path: str = "/usr/bin:/bin", cwd: str = "/") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "get"], env={"PATH": path}, input="x", capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize(
    ("versioned", "link"),
    [
        ("Cellar/azure-cli/{}/libexec/bin/python", "opt/azure-cli"),
        ("mise/installs/azure-cli/{}/bin/python", "mise/installs/azure-cli/latest"),
    ],
)
def test_an_upgrade_that_keeps_a_link_is_not_even_noticed(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch, versioned: str, link: str
) -> None:
    old, new = (interpreter(home / versioned.format(version)) for version in ("2.88.0", "2.89.0"))
    folders = [Path(str(each).partition(version)[0] + version) for each, version in ((old, "2.88.0"), (new, "2.89.0"))]
    (home / link).parent.mkdir(exist_ok=True)
    (home / link).symlink_to(folders[0])
    program = install(bin_dir, old, monkeypatch)
    assert str(home / link) in program.read_text()
    shutil.rmtree(folders[0])
    (home / link).unlink()
    (home / link).symlink_to(folders[1])
    assert run(program).stdout.startswith(str(home / link))


def test_a_link_to_another_version_is_not_taken(home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = interpreter(home / "Cellar/azure-cli/2.88.0/libexec/bin/python")
    (home / "opt/azure-cli/libexec/bin").mkdir(parents=True)
    shutil.copy("/bin/true", home / "opt/azure-cli/libexec/bin/python")
    assert f"python={old}\n" in install(bin_dir, old, monkeypatch).read_text()


def test_a_cli_that_has_moved_is_found_by_the_az_on_path(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = interpreter(home / "2.88.0/bin/python"), interpreter(home / "it's 2.89.0/bin/python")
    program = install(bin_dir, old, monkeypatch)
    assert run(program).stdout == f"{old}\n"
    shutil.rmtree(home / "2.88.0")
    lost = run(program)
    assert (lost.returncode, lost.stderr) == (1, "")
    assert "az acr scope configure-docker" in lost.stdout
    az(home / "shims", new)
    assert run(program, f"{home / 'shims'}:/usr/bin:/bin").stdout == f"{new}\n"


def test_an_az_of_the_working_directory_is_not_run(home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = install(bin_dir, home / "gone/python", monkeypatch)
    az(home / "here", interpreter(home / "python"))
    done = subprocess.run(
        [program, "get"],
        env={"PATH": ".:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        cwd=home / "here",
    )
    assert done.returncode == 1


def test_a_later_command_repairs_the_launcher_and_keeps_the_rest(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(home / "my azure"))
    program = install(bin_dir, interpreter(home / "2.88.0/bin/python"), monkeypatch)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(home / "another"))
    assert launcher.repair_launcher() is None  # it works, and another az may use it
    shutil.rmtree(home / "2.88.0")
    new = interpreter(home / "2.89.0/bin/python")
    monkeypatch.setattr(sys, "executable", str(new))
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(home / "development"))
    assert launcher.repair_launcher() == program
    assert run(program).stdout == f"{new}\n"
    assert str(home / "my azure") in program.read_text()
    assert launcher.repair_launcher() is None


def test_a_launcher_whose_extension_is_gone_is_repaired_with_this_one(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = install(bin_dir, interpreter(home / "bin/python"), monkeypatch)
    shutil.move(home / "ext", home / "moved")
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(home / "moved"))
    assert launcher.repair_launcher() == program
    assert run(program).returncode == 0


@pytest.mark.parametrize("kind", ["missing", "not ours", "in a folder of others"])
def test_what_is_not_the_users_own_launcher_is_left_alone(
    bin_dir: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    program = bin_dir / PROGRAM
    if kind != "missing":
        install(bin_dir, Path("/gone/python"), monkeypatch)
    if kind == "not ours":
        program.write_text("#!/bin/sh\npython=/gone\nmain=/gone\n")
    if kind == "in a folder of others":
        bin_dir.chmod(0o777)
    before = program.read_bytes() if program.exists() else b""
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert launcher.repair_launcher() is None
    assert (program.read_bytes() if program.exists() else b"") == before
