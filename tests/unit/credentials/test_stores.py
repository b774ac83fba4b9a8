"""Credential stores: what is read from a file and from a helper, and what is left there."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import AzCLIError, FileOperationError, ValidationError

from azext_acrscope.base.tokens import RefreshToken
from azext_acrscope.credentials import stores
from azext_acrscope.credentials.file_errors import BrokenEntryError
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME
from azext_acrscope.credentials.stores import FileStore, HelperStore, StoredCredential
from tests.factories.tokens import jwt

HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"
VALUE = jwt(aud=HOST)
TOKEN = RefreshToken(VALUE, HOST, None)


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def stored(file: Path, auths: dict[str, Any]) -> FileStore:
    file.write_text(json.dumps({"auths": auths}))
    return FileStore(file)


# --- files ---


@pytest.mark.parametrize(
    ("entry", "credential"),
    [
        ({"auth": auth(f"{TOKEN_USERNAME}:secret")}, StoredCredential(TOKEN_USERNAME, "secret")),
        ({"auth": auth("me:a:b")}, StoredCredential("me", "a:b")),
        ({"auth": auth("me:secret\0\0")}, StoredCredential("me", "secret")),
        (
            {"auth": auth(f"{TOKEN_USERNAME}:"), "identitytoken": "t"},
            StoredCredential(TOKEN_USERNAME, "t", identity=True),
        ),
        ({"identitytoken": "t"}, StoredCredential("<token>", "t", identity=True)),
        ({"auth": auth("contoso:"), "identitytoken": "t"}, StoredCredential("contoso", "t", identity=True)),
        ({}, None),
        ({"auth": ""}, None),
        ({"auth": auth("nocolon")}, None),
        (None, None),
    ],
)
def test_an_entry_is_read_as_the_clients_read_it(
    file: Path, entry: object, credential: StoredCredential | None
) -> None:
    assert stored(file, {HOST: entry}).get(HOST) == credential


@pytest.mark.parametrize("auth", ["%%%", "YQ", "a b", "ä"])
def test_an_entry_that_cannot_be_decoded_is_named_with_its_file(file: Path, auth: str) -> None:
    store = stored(file, {f"https://{HOST}/v2/": {"auth": auth}})
    with pytest.raises(BrokenEntryError, match="is broken") as caught:
        store.get(HOST)
    assert f"'https://{HOST}/v2/' in {file}" in caught.value.error_msg
    assert f"logout --name {HOST} --auth-file {file}" in caught.value.recommendations[0]
    assert (store.hosts(), store.broken_keys(HOST)) == ([], [f"https://{HOST}/v2/"])
    store.erase(HOST)
    assert json.loads(file.read_text()) == {"auths": {}}


def test_a_line_break_in_base64_is_none_of_its_letters(file: Path) -> None:
    text = auth("me:secret")
    found = stored(file, {HOST: {"auth": f"{text[:4]}\r\n{text[4:]}"}}).get(HOST)
    assert found == StoredCredential("me", "secret")


@pytest.mark.parametrize("key", [HOST, f"https://{HOST}", f"https://{HOST}/v2/", f"{HOST}:443", HOST.upper()])
def test_a_host_is_found_and_erased_in_all_its_spellings(file: Path, key: str) -> None:
    ours = {"auth": auth(f"{TOKEN_USERNAME}:secret")}
    store = stored(file, {key: ours, OTHER: {"auth": "eA=="}, f"{HOST}/team": {"auth": "eQ=="}})
    assert store.get(HOST) == StoredCredential(TOKEN_USERNAME, "secret", key="" if key == HOST else key)
    store.erase(HOST)
    assert store.get(HOST) is None
    assert set(json.loads(file.read_text())["auths"]) == {OTHER, f"{HOST}/team"}


def test_to_docker_the_entry_of_a_repository_stands_for_its_host(file: Path) -> None:
    key, ours = f"{HOST}/team", {"auth": auth(f"{TOKEN_USERNAME}:secret")}
    stored(file, {key: ours, OTHER: ours, f"{HOST}/admin": {"auth": auth("contoso:secret")}})
    store = FileStore(file, whole_host=True)
    assert store.get(HOST) == StoredCredential(TOKEN_USERNAME, "secret", key=key)
    assert store.hosts() == [HOST, OTHER, HOST]
    store.erase(HOST)
    assert set(json.loads(file.read_text())["auths"]) == {OTHER, f"{HOST}/admin"}, "another user's stays"


def test_to_podman_the_entry_of_a_repository_is_a_credential_of_its_own(file: Path) -> None:
    ours = {"auth": auth(f"{TOKEN_USERNAME}:secret")}
    store = stored(file, {f"{HOST}/team": ours, OTHER: ours})
    assert store.get(HOST) is None
    assert store.hosts() == [f"{HOST}/team", OTHER]
    store.erase(f"{HOST}/team")
    assert store.hosts() == [OTHER]


def test_podmans_oldest_file_has_no_auths(tmp_path: Path) -> None:
    file = tmp_path / stores.LEGACY_FILE_NAME
    file.write_text(json.dumps({f"https://{HOST}/v1/": {"auth": auth("me:secret")}}))
    found = FileStore(file).get(HOST)
    assert found
    assert found.username == "me"


def test_the_plain_spelling_comes_first(file: Path) -> None:
    store = stored(file, {f"https://{HOST}": {"auth": auth("old:x")}, HOST: {"auth": auth("new:x")}})
    found = store.get(HOST)
    assert found
    assert found.username == "new"


def test_a_new_token_replaces_every_secret_of_the_entry_and_nothing_else(file: Path) -> None:
    entry = {"auth": "eA==", "identitytoken": "t", "registrytoken": "r", "password": "p", "email": "me@contoso.example"}
    store = stored(file, {HOST: entry, OTHER: {"auth": "eA=="}})
    store.put([TOKEN])
    auths = json.loads(file.read_text())["auths"]
    assert auths[HOST] == {"auth": auth(f"{TOKEN_USERNAME}:{VALUE}"), "email": "me@contoso.example"}
    assert auths[OTHER] == {"auth": "eA=="}
    assert store.get(HOST) == StoredCredential(TOKEN_USERNAME, VALUE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["{}", '{"auths": null}', ""])
def test_a_file_without_credentials_gets_one(file: Path, content: str) -> None:
    file.write_text(content)
    FileStore(file).put([TOKEN])
    assert FileStore(file).hosts() == [HOST]


def test_hosts_are_those_with_a_credential(file: Path) -> None:
    store = stored(
        file, {HOST: {"auth": auth("a:b")}, f"https://{OTHER}/v1/": {"auth": auth("a:b")}, "empty.example": {}}
    )
    assert store.hosts() == [HOST, OTHER]


@pytest.mark.parametrize(
    ("username", "ours"), [(TOKEN_USERNAME, True), ("<token>", True), ("contoso", False), ("build-token", False)]
)
def test_only_a_token_of_the_registrys_own_is_ours(username: str, ours: bool) -> None:
    assert StoredCredential(username, "secret").is_ours is ours
    assert StoredCredential(username, "secret", identity=True).is_ours is ours


def test_no_repr_shows_a_secret() -> None:
    assert "secret" not in repr(StoredCredential("me", "secret"))


# --- helpers ---

KEEPER = """
dir="$(dirname "$0")/kept"; mkdir -p "$dir"
printf '%s\\n' "$*" >> "$dir/argv"
case "$1" in
  store) cat > "$dir/stdin";;
  get) host=$(cat); if [ -f "$dir/stdin" ]; then cat "$dir/stdin"; else
    echo "credentials not found in native keychain"; exit 1; fi;;
  erase) cat > /dev/null; rm -f "$dir/stdin";;
  list) cat > /dev/null; echo '{"https://contoso.azurecr.io": "me"}';;
esac
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a helper called `test` of a script."""

    def make(script: str, name: str = "test") -> HelperStore:
        program = tmp_path / f"bin/docker-credential-{name}"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return HelperStore(name)

    return make


def test_a_helper_keeps_gives_lists_and_forgets(helper: Any, tmp_path: Path) -> None:
    store = helper(KEEPER)
    assert store.name == "docker-credential-test"
    assert store.get(HOST) is None
    store.put([TOKEN])
    sent = json.loads((tmp_path / "bin/kept/stdin").read_text())
    assert sent == {"ServerURL": HOST, "Username": TOKEN_USERNAME, "Secret": VALUE}
    assert store.get(HOST) == StoredCredential(TOKEN_USERNAME, VALUE)
    assert store.hosts() == [HOST]
    store.erase(HOST)
    assert store.get(HOST) is None
    assert (tmp_path / "bin/kept/argv").read_text().split() == ["get", "store", "get", "list", "erase", "get"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("cat >/dev/null; echo keychain is locked; exit 1", "keychain is locked"),
        ("cat >/dev/null; echo no such display >&2; exit 1", "no such display"),
        ("exit 3", "exit code 3: it said nothing"),
        ("echo gone >&2; exit 255", "exit code 255: gone"),
        ("cat; exit 1", "failed"),
        ("kill -9 $$", "failed"),
    ],
)
@pytest.mark.parametrize("action", ["get", "store", "erase", "list"])
def test_a_helper_that_fails_is_quoted_without_the_token(helper: Any, action: str, script: str, says: str) -> None:
    store = helper(script)
    actions = {
        "get": lambda: store.get(HOST),
        "store": lambda: store.put([TOKEN]),
        "erase": lambda: store.erase(HOST),
        "list": store.hosts,
    }
    with pytest.raises(FileOperationError, match=says) as caught:
        actions[action]()
    assert f"`docker-credential-test {action}` failed" in caught.value.error_msg
    assert VALUE.split(".")[1] not in caught.value.error_msg


@pytest.mark.parametrize("answer", ["<html>", "[]", "", '{"Username": 7, "Secret": "x"}', '{"Username": "x"}'])
def test_an_answer_that_is_no_credential_is_an_error(helper: Any, answer: str) -> None:
    store = helper(f"cat >/dev/null; echo '{answer}'")
    with pytest.raises(FileOperationError, match="not a credential"):
        store.get(HOST)


def test_an_empty_credential_is_none_as_pass_answers(helper: Any) -> None:
    empty = json.dumps({"ServerURL": HOST, "Username": "", "Secret": ""})
    assert helper(f"cat >/dev/null; echo '{empty}'").get(HOST) is None


def test_an_empty_list_and_a_broken_one_are_told_apart(helper: Any) -> None:
    for empty in ("{}", "null"):
        assert helper(f"cat >/dev/null; echo '{empty}'").hosts() == []
    for broken in ("<html>", "[]", ""):
        with pytest.raises(FileOperationError, match="not a list of hosts"):
            helper(f"cat >/dev/null; echo '{broken}'").hosts()


def test_a_helper_that_hangs_is_stopped(helper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_HELPER_SECONDS", 0.2)
    with pytest.raises(FileOperationError, match="did not end"):
        helper("exec sleep 600").get(HOST)


def test_a_helper_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (HelperStore("nosuch").check, HelperStore("nosuch").hosts):
        with pytest.raises(ValidationError, match="docker-credential-nosuch, which is not on PATH"):
            ask()


def test_a_helper_that_nobody_may_run_is_named_with_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "docker-credential-x"
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValidationError, match=f"but {program} is not executable") as caught:
        HelperStore("x").check()
    assert caught.value.recommendations == [f"`chmod +x {program}` allows it."]


@pytest.mark.parametrize(("text", "why"), [("#!/no/such/program\n", "No such file"), ("\0", "Exec format error")])
def test_a_helper_that_cannot_be_run_is_no_containers_clients_fault(
    helper: Any, tmp_path: Path, text: str, why: str
) -> None:
    store = helper("")
    (tmp_path / "bin/docker-credential-test").write_text(text)
    with pytest.raises(FileOperationError, match=f"docker-credential-test cannot be run: {why}") as caught:
        store.get(HOST)
    assert "DOCKER_COMMAND" not in str(caught.value.recommendations)


@pytest.mark.parametrize("name", ["dev-containers-a1b2c3d4-5678-90ab-cdef-1234567890ab", "rancher-desktop2"])
def test_a_helpers_name_is_not_taken_for_a_secret(helper: Any, name: str) -> None:
    store = helper(f"cat >/dev/null; echo '/opt/tools2/docker-credential-{name}: gone' >&2; exit 255", name)
    with pytest.raises(FileOperationError, match=f"exit code 255: /opt/tools2/docker-credential-{name}: gone"):
        store.get(HOST)


@pytest.mark.parametrize(
    ("script", "listed"),
    [
        ('cat >/dev/null; echo \'{"https://contoso.azurecr.io": "me"}\'', [HOST]),
        ("cat >/dev/null; echo '{}'", []),
        ("cat >/dev/null; echo 'list is unimplemented'; exit 1", []),
    ],
)
def test_a_helper_that_speaks_the_protocol_is_alive(helper: Any, script: str, listed: list[str]) -> None:
    assert helper(script).check_alive() == listed


@pytest.mark.parametrize("script", ["exit 255", "exit 127", "echo gone >&2; exit 1", "kill -9 $$"])
def test_a_helper_that_does_not_is_dead(helper: Any, script: str) -> None:
    with pytest.raises(FileOperationError, match="docker-credential-test list"):
        helper(script).check_alive()


def test_our_own_helper_is_dead_with_any_error(helper: Any) -> None:
    with pytest.raises(FileOperationError, match="was moved or removed"):
        helper("echo the Azure CLI was moved or removed; exit 1", "acrscope").check_alive()


@pytest.mark.parametrize("name", ["wincred", "wincred.exe"])
def test_what_wincred_cannot_hold_is_measured_before_it_is_asked(helper: Any, tmp_path: Path, name: str) -> None:
    store = helper(KEEPER, name)
    large = RefreshToken("x" * 2561, HOST, None)
    with pytest.raises(ValidationError, match="has 2561 bytes, and Windows Credential Manager .* 2560") as caught:
        store.put([large])
    assert "nothing was deleted" in caught.value.error_msg
    assert not (tmp_path / "bin/kept").exists()
    store.put([RefreshToken("x" * 2560, HOST, None)])
    assert "Secret" in (tmp_path / "bin/kept/stdin").read_text()


@pytest.mark.parametrize(
    "content", ['{"credsStore": null}', '{"credsStore": ""}', '{"credHelpers": {"contoso.azurecr.io": ""}}']
)
def test_an_empty_helper_means_the_file(file: Path, content: str) -> None:
    file.write_text(content)
    assert stores.choose_store(file, HOST).name == str(file)


def test_no_error_of_a_store_holds_a_token(helper: Any, file: Path) -> None:
    file.write_text('{"auths": {"x": ' + VALUE)
    for store in (FileStore(file), helper("cat >&2; exit 1")):
        with pytest.raises(AzCLIError) as caught:
            store.put([TOKEN])
        assert VALUE[:30] not in caught.value.error_msg
