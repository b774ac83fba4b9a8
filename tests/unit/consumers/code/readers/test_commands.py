"""Commands in scripts and programs: what runs is found, what is only said is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import commands
from tests.unit.consumers.code.patterns.test_pipeline_patterns import READERS, read_file

LOGIN = "az acr login -n contoso"


def _lines(name: str, text: str, pattern: str = "az-acr-login") -> list[int]:
    return [place.line for place in read_file(name, text) if place.pattern == pattern]


@pytest.mark.parametrize(
    "text",
    [
        f"{LOGIN}\n", f"A=1 {LOGIN}", f"if ! {LOGIN}; then exit 1; fi", f"cd x && {LOGIN} >/dev/null 2>&1",
        f"T=$({LOGIN} --expose-token)", f'T="$({LOGIN} --expose-token)"', f"T=`{LOGIN}`", f"({LOGIN})",
        f"sudo {LOGIN}", f"retry 5 {LOGIN}", f'bash -c "{LOGIN}"', f'run_cmd "{LOGIN}"', f'CMD="{LOGIN}"',
            f'docker exec runner pwsh -File retry.ps1 "az login; {LOGIN}"',
        "az \\\n acr login -n contoso", "/usr/bin/az acr login --name=contoso", "az acr login --n 'contoso'",
        f"docker run --rm mcr.microsoft.com/azure-cli {LOGIN}", f'echo "x" | {LOGIN}',
        "az acr login -n contoso.azurecr.io", f"X='it''s' {LOGIN}", f"ssh host <<E\n{LOGIN}\nE",
    ],
)  # fmt: skip
def test_a_shell_that_signs_in(text: str) -> None:
    (place,) = [place for place in read_file("a.sh", text) if place.pattern == "az-acr-login"]
    assert place.registry == "contoso.azurecr.io"


@pytest.mark.parametrize(
    "text",
    [
        f"# {LOGIN}", f"echo {LOGIN}", f'echo "{LOGIN}"', f"log_info '{LOGIN}'", f'grep -q "{LOGIN}" x', f"x # {LOGIN}",
        f"cat <<EOF\n{LOGIN}\nEOF", f"cat > ci.yml <<EOF\n- run: x\n  {LOGIN}\nEOF", "az acr login --help",
        "az acr login --name <registry>", "az acr login [--name] [--suffix]", "az acr show -n contoso",
        "az acr update -n contoso --admin-enabled false", "az acr webhook list -r contoso",
        'die "az acr login failed"', "sacred login -n contoso", 'printf "%s" "$(cat x)" "az acr login -n x"',
        "docker login ghcr.io -u $ACR_USER -p $ACR_PASSWORD", "docker push contoso.azurecr.io/app",
        "az role assignment create --scope $ACR_ID", "nslookup contoso.privatelink.azurecr.io",
    ],
)  # fmt: skip
def test_a_shell_that_only_speaks_of_it(text: str) -> None:
    assert read_file("a.sh", text) == []


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.ps1", "<#\n az acr login -n x\n#>\n$t = az acr login `\n -n contoso | ConvertFrom-Json", [4]),
        ("a.ps1", "Write-Host 'az acr login -n x'\nInvoke-Expression \"az acr login -n contoso\"", [2]),
        ("a.bat", "@echo off\nREM az acr login -n x\n:: az acr login -n x\ncall az acr login ^\n -n contoso", [4]),
        ("Makefile", "a:\n\t@echo it's az acr login\n\t@az acr login -n $(ACR)\n\tX=$$(az acr login -n c0)", [3, 4]),
        ("x.mk", 'define login\nDOCKER_COMMAND="$(ENGINE)" az acr login -n $(ACR)\nendef', [2]),
        ("Dockerfile", "FROM alpine\nRUN az login \\\n && az acr login -n contoso", [3]),
        ("Dockerfile", "FROM alpine\nRUN --mount=type=cache,target=/x <<EOF\naz acr login -n contoso\nEOF\n", [3]),
        ("Dockerfile", "FROM alpine\nCOPY <<EOF /login.sh\naz acr login -n contoso\nEOF\n", [3]),
        ("Dockerfile", "FROM alpine\nCOPY <<EOF /login.md\naz acr login -n contoso\nEOF\n", []),
        ("tool", "#!/usr/bin/env bash\naz acr login -n contoso", [2]),
    ],
)  # fmt: skip
def test_kinds_of_scripts(name: str, text: str, lines: list[int]) -> None:
    assert _lines(name, text) == lines


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", 'sp.run(f"az acr login -n {name}", shell=True)'),
        ("a.py", 'check_call(["az", "acr", "login", "-n", name])'),
        ("a.py", "check_call([\n    'az', 'acr',\n    'login', '-n', 'contoso'])"),
        ("a.py", 'cmd = "az acr login -n x"'),
        ("test_a.py", 'subprocess.run(["az", "acr", "login", "-n", "contoso"])'),
        ("a.js", "await $`az acr login -n ${x}`"),
        ("a.ts", 'execSync("az acr login -n contoso", {})'),
        ("a.go", 'exec.Command("az", "acr", "login", "-n", name)'),
        ("A.cs", 'Process.Start("az", "acr login -n contoso");'),
        ("Jenkinsfile", "sh '''\nset -e\naz acr login -n contoso\n'''"),
        ("Acr.groovy", 'this.az "acr login -n ${x}"'),
        ("main.tf", 'command = "az acr login -n contoso"'),
        ("main.tf", "command = <<-EOT\n  az acr login -n contoso\nEOT"),
        ("main.bicep", "scriptContent: '''\naz acr login -n contoso\n'''"),
    ],
)  # fmt: skip
def test_a_program_that_runs_it(name: str, text: str) -> None:
    assert len(_lines(name, text)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", 'print("az acr login -n contoso")'),
        ("a.py", '"""Run\naz acr login -n contoso\n"""'),
        ("a.py", 'help="az acr login -n contoso"'),
        ("a.py", '# sp.run("az acr login -n contoso")'),
        ("test_a.py", 'assert calls == ["az", "acr", "login", "-n", "contoso"]'),
        ("test_a.py", '@parametrize("x", [\n ["az", "acr", "login", "-n", "contoso"]])'),
        ("a.test.js", 'expect(run).toBe("az acr login -n contoso")'),
        ("a.js", 'addNote(s, ["az acr login --name contoso", "docker push"])'),
        ("AcrTest.groovy", "it.get('script').contains(\"az acr login --name ${X}\")"),
        ("main.tf", '# command = "az acr login -n contoso"'),
        ("a.go", 'fmt.Println("az acr login -n contoso")'),
        ("README.md", "    az acr login -n contoso"),
    ],
)  # fmt: skip
def test_a_program_that_only_speaks_of_it(name: str, text: str) -> None:
    assert read_file(name, text) == []


@pytest.mark.parametrize(
    "options",
    ["-r contoso --status enabled", "--registry contoso --status=Enabled", "--status enabled --name contoso >/dev/null",
     "\\\n  -r contoso \\\n  --status \\\n  enabled"],
)  # fmt: skip
def test_the_command_that_sets_the_status_back(options: str) -> None:
    found = read_file("a.sh", f"set -e\naz acr config authentication-as-arm update {options}\n")
    assert found == [Place(2, "az-acr-config-enabled", "contoso.azurecr.io")]


def test_the_version_that_the_file_pins() -> None:
    found = read_file("a.sh", "pip install azure-cli==2.45.0\naz acr login -n contoso\n")
    assert found == [Place(2, "az-acr-login", "contoso.azurecr.io", "2.45.0")]
    found = read_file("a.sh", "pip install azure-cli==2.45.0 || pip install azure-cli==2.90.0\naz acr login -n $X\n")
    assert found == [Place(2, "az-acr-login")]


def test_the_cloud_that_the_file_names_decides_the_suffix() -> None:
    found = read_file("a.sh", "az cloud set -n AzureChinaCloud\naz acr login -n contoso\n")
    assert [place.registry for place in found] == ["contoso.azurecr.cn"]


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "az acr login -n x",
                "docker login",
                "'",
                '"',
                "`",
                "$(",
                ")",
                "{",
                "}",
                "<<EOF",
                "\n",
                "\\",
                "#",
                "<",
                ">",
                "|",
            ]
            + [
                '"""',
                "'''",
                "//",
                "/*",
                "[",
                ",",
                "azurecr.io",
                "task: Docker@2",
                "uses: docker/login-action",
                ": ",
                "- ",
            ]
            + ["/oauth2/exchange", "acr", "${{ env.X }}", "{{", "é", "\0", "\u2028", "@'", "\r\n"]
        ),
        max_size=30,
    ).map("".join)
    | st.text(max_size=60)
)
def test_any_text_is_read_by_all(text: str) -> None:
    names = ("a.sh", "a.ps1", "a.bat", "Makefile", "a.py", "a.tf", "a.js", "Dockerfile", "Jenkinsfile", "azure.yaml")
    for name in (
        *names,
        ".github/workflows/a.yml",
        "compose.yaml",
        "skaffold.yaml",
        ".gitlab-ci.yml",
        "devcontainer.json",
    ):
        for reader in READERS:
            for place in reader.read_places(text, name):
                assert 1 <= place.line <= text.count("\n") + 2


def test_a_text_that_is_piped_into_a_shell_runs() -> None:
    text = "cat <<E | bash\naz acr login -n contoso\nE\ncat <<E | sudo sh -s\naz acr login -n fabrikam\nE\n"
    assert [(place.line, place.registry) for place in read_file("a.sh", text)] == [
        (2, "contoso.azurecr.io"),
        (5, "fabrikam.azurecr.io"),
    ]
    for kept in ("cat <<E | grep bash", "cat <<E || bash", "cat <<E; bash"):
        assert read_file("a.sh", f"{kept}\naz acr login -n contoso\nE\n") == []


def test_what_is_no_script_is_not_read() -> None:
    assert not commands.reads("readme.md")
    assert read_file("LICENSE", "az acr login --name contoso\n") == []
    assert read_file("run", "#!/bin/sh\naz acr login --name contoso\n") != []


@pytest.mark.parametrize(
    "line",
    [
        "url: https://contoso.azurecr.io:443/oauth2/exchange",
        "# POST /oauth2/exchange",
        'if strings.HasSuffix(url, "/oauth2/exchange") {',
    ],
)
def test_a_recording_of_an_exchange_makes_none(line: str) -> None:
    assert read_file("a.yaml", f"host: management.azure.com\n{line}\n") == []
    assert read_file("a.go", f'host := "management.azure.com"\n{line}\n') == []


def test_an_exchange_names_the_registry_of_its_address_and_each_once() -> None:
    hosts = (
        "contoso.azurecr.io",
        "Fabrikam.azurecr.io:443",
        "contoso.azurecr.io",
        "$HOST",
        "x$y.azurecr.io",
        "evil.example",
    )
    lines = [f'curl -X POST "https://{host}/oauth2/exchange" -d "access_token=$T"' for host in hosts]
    text = "\n".join(["T=$(az account get-access-token --query accessToken -o tsv)", *lines])
    assert [(place.line, place.registry) for place in read_file("a.sh", text)] == [
        (2, "contoso.azurecr.io"),
        (3, "fabrikam.azurecr.io"),
        (5, None),
    ]
