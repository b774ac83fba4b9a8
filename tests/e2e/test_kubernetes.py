"""The manifests of pipelines/kubernetes, applied by the real kubectl to a cluster of ours, and their containers run.

The containers run on this machine, one after the other as a pod runs them, with the paths of their volumes replaced.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.az import ROOT, Az, Result
from tests.localcloud import LocalCloud, Registry, ServicePrincipal
from tests.localcloud.kubernetes.cluster import Cluster
from tests.localcloud.scenarios.images import write_oci_layout

MANIFESTS = ROOT / "pipelines/kubernetes"
KUBECTL = str(ROOT / ".venvs/helm/bin/kubectl")
APPLY = ("apply", "--server-side", "--validate=false")  # it would ask for the schema of all kinds
WORKLOAD = "--credential workload-identity"
EXPIRY = "acrscope/expires-on"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path) as running:
        yield running


@pytest.fixture
def registry(cloud: LocalCloud, registry_name: str) -> Registry:
    return cloud.world.add_registry(registry_name, resource_group="rg-apps", policy_status="disabled", backend=True)


class Pod:
    """The CronJob's pod: its containers' programs, in a home of this test's own."""

    def __init__(self, az: Az, cluster: Cluster, env: dict[str, str]) -> None:
        self.az, self.cluster, self.env = az, cluster, env
        self.spec = cluster.api.objects["batch", "cronjobs", "team", "acr-pull"].content()["spec"]
        self.spec = self.spec["jobTemplate"]["spec"]["template"]["spec"]
        (az.home / "work").mkdir()

    def place(self, text: str) -> str:
        return re.sub(r"/(work|tmp)/", lambda found: f"{self.az.home / found[1]}/", text)

    def sign_in(self) -> Result:
        """The init container, whose extension is there already."""
        (container,) = self.spec["initContainers"]
        (script,) = container["args"]
        lines = [line for line in script.splitlines() if "az extension add" not in line]
        (settings,) = [name for _, kind, _, name in self.cluster.api.objects if kind == "configmaps"]
        assert container["envFrom"] == [{"configMapRef": {"name": settings}}]
        env = self.cluster.api.objects["", "configmaps", "team", settings].content()["data"]
        path = {"PATH": f"{self.az.program.parent}:{self.az.env['PATH']}"}
        return self.az.tool("sh", "-ec", self.place("\n".join(lines)), env={**env, **self.env, **path})

    def apply(self) -> Result:
        (container,) = self.spec["containers"]
        env = {"KUBECONFIG": str(self.cluster.kubeconfig("team", self.spec["serviceAccountName"]))}
        return self.az.tool(KUBECTL, *map(self.place, container["args"]), env=env)


@pytest.fixture
def pod(new_az: Callable[..., Az], cloud: LocalCloud, cluster: Cluster, registry: Registry, tmp_path: Path) -> Pod:
    """The manifests, made one's own and applied as the page says; and a pod as the CronJob makes it."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    for file in MANIFESTS.iterdir():
        text = file.read_text(encoding="utf-8")
        (folder / file.name).write_text(text.replace("contoso.azurecr.io", registry.login_server))
    az = new_az()
    env = {"KUBECONFIG": str(cluster.kubeconfig("team"))}
    applied = az.tool(KUBECTL, *APPLY, "--kustomize", str(folder), "--namespace", "team", env=env)
    assert applied.code == 0, applied
    principal: ServicePrincipal = cloud.world.add_service_principal(f"pull of {registry.name}")
    cloud.world.grant(principal, registry.id, "AcrPull")
    return Pod(az, cluster, cloud.workload_identity_env(principal))


def content(secret: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))


def test_a_run_writes_a_secret_that_pulls_and_the_next_one_renews_it(
    pod: Pod, cloud: LocalCloud, cluster: Cluster, registry: Registry, tmp_path: Path
) -> None:
    secrets = []
    for _ in range(2):
        for ran in (pod.sign_in(), pod.apply()):
            assert (ran.code, ran.stderr) == (0, ""), ran
        secrets.append(cluster.api.secret("team", "acr-pull"))
    assert [each["metadata"]["resourceVersion"] for each in secrets] == ["1", "2"]
    assert content(secrets[0]) != content(secrets[1])
    assert secrets[1]["type"] == "kubernetes.io/dockerconfigjson"
    assert secrets[1]["metadata"]["annotations"][EXPIRY].endswith("Z")
    assert [each["manager"] for each in secrets[1]["metadata"]["managedFields"]] == ["acrscope"]
    auth = tmp_path / "auth.json"
    auth.write_text(json.dumps(content(secrets[1])))
    listed = pod.az.tool("skopeo", "list-tags", "--authfile", str(auth), f"docker://{registry.login_server}/none")
    assert "404 (Not Found)" in listed.stderr, "it was let in, and found nothing"
    write_oci_layout(tmp_path / "image", marker=registry.name)
    push = ("--insecure-policy", "--authfile", str(auth), f"oci:{tmp_path / 'image'}")
    assert pod.az.tool("skopeo", "copy", *push, f"docker://{registry.login_server}/app:v1").code != 0
    assert cloud.requests_to("management.azure.com") == []


def test_the_secret_that_somebody_made_by_hand_is_taken_over(pod: Pod, cluster: Cluster, tmp_path: Path) -> None:
    by_hand = tmp_path / "secret.yaml"
    made = pod.az.tool(
        *(KUBECTL, "create", "secret", "docker-registry", "acr-pull", "--docker-server=contoso.azurecr.io"),
        *("--docker-username=me", "--docker-password=x", "--dry-run=client", "--output=yaml"),
        env={"KUBECONFIG": "/dev/null"},
    )
    by_hand.write_text(made.stdout)
    env = {"KUBECONFIG": str(cluster.kubeconfig("team"))}
    assert pod.az.tool(KUBECTL, *APPLY, "--filename", str(by_hand), env=env).code == 0
    assert pod.sign_in().code == 0
    ran = pod.apply()
    assert (ran.code, "serverside-applied" in ran.stdout) == (0, True), ran
    assert "contoso.azurecr.io" not in content(cluster.api.secret("team", "acr-pull"))["auths"]


def test_a_failed_sign_in_leaves_the_secret_as_it_is(
    pod: Pod, cloud: LocalCloud, cluster: Cluster, registry: Registry
) -> None:
    assert pod.sign_in().code == 0
    assert pod.apply().code == 0
    registry.firewall = "203.0.113.9"
    failed = pod.sign_in()
    assert (failed.code, "refuses this machine's network" in failed.stderr) == (1, True), failed
    assert (pod.az.home / "work/secret.json").read_text() == ""
    assert pod.apply().code != 0, "which a pod would not come to"
    assert cluster.api.secret("team", "acr-pull")["metadata"]["resourceVersion"] == "1"


def test_the_service_account_may_write_that_secret_and_nothing_else(pod: Pod, cluster: Cluster, tmp_path: Path) -> None:
    env = {"KUBECONFIG": str(cluster.kubeconfig("team", "acr-pull"))}
    other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}, "type": "Opaque"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    written = pod.az.tool(KUBECTL, *APPLY, "--filename", str(tmp_path / "other.json"), env=env)
    assert (written.code, 'secrets "other" is forbidden' in written.stderr) == (1, True), written
    read = pod.az.tool(KUBECTL, "get", "secret", "acr-pull", env=env)
    assert (read.code, "cannot get resource" in read.stderr) == (1, True), read


def test_no_container_can_do_both(pod: Pod) -> None:
    """Who asks for tokens cannot write into the cluster, and who writes cannot ask."""
    assert (
        pod.cluster.api.objects["", "serviceaccounts", "team", "acr-pull"].content()["automountServiceAccountToken"]
        is False
    )
    (cluster_volume,) = [each["name"] for each in pod.spec["volumes"] if "projected" in each]
    mounts = {
        each["name"]: [mount["name"] for mount in each["volumeMounts"]]
        for each in pod.spec["initContainers"] + pod.spec["containers"]
    }
    assert cluster_volume not in mounts["sign-in"]
    template = pod.cluster.api.objects["batch", "cronjobs", "team", "acr-pull"].content()["spec"]["jobTemplate"]
    metadata = template["spec"]["template"]["metadata"]
    assert metadata["annotations"]["azure.workload.identity/skip-containers"] == "apply"
    assert metadata["labels"]["azure.workload.identity/use"] == "true"
    for container in pod.spec["initContainers"] + pod.spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert pod.spec["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("page", ["docs/ci.md", "docs/kubernetes.md"])
def test_the_one_command_makes_the_secret_and_renews_it(
    pod: Pod, cluster: Cluster, registry: Registry, page: str
) -> None:
    blocks = re.findall(r"```sh\n(az acr scope login .*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    (command,) = [block for block in blocks if "kubectl" in block]
    command = command.replace("contoso.azurecr.io", registry.login_server).replace("login ", f"login {WORKLOAD} ")
    # Without validation: this cluster has no schema.
    command = command.replace("kubectl apply", f"{KUBECTL} apply --validate=false")
    path = f"{pod.az.program.parent}:{pod.az.env['PATH']}"
    env = {**pod.env, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig("team"))}
    for version in ("1", "2"):
        ran = pod.az.tool("bash", "-ec", command, env=env)
        assert ran.code == 0, ran
        secret = cluster.api.secret("team", "acr-pull")
        assert secret["metadata"]["resourceVersion"] == version
    assert list(content(secret)["auths"]) == [registry.login_server]


def test_the_whole_set_is_in_the_list_of_resources() -> None:
    listed = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {file.name for file in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
