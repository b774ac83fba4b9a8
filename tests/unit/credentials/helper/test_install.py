"""Installing the helper: the launcher, the settings and the client's file, and taking them out again."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.cli.core
import pytest
from azure.cli.core.azclierror import FileOperationError, ValidationError

from azext_acrscope.credentials.helper import cache, cache_update, cli, install, launcher, state
from tests.factories.helper import BREAKERS, HOST, Hops

OTHER = "fabrikam.azurecr.io"
CLI = {"credential": "cli"}


@pytest.fixture(autouse=True)
def bin_dir(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = home / ".local/bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def add(
    *names: str, client: str = "docker", source: dict[str, str] = CLI, bin_dir: str | None = None
) -> install.SetupPlan:
    plan = install.plan_setup(dict.fromkeys(names or [HOST], source), client, bin_dir)
    install.apply_setup(plan)
    return plan


def remove(chosen: Callable[[list[str]], list[str]] = list, client: str = "docker") -> install.SetupPlan:
    plan = install.plan_removal(chosen, client, None)
    install.apply_setup(plan)
    return plan


def config(home: Path, file: str = ".docker/config.json") -> Any:
    return json.loads((home / file).read_text())


def write(home: Path, content: Any, file: str = ".docker/config.json") -> Path:
    (home / file).parent.mkdir(parents=True, exist_ok=True)
    (home / file).write_text(content if isinstance(content, str) else json.dumps(content))
    return home / file


def test_a_host_is_added_with_launcher_settings_and_entry(home: Path, bin_dir: Path) -> None:
    plan = add()
    assert plan.results == {HOST: "added"}
    assert config(home) == {"credHelpers": {HOST: "acrscope"}}
    assert state.read_settings() == {HOST: CLI}
    assert stat.S_IMODE(os.stat(bin_dir / "docker-credential-acrscope").st_mode) == 0o755
    assert stat.S_IMODE(os.stat(home / ".docker/config.json").st_mode) == 0o600


def test_everything_is_described_before_and_nothing_written_by_a_plan(home: Path, bin_dir: Path) -> None:
    write(home, {"credHelpers": {HOST: "ecr-login"}})
    plan = install.plan_setup({HOST: CLI, OTHER: CLI}, "docker", None)
    text = "\n".join(install.describe_setup(plan))
    for line in launcher.launcher_text().splitlines():
        assert f"    {line}" in text
    assert f"- {HOST}: ecr-login" in text
    assert f"+ {HOST}: acrscope" in text
    assert f"+ {OTHER}: acrscope" in text
    assert state.settings_file() in text
    assert not list(bin_dir.iterdir())
    assert not Path(state.settings_file()).exists()


def test_a_repeat_changes_nothing(home: Path) -> None:
    add()
    file = home / ".docker/config.json"
    before = (file.stat().st_ino, Path(state.settings_file()).stat().st_ino)
    plan = add()
    assert plan.empty
    assert plan.results == {HOST: "unchanged"}
    assert install.describe_setup(plan) == []
    assert (file.stat().st_ino, Path(state.settings_file()).stat().st_ino) == before


def test_another_helper_is_named_and_replaced_for_that_host_alone(home: Path) -> None:
    write(home, {"credHelpers": {HOST: "ecr-login", "x.example": "other"}, "credsStore": "pass", "psFormat": "x"})
    plan = add()
    assert plan.results == {HOST: "replaced"}
    assert any("docker-credential-ecr-login" in line for line in plan.warnings)
    assert config(home) == {
        "credHelpers": {HOST: "acrscope", "x.example": "other"},
        "credsStore": "pass",
        "psFormat": "x",
    }


def test_a_stored_credential_that_is_no_longer_used_is_named(home: Path) -> None:
    write(home, {"auths": {HOST: {"auth": "eDp5"}, OTHER: {}}})
    plan = add(HOST, OTHER)
    assert len(plan.warnings) == 1
    assert f"docker logout {HOST}" in plan.warnings[0]


def test_podmans_entry_outlives_a_restart_and_a_login_in_its_way_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    write(home, {"auths": {HOST: {"auth": "eDp5"}}}, "run/containers/auth.json")
    plan = add(client="podman")
    assert config(home, ".config/containers/auth.json") == {"credHelpers": {HOST: "acrscope"}}
    assert any(f"podman logout {HOST}" in line for line in plan.warnings)
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "mine.json"))
    add(client="podman")
    assert config(home, "mine.json") == {"credHelpers": {HOST: "acrscope"}}


def test_a_long_list_is_warned_of(home: Path) -> None:
    few = [f"contoso{number}.azurecr.io" for number in range(20)]
    assert not add(*few).warnings
    assert any("More than 20" in line for line in add(HOST).warnings)


@pytest.mark.parametrize("content", ["{", "[]", '{"credHelpers": []}'])
def test_a_file_that_makes_no_sense_is_refused_and_left_alone(home: Path, bin_dir: Path, content: str) -> None:
    file = write(home, content)
    with pytest.raises(FileOperationError):
        add()
    assert file.read_text() == content
    assert not list(bin_dir.iterdir())


def test_the_launchers_place_taken_by_another_program_is_refused(home: Path, bin_dir: Path) -> None:
    other = bin_dir / "docker-credential-acrscope"
    for content in (b"#!/bin/sh\n", b"\x7fELF\xff\xfe"):
        other.write_bytes(content)
        with pytest.raises(FileOperationError, match="another program"):
            add(bin_dir=str(bin_dir))
        assert other.read_bytes() == content
    other.unlink()
    other.symlink_to(home / "nowhere")
    with pytest.raises(FileOperationError, match="another program"):
        add(bin_dir=str(bin_dir))


def test_a_launcher_of_another_installation_is_renewed(bin_dir: Path) -> None:
    add()
    program = bin_dir / "docker-credential-acrscope"
    program.write_text(program.read_text().replace("python=", "python=/gone"))
    assert add().launcher
    assert program.read_text() == launcher.launcher_text()


@pytest.mark.parametrize("theirs", ["", "cli of %40theirs"])
def test_the_launcher_of_another_configuration_is_not_taken_over_in_silence_or_away(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    def use(folder: str) -> None:
        monkeypatch.setenv("AZURE_CONFIG_DIR", str(home / folder) if folder else "")

    use(theirs)
    add(HOST)
    program = bin_dir / "docker-credential-acrscope"
    made = program.read_text()
    assert launcher.configuration_of(made) == (str(home / theirs) if theirs else "")
    use("ours")
    removal = install.plan_removal(lambda known: known, "docker", None)
    assert (removal.launcher, bool(removal.helpers)) == (None, True)
    taken = install.plan_setup({HOST: CLI}, "docker", None)
    assert f"made for the configuration of the Azure CLI in {home / theirs if theirs else '~/.azure'}" in "".join(
        taken.warnings
    )
    use(theirs)
    assert not install.plan_setup({HOST: CLI}, "docker", None).warnings
    remove()
    assert not program.exists()


def test_removing_takes_out_ours_and_nothing_else(home: Path, bin_dir: Path, hops: Hops) -> None:
    write(home, {"credHelpers": {"x.example": "other"}, "auths": {}})
    add(HOST, OTHER)
    with cache_update.update_cache() as content:
        content["stored"] = {host: {"username": "u", "secret": "s"} for host in (HOST, OTHER)}
    plan = remove(lambda known: [host for host in known if host == HOST])
    assert plan.results == {HOST: "removed"}
    assert config(home) == {"credHelpers": {"x.example": "other", OTHER: "acrscope"}, "auths": {}}
    assert state.read_settings() == {OTHER: CLI}
    assert list(cache.read_cache()["stored"]) == [OTHER]
    assert (bin_dir / "docker-credential-acrscope").exists()
    remove()
    assert config(home) == {"credHelpers": {"x.example": "other"}, "auths": {}}
    assert state.read_settings() == {}
    assert not (bin_dir / "docker-credential-acrscope").exists()
    assert remove().empty


def test_what_was_replaced_comes_back(home: Path) -> None:
    before = {"credHelpers": {HOST: "ecr-login", OTHER: "", "x.example": "other"}, "psFormat": "x"}
    write(home, before)
    add(HOST, OTHER)
    add(HOST, OTHER)
    plan = install.plan_removal(list, "docker", None)
    assert f"    + {HOST}: ecr-login" in install.describe_setup(plan)
    remove(lambda known: [host for host in known if host == HOST])
    assert config(home)["credHelpers"] == {**before["credHelpers"], OTHER: "acrscope"}  # type: ignore[dict-item]
    remove()
    assert config(home) == before
    assert json.loads(Path(state.settings_file()).read_text()).keys() == {"hosts", "files"}


def test_what_was_added_since_is_not_replaced_by_something_older(home: Path) -> None:
    write(home, {"credHelpers": {HOST: "old"}})
    add()
    write(home, {"credHelpers": {HOST: "newer"}})
    remove()
    assert config(home) == {"credHelpers": {HOST: "newer"}}
    add()
    remove()
    assert config(home) == {"credHelpers": {HOST: "newer"}}


def test_helpers_of_two_files_come_back_each_to_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"credHelpers": {HOST: "one"}})
    write(home, {"credHelpers": {HOST: "two"}}, "job/config.json")
    add()
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "job"))
    add()
    remove()
    monkeypatch.delenv("DOCKER_CONFIG")
    remove()
    assert config(home) == {"credHelpers": {HOST: "one"}}
    assert config(home, "job/config.json") == {"credHelpers": {HOST: "two"}}


@pytest.fixture
def keychain(bin_dir: Path) -> str:
    """A keychain's helper on PATH, which docker picks by itself while its file has no credentials."""
    program = bin_dir / "docker-credential-secretservice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return "secretservice"


@pytest.mark.parametrize("client", ["docker", "oras"])
@pytest.mark.parametrize("before", [None, {}, {"psFormat": "x"}, {"auths": {}}])
def test_the_keychain_that_docker_picks_by_itself_is_written_down_and_taken_out_again(
    home: Path, keychain: str, before: dict[str, Any] | None, client: str
) -> None:
    if before is not None:
        write(home, before)
    plan = install.plan_setup({HOST: CLI}, client, None)
    assert f"    + {keychain}" in install.describe_setup(plan)
    install.apply_setup(plan)
    assert config(home) == {**(before or {}), "credsStore": keychain, "credHelpers": {HOST: "acrscope"}}
    add(OTHER, client=client)
    remove(lambda known: [host for host in known if host == HOST], client)
    assert config(home)["credsStore"] == keychain
    remove(client=client)
    assert config(home) == (before or {})
    assert remove(client=client).empty


@pytest.mark.parametrize(
    ("client", "before"),
    [
        ("podman", None),
        ("nerdctl", None),
        ("docker", {"auths": {OTHER: {}}}),
        ("docker", {"credsStore": "pass"}),
        ("docker", {"credHelpers": {OTHER: "x"}}),
    ],
)
def test_a_keychain_that_is_not_picked_is_not_written_down(
    home: Path, keychain: str, client: str, before: dict[str, Any] | None
) -> None:
    if before is not None:
        write(home, before)
    plan = add(client=client)
    assert plan.store is None
    assert json.loads(plan.file.read_text()).get("credsStore") in (None, "pass")


def test_a_keychain_that_is_in_use_since_stays(home: Path, keychain: str) -> None:
    add()
    write(home, {**config(home), "auths": {"docker.io": {}}})
    remove()
    assert config(home) == {"credsStore": keychain, "auths": {"docker.io": {}}}


@pytest.mark.parametrize("break_file", BREAKERS)
def test_broken_settings_are_an_error_of_each_command_and_are_left_alone(
    home: Path, bin_dir: Path, break_file: Callable[[Path], None]
) -> None:
    write(home, {"credHelpers": {HOST: "acrscope"}})
    break_file(Path(state.settings_file()))
    before = os.lstat(state.settings_file())
    for run_it in (add, remove):
        with pytest.raises(FileOperationError, match="settings of docker-credential-acrscope"):
            run_it()
    assert os.lstat(state.settings_file()) == before
    assert config(home) == {"credHelpers": {HOST: "acrscope"}}
    assert not list(bin_dir.iterdir())


@pytest.mark.parametrize("files", [5, [5], {"x": 1}])
def test_settings_whose_further_members_make_no_sense_are_written_anew(home: Path, files: object) -> None:
    Path(state.helper_folder()).mkdir()
    Path(state.settings_file()).write_text(json.dumps({"hosts": {OTHER: CLI}, "files": files, "undo": files}))
    add()
    remove()
    assert json.loads(Path(state.settings_file()).read_text())["files"] == [str(home / ".docker/config.json")]


@pytest.mark.parametrize("break_file", BREAKERS[1:3])
def test_a_pipe_in_the_launchers_place_is_another_program(bin_dir: Path, break_file: Callable[[Path], None]) -> None:
    break_file(bin_dir / "docker-credential-acrscope")
    with pytest.raises(FileOperationError, match="is another program"):
        add(bin_dir=str(bin_dir))


def test_the_launcher_stays_while_another_client_uses_it(home: Path, bin_dir: Path) -> None:
    add()
    add(client="podman")
    remove()
    assert (bin_dir / "docker-credential-acrscope").exists()
    assert state.read_settings() == {HOST: CLI}
    remove(client="podman")
    assert not (bin_dir / "docker-credential-acrscope").exists()
    assert state.read_settings() == {}


def test_the_launcher_stays_for_a_file_that_docker_config_does_not_name_now(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "job"))
    add()
    remove()
    assert (bin_dir / "docker-credential-acrscope").exists()
    assert state.read_settings() == {HOST: CLI}
    monkeypatch.delenv("DOCKER_CONFIG")
    remove()
    assert not (bin_dir / "docker-credential-acrscope").exists()
    assert state.read_settings() == {}


def test_another_helper_set_since_is_left_in_place(home: Path) -> None:
    add()
    write(home, {"credHelpers": {HOST: "mine"}})
    assert remove().results == {}
    assert config(home) == {"credHelpers": {HOST: "mine"}}


def test_the_launcher_goes_to_a_directory_of_the_users_own(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, shared, good = home / "venv/bin", home / "shared", home / "good"
    for folder in (venv, shared, good):
        folder.mkdir(parents=True)
    (home / "venv/pyvenv.cfg").touch()
    shared.chmod(0o777)
    folders = ["relative", str(venv), str(home / "missing"), str(shared), "/usr/bin", "/bin"]
    monkeypatch.setenv("PATH", ":".join(folders))
    with pytest.raises(ValidationError, match="No directory on PATH"):
        add()
    monkeypatch.setenv("PATH", ":".join([*folders, str(good)]))
    assert add().program == good / "docker-credential-acrscope"
    (good / "docker-credential-acrscope").unlink()
    monkeypatch.setenv("PATH", ":".join([*folders, str(good), str(bin_dir)]))
    assert add().program == bin_dir / "docker-credential-acrscope"
    assert not add().warnings


def test_a_launcher_where_others_may_write_is_not_followed_there(
    home: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("PATH", f"{shared}{os.pathsep}{bin_dir}")
    planted = shared / "docker-credential-acrscope"
    planted.write_text(launcher.launcher_text().replace("python=", "python=/theirs"))
    assert add().program == bin_dir / "docker-credential-acrscope"
    assert "/theirs" in planted.read_text()


def test_a_directory_that_is_not_on_path_is_used_with_a_warning(home: Path) -> None:
    plan = add(bin_dir="~/elsewhere")
    assert plan.program == home / "elsewhere/docker-credential-acrscope"
    assert any("not on PATH" in line for line in plan.warnings)


def test_the_client_is_not_told_of_a_launcher_that_could_not_be_written(home: Path) -> None:
    with pytest.raises(FileOperationError, match="cannot be written"):
        add(bin_dir="/proc/nosuch")
    assert not (home / ".docker/config.json").exists()
    assert not Path(state.settings_file()).exists()


def run(program: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, "version"], env=env or {}, capture_output=True, text=True, check=False)


def test_a_launcher_whose_cli_is_gone_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(home / "it's gone"))
    program = add().program
    assert program
    done = run(program)
    assert done.returncode == 1
    assert "az acr scope configure-docker" in done.stdout
    assert done.stderr == ""


def test_a_launcher_hands_on_its_arguments_and_the_configuration_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = home / "it's $here"
    main = root / "azext_acrscope/credentials/helper/__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text("import os, sys; print(sys.argv[1:], os.environ.get('AZURE_CONFIG_DIR'), sys.flags.no_site)")
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(root))
    program = add().program
    assert program
    assert run(program).stdout == f"['version'] {home / 'azure'} 1\n"
    assert run(program, {"AZURE_CONFIG_DIR": "/other"}).stdout == "['version'] /other 1\n"
    monkeypatch.delenv("AZURE_CONFIG_DIR")
    assert "AZURE_CONFIG_DIR" not in launcher.launcher_text()


def test_a_launcher_finds_a_cli_that_its_own_launcher_names_in_pythonpath(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The RPM's does: its packages are not those of the interpreter it runs."""
    folder = home / "it's lib64" / "site-packages"
    core = folder / "azure" / "cli" / "core" / "__init__.py"
    core.parent.mkdir(parents=True)
    core.touch()
    monkeypatch.setattr(azure.cli.core, "__file__", str(core))
    assert "-X" not in launcher.launcher_text()
    monkeypatch.setenv("PYTHONPATH", f"/elsewhere:{home}/bin/../it's lib64/site-packages")
    root = home / "root"
    main = root / "azext_acrscope/credentials/helper/__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text("import sys; print(sys._xoptions, sys.argv[1:])")
    monkeypatch.setattr(cli, "EXTENSION_ROOT", str(root))
    program = add().program
    assert program
    assert run(program).stdout == f"{ {'packages': str(folder)} } ['version']\n"
