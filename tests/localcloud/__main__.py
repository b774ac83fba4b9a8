"""`python -m tests.localcloud`: a demonstration world, and the lines a shell needs to use it (docs/local-azure.md)."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
from pathlib import Path
from types import FrameType

from tests.localcloud.cloud import LocalCloud
from tests.localcloud.scenarios.documented_fleets import Contoso
from tests.localcloud.world.identities import ServicePrincipal
from tests.localcloud.world.world import PolicyStatus


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.localcloud", description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds added to every https answer")
    parser.add_argument("--registries", type=int, default=0, metavar="N", help="so many generated registries more")
    parser.add_argument("--fleet", action="store_true", help="the fleet of docs/cut-over.md instead")
    parser.add_argument("--port", type=int, default=0, help="the proxy's port; a free one by default")
    return parser.parse_args()


def fill(cloud: LocalCloud, generated: int) -> ServicePrincipal:
    """Contoso's registries, one of each policy state, the log of the first one's sign-ins, and an operator."""
    world = cloud.world
    contoso = world.add_registry("contoso", "rg-apps", backend=True)
    world.add_registry("fabrikam", "rg-apps", policy_status="disabled")
    world.add_registry("northwind", "rg-apps", policy_status=None)
    world.logs.send(contoso, world.logs.add_workspace("log-contoso"))
    for number in range(1, generated + 1):
        status: PolicyStatus = "disabled" if number % 3 == 0 else "enabled"
        world.add_registry(f"generated{number:05d}", f"rg-{number % 10:02d}", policy_status=status)
    return cloud.default_account("demo-operator")


def allow_policies(cloud: LocalCloud, operator: ServicePrincipal) -> None:
    """Let every command be tried, in what the operator sees; nothing else is seen for it."""
    for subscription in cloud.world.subscriptions_seen(operator, operator.tenant_id):
        for role in ("Resource Policy Contributor", "Role Based Access Control Administrator"):
            cloud.world.grant(operator, subscription.scope, role)


def _lines(cloud: LocalCloud, operator: ServicePrincipal) -> list[str]:
    """Nothing here is a real secret: the cloud ends with this process.

    The CLI looks for extensions in its configuration's folder, which is a new one here: so it is told where they are.
    The operator stands in the variables that Azure's SDKs and many clients read.
    """
    config = cloud.directory / "azure-config"
    config.mkdir()
    settings = {
        **cloud.env,
        "AZURE_CONFIG_DIR": str(config),
        "AZURE_EXTENSION_DIR": _extensions(),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        # Nobody's own credentials are touched; podman and its kin go by docker's variable, too.
        "DOCKER_CONFIG": str(cloud.directory / "docker"),
        "HELM_REGISTRY_CONFIG": str(cloud.directory / "helm.json"),
        "AZURE_CLIENT_ID": operator.app_id,
        "AZURE_CLIENT_SECRET": operator.secret,
        "AZURE_TENANT_ID": operator.tenant_id,
        "LOCALCLOUD": f"{cloud.proxy_url}/localcloud",
    }
    sign_in = 'az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID"'
    exports = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    return [
        *exports,
        f"# {sign_in}",
        *(f"# log of sign-ins: {workspace.id}" for workspace in cloud.world.logs.workspaces),
        '# control: curl "$LOCALCLOUD/requests"',
        "# Ctrl-C ends it.",
    ]


def _extensions() -> str:
    """Where the CLI of this shell keeps its extensions."""
    configuration = Path(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure").expanduser()
    return os.environ.get("AZURE_EXTENSION_DIR") or str(configuration / "cliextensions")


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):  # a second one would break in while things are put away
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    arguments = _arguments()
    # SIGINT too: a shell starts its background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with LocalCloud(delay=arguments.delay, port=arguments.port) as cloud, contextlib.suppress(KeyboardInterrupt):
        operator = Contoso(cloud).team if arguments.fleet else fill(cloud, arguments.registries)
        allow_policies(cloud, operator)
        print("\n".join(_lines(cloud, operator)), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
