"""What a search for consumers costs where there are a thousand clusters of ten node pools: requests and bytes."""

from typing import Any

from azext_acrscope.arm.resource_graph import list_kql
from azext_acrscope.consumers import queries
from tests.factories.localcloud import Client
from tests.localcloud import LocalCloud

CLUSTERS, POOLS = 1100, 10
CLUSTER = "microsoft.containerservice/managedclusters"
NETWORK = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network"
WHOLE_POOLS = "pools = properties.agentPoolProfiles, "
# Members that ARM gives every pool and nobody reads here (2025-05-01 of its published definition).
UNREAD = {
    **dict.fromkeys(("enableFIPS", "enableNodePublicIP", "enableUltraSSD", "enableEncryptionAtHost"), False),
    "count": 3,
    "minCount": 1,
    "maxCount": 9,
    "maxPods": 110,
    "osDiskSizeGB": 128,
    "osDiskType": "Managed",
    "vmSize": "Standard_D4ds_v5",
    "osSKU": "Ubuntu",
    "type": "VirtualMachineScaleSets",
    "scaleDownMode": "Delete",
    "vnetSubnetID": f"{NETWORK}/virtualNetworks/vnet-aks-westeurope/subnets/snet-aks-nodes",
    "podSubnetID": f"{NETWORK}/virtualNetworks/vnet-aks-westeurope/subnets/snet-aks-pods",
    "availabilityZones": ["1", "2", "3"],
    "powerState": {"code": "Running"},
    "provisioningState": "Succeeded",
    "upgradeSettings": {"maxSurge": "10%", "maxUnavailable": "0"},
    "eTag": "00000000-0000-4000-8000-000000000000",
    "securityProfile": {"enableSecureBoot": False, "enableVTPM": False},
    "nodeTaints": ["apps=only:NoSchedule"],
    "nodeLabels": {f"contoso.example/label-{number}": f"value-{number}" for number in range(12)},
}


def add_clusters(cloud: LocalCloud) -> None:
    image = "AKSUbuntu-2204gen2containerd-202508.06.0"
    for number in range(CLUSTERS):
        cloud.world.consumers.add_cluster(f"aks{number:04}", [(image, "1.33.2")] * POOLS)
    for row in cloud.world.graph_rows["resources"]:
        for pool in row["properties"]["agentPoolProfiles"]:
            pool.update(UNREAD)


def read(client: Client, query: str) -> tuple[list[dict[str, Any]], int, int]:
    """All rows, requests and bytes, with pages halved as the product does it."""
    rows, requests, size = list[dict[str, Any]](), 0, 0
    options: dict[str, Any] = {"$top": 1000}
    while True:
        answer = client.arm(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources",
            version="2022-10-01",
            json={"query": query, "options": options},
        )
        requests, size = requests + 1, size + len(answer.content)
        if answer.status_code == 400:
            assert answer.json()["error"]["details"][0]["code"] == "ResponsePayloadTooLarge"
            options["$top"] //= 2
            continue
        rows += answer.json()["data"]
        if "$skipToken" not in answer.json():
            return rows, requests, size
        options["$skipToken"] = answer.json()["$skipToken"]


def test_clusters_with_many_pools_need_no_smaller_pages_and_half_the_bytes(cloud: LocalCloud, client: Client) -> None:
    add_clusters(cloud)
    resources = queries.RESOURCES_QUERY.format(where=f"type in~ ({list_kql([CLUSTER])})")
    whole, _, whole_bytes = read(client, resources.replace("version =", f"{WHOLE_POOLS}version ="))
    (clusters, *cost), (pools, *pools_cost) = (read(client, each) for each in (resources, queries.NODE_POOLS_QUERY))
    assert len(whole) == len(clusters) == len(pools) == CLUSTERS
    assert cost[0] + pools_cost[0] == 4  # of a thousand rows each
    assert cost[1] + pools_cost[1] <= whole_bytes / 2
    read_of_whole = [
        {"id": row["id"], "pools": [{name: pool[name] for name in pools[0]["pools"][0]} for pool in row["pools"]]}
        for row in whole
    ]
    assert pools == read_of_whole


def test_a_cluster_without_pools_has_one_of_nothing_or_no_row(cloud: LocalCloud, client: Client) -> None:
    for name, value in (("none", None), ("empty", [])):
        cloud.world.consumers.add_cluster(name)
        cloud.world.graph_rows["resources"][-1]["properties"]["agentPoolProfiles"] = value
    rows, _, _ = read(client, queries.NODE_POOLS_QUERY)
    assert [(row["id"].rpartition("/")[2], set(row["pools"][0].values())) for row in rows] == [("none", {None})]
