"""The whole story, told with the real `az` against the local Azure: `python -m tests.demo` (or `make demo`).

Every step is a command with its real output; a step that does not end as the story says ends the demo with an error.
"""

import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from tests.az import Az, Result, add_extension, build_wheel
from tests.localcloud import LocalCloud
from tests.localcloud.scenarios.images import write_oci_layout

ARM_AUDIENCE = "https://management.core.windows.net/"
HOST = "contoso.azurecr.io"
WIDTH = 100


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="acrscope-demo-") as folder, LocalCloud(backend=True) as cloud:
        work = Path(folder)
        say("Building the wheel and adding it with `az extension add` …")
        add_extension(build_wheel(work / "wheel"), work / "extensions", work / "installer")
        account = cloud.default_account()
        cloud.world.add_registry("contoso", resource_group="rg-apps", backend=True)
        az = Az(work / "home", work / "extensions", cloud.env)
        client = "docker" if shutil.which("docker") else "podman"
        tell(
            az,
            client,
            ["--username", account.app_id, "--password", str(account.secret), "--tenant", account.tenant_id],
        )
        exchanges = [request.status for request in cloud.requests_to(HOST) if request.path == "/oauth2/exchange"]
        say(f"\nThe local Azure saw {len(cloud.requests)} requests. Token exchanges and their answers: {exchanges}.")
        say("Nothing left this machine.")
    return 0


def tell(az: Az, client: str, account: list[str]) -> None:
    step("Sign in to Azure, as ever.")
    done = az("login", "--service-principal", *account, "--output", "none")
    show(
        Result(
            ("az", "login", "--service-principal", "--username", account[1], "…"), done.code, done.stdout, done.stderr
        )
    )
    expect(done, 0)

    step("Which tokens does the registry accept? By default: any token meant for Azure Resource Manager, too.")
    run(az, "acr scope show --name contoso --output table")

    wide = {"AZURE_ACR_AUDIENCE_RESOURCE": ARM_AUDIENCE}
    exchange = f"acr scope login --name {HOST} --expose-token --query expiresOn --output tsv"
    step("So the wide control-plane token opens the images. (The environment variable asks for it by name.)")
    run(az, exchange, env=wide)

    step("What would enforcing change? And then: enforce.")
    run(az, "acr scope enforce --name contoso --dry-run --output table")
    run(az, "acr scope enforce --name contoso")

    step("The same wide token is refused now.")
    run(az, exchange, env=wide, code=1)

    step(f"The narrow token works: sign in, for {client}, without a container daemon.")
    run(az, f"acr scope login --name {HOST}", env={"DOCKER_COMMAND": str(shutil.which(client))})

    step("And the images go in and out, through a real registry.")
    write_oci_layout(az.home / "image", marker="demo")
    store = ".docker/config.json" if client == "docker" else "run/containers/auth.json"
    skopeo = f"skopeo --insecure-policy copy --quiet --authfile {store}"
    run_tool(az, f"{skopeo} oci:image docker://{HOST}/hello:v1")
    run_tool(az, f"{skopeo} docker://{HOST}/hello:v1 oci:pulled")
    pushed, pulled = (blobs(az.home / name) for name in ("image", "pulled"))
    if pushed != pulled:
        raise SystemExit(f"the image that came back differs: {pushed ^ pulled}")
    say(f"  pulled what was pushed: {len(pulled)} blobs, the same digests")

    step("Last look.")
    run(az, "acr scope show --name contoso --query '{status: status, acceptedAudiences: acceptedAudiences}'")


def blobs(layout: Path) -> set[str]:
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    return {file.name for file in (layout / "blobs/sha256").iterdir()} | {manifest.partition(":")[2]}


def run(az: Az, command: str, env: dict[str, str] | None = None, code: int = 0) -> None:
    prefix = "".join(f"{name}={value} " for name, value in (env or {}).items() if name.startswith("AZURE_"))
    result = az(*shlex.split(command), env=env)
    show(Result((f"{prefix}az", *shlex.split(command)), result.code, result.stdout, result.stderr))
    expect(result, code)


def run_tool(az: Az, command: str) -> None:
    result = az.tool(*shlex.split(command))
    show(result)
    expect(result, 0)


def show(result: Result) -> None:
    words = [result.command[0], *(shlex.quote(word) for word in result.command[1:])]
    say(f"\n  $ {' '.join(words)}")
    for line in (result.stdout + result.stderr).rstrip().splitlines():
        say(f"  {line}")
    if result.code:
        say(f"  (exit code {result.code})")


def expect(result: Result, code: int) -> None:
    if result.code != code:
        raise SystemExit(f"the demo expected exit code {code}:\n{result}")


_steps = 0


def step(text: str) -> None:
    global _steps
    _steps += 1
    say(f"\n{'─' * WIDTH}\n{_steps}. {text}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
