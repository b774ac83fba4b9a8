"""What Resource Graph answers, whatever it is: nothing of it is an error of ours, and nothing is passed over."""

import re
from typing import Any, cast

import pytest

from azext_acrscope.arm.client import ArmClient, ArmError, Reply
from azext_acrscope.arm.graph_quota import GraphQuota
from azext_acrscope.consumers import inventory, knowledge, search
from azext_acrscope.consumers.inventory import RegistryInView, SearchArea

OURS = knowledge.load_knowledge()
GROUP = "/subscriptions/s1/resourceGroups/rg"
ID = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/contoso"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
ASSIGNMENT = "/providers/Microsoft.Authorization/roleAssignments/a1"
OWNER = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CUSTOM_ROLE = "/subscriptions/s1/providers/Microsoft.Authorization/roleDefinitions/c0ffee00-a8ff-443c-a75c-2fe8c4bcb635"
JOINED = "distinct principal"  # the owners of identities, which are asked for with the rest for few registries
TABLES = (
    JOINED,
    "pools = make_list",
    "appserviceresources",
    "batchresources",
    "kubernetesconfigurationresources",
    "roledefinitions",
    "roleassignments",
    "resources",
)
ODD: list[Any] = [
    *(7, "text", None, [], {}, {"id": 7}, {"id": "text"}, {"id": "/x"}),
    *({"id": SITE}, {"id": SITE, "type": 7, "properties": []}),
]


class FakeArm:
    """Resource Graph alone: rows by the first of `TABLES` that a query names; an `ArmError` is raised.

    Roles and their assignments are rows of one answer.
    """

    tenant, endpoint = "t1", "https://arm.example"

    def __init__(self, **rows: Any) -> None:
        self.rows, self.headers, self.asked = rows, dict[str, str](), list[str]()
        self.graph_quota = GraphQuota()

    def post(self, _path: str, _version: str, body: dict[str, Any]) -> Reply:
        self.asked.append(body["query"])
        table = next(table for table in TABLES if table in body["query"])
        tables = ("roledefinitions", "roleassignments") if table == "roledefinitions" else (table.partition(" ")[0],)
        answers = [self.rows.get(each, []) for each in tables]
        if refused := next((each for each in answers if isinstance(each, Exception)), None):
            raise refused
        rows = [row for each in answers for row in each]
        counts = {"totalRecords": len(rows), "count": len(rows)}
        return Reply(200, self.headers, {**counts, "data": rows, "resultTruncated": "false"})

    def get(self, _path: str, _version: str) -> Reply:
        raise ArmError(403, "AuthorizationFailed", "", "")

    pages = get


def found(arm: FakeArm, mode: str = "", login_server: str = "contoso.azurecr.io") -> tuple[dict[str, Any], list[str]]:
    registry = RegistryInView(ID, "contoso", login_server, "s1", "rg", "", mode)
    inquiry = search.find_consumers(SearchArea([registry], {}), cast(ArmClient, arm), OURS, ".azurecr.io")
    return inquiry.result, inquiry.unread


def owner(**more: Any) -> dict[str, Any]:
    return {"id": f"{GROUP}{ASSIGNMENT}", "scope": "/subscriptions/s1", "roleId": OWNER, "principalId": "p1", **more}


@pytest.mark.parametrize("table", TABLES[2:])
def test_rows_of_no_shape_are_counted_and_hide_nothing(table: str) -> None:
    app = {
        "id": f"{GROUP}/providers/Microsoft.App/containerApps/app",
        "name": "app",
        "type": "microsoft.app/containerapps",
    }
    app["template"] = {"containers": [{"image": "contoso.azurecr.io/app"}]}  # type: ignore[assignment]
    rows = {"resources": [app], "roleassignments": [owner()]}
    rows[table] = [*rows.get(table, []), *ODD]
    result, unread = found(FakeArm(**rows))
    assert "app" in [row["name"] for row in result["registries"][0]["consumers"]]
    assert any("could not be read" in sentence for sentence in unread)


def test_registries_and_subscriptions_of_no_shape_are_counted() -> None:
    places = inventory.read_search_area(cast(ArmClient, FakeArm(resources=[*ODD, {"id": ID, "name": "contoso"}])), "")
    assert [each.name for each in places.registries][-1] == "contoso"
    assert any("could not be read" in sentence for sentence in places.incomplete)


@pytest.mark.parametrize("login_server", ["", "contoso.azurecr.cn", "evil.example"])
def test_a_registry_that_no_image_can_name_is_said(login_server: str) -> None:
    _, unread = found(FakeArm(roleassignments=[owner()]), login_server=login_server)
    assert any("login server of contoso" in sentence for sentence in unread)


def test_roles_that_do_not_pull_show_that_roles_can_be_seen() -> None:
    result, unread = found(FakeArm(roleassignments=[owner()]), mode="AbacRepositoryPermissions")
    assert (result["registries"][0]["consumers"], unread) == ([], [])
    _, unread = found(FakeArm(), mode="AbacRepositoryPermissions")
    assert any("No role assignment is visible for contoso" in sentence for sentence in unread)


@pytest.mark.parametrize("name", ["text", "", None, 7, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"])
def test_a_custom_role_counts_by_its_id_whatever_its_name_is(name: Any) -> None:
    role = {"id": CUSTOM_ROLE, "roleName": "Ours", "permissions": [{"actions": ["*/pull/read"]}], "name": name}
    pulls = owner(roleId=CUSTOM_ROLE.upper(), principalId="p7")
    result, unread = found(FakeArm(roledefinitions=[role], roleassignments=[owner(), pulls]))
    assert [row["consumer"] for row in result["registries"][0]["consumers"] if "Ours" in row["why"]] == ["p7"]
    assert unread == []


@pytest.mark.parametrize("odd", ["text", "/x", SITE, None, 7])
def test_a_role_whose_id_is_none_is_said(odd: Any) -> None:
    role = {"id": odd, "roleName": "Ours", "permissions": [{"actions": ["*/pull/read"]}]}
    _, unread = found(FakeArm(roledefinitions=[role], roleassignments=[owner()]))
    assert any("could not be read" in sentence for sentence in unread)


PULLS = "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"  # AcrPull
MACHINE = {
    "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/runner",
    "name": "runner",
    "type": "microsoft.compute/virtualmachines",
}


def puller() -> dict[str, Any]:
    return owner(roleId=PULLS, scope=ID.lower(), principalType="ServicePrincipal")


def names_of(result: dict[str, Any]) -> list[str]:
    return [row["name"] for row in result["registries"][0]["consumers"]]


def test_whose_identities_pull_is_asked_with_everything_else_and_other_identities_do_not_count() -> None:
    other = {**MACHINE, "name": "other", "principalId": "p9"}
    arm = FakeArm(roleassignments=[puller()], distinct=[other, {**MACHINE, "principalId": "P1"}])
    result, unread = found(arm, mode="LegacyRegistryPermissions")
    assert (names_of(result), unread) == (["runner"], [])
    assert len(arm.asked) == 6


@pytest.mark.parametrize("answer", [ArmError(400, "BadRequest", "", ""), ODD, [{**MACHINE, "id": 7}]])
def test_where_tables_are_not_joined_owners_of_identities_are_asked_for_by_name(answer: Any) -> None:
    arm = FakeArm(roleassignments=[puller()], distinct=answer, resources=[])
    _, unread = found(arm, mode="LegacyRegistryPermissions")
    assert unread == []
    assert "where principal in ('p1')" in arm.asked[-1]


@pytest.mark.parametrize("odd", [7, None, "", {}, ["p1"]])
def test_an_owner_whose_principal_is_none_is_said(odd: Any) -> None:
    arm = FakeArm(roleassignments=[puller()], distinct=[{**MACHINE, "principalId": odd}])
    _, unread = found(arm, mode="LegacyRegistryPermissions")
    assert any("runner" in sentence for sentence in unread)


@pytest.mark.parametrize(("count", "asked"), [(20, 1), (21, 2)])
def test_for_many_registries_only_assignments_of_roles_that_pull_are_asked_for(count: int, asked: int) -> None:
    ids = [f"{ID}{number}" for number in range(count)]
    registries = [RegistryInView(each, each.rpartition("/")[2], "", "s1", "rg") for each in ids]
    role = {"id": CUSTOM_ROLE, "roleName": "Ours", "permissions": [{"actions": ["*/pull/read"]}]}
    arm = FakeArm(roledefinitions=[role], roleassignments=[{**puller(), "scope": "/subscriptions/s1"}])
    search.find_consumers(SearchArea(registries, {}), cast(ArmClient, arm), OURS, ".azurecr.io")
    about_roles = [each for each in arm.asked if "permissions" in each]
    assert len(about_roles) == asked
    assert ("c0ffee00" in about_roles[-1]) == ("7f951dda" in about_roles[-1]) == (asked == 2)
    assert any("principal in ('p1')" in each for each in arm.asked) == (asked == 2)
    assert sum("distinct principal" in each for each in arm.asked) == (asked == 1)


@pytest.mark.parametrize(
    ("login_server", "texts"),
    [("contoso-abc123.azurecr.io", ["contoso-abc123."]), ("", ["contoso.", "contoso-"])],
)
def test_rows_are_asked_for_by_login_server_or_if_it_is_not_known_by_name(login_server: str, texts: list[str]) -> None:
    arm = FakeArm(roleassignments=[owner()])
    found(arm, login_server=login_server)
    [flux] = [each for each in arm.asked if "kubernetesconfigurationresources" in each]
    assert re.findall(r"contains '([^']+)'", flux) == texts


def test_what_was_asked_before_a_registry_was_read_is_what_a_search_for_it_takes() -> None:
    resource = {"id": ID, "name": "contoso", "properties": {"loginServer": "contoso-abc123.azurecr.io"}}
    app = {"id": f"{GROUP}/providers/Microsoft.App/containerApps/app", "name": "app"}
    image = {"template": {"containers": [{"image": "contoso-abc123.azurecr.io/app"}]}}
    arm = FakeArm(resources=[{**app, **image, "type": "microsoft.app/containerapps"}], roleassignments=[owner()])
    client = cast(ArmClient, arm)
    begun = search.begin_search_by_id(client, ID.upper(), OURS, ".azurecr.io")
    result = search.find_fleet_consumers(lambda _: client, [resource], OURS, ".azurecr.io", lambda _: [], begun)
    assert "app" in [row["name"] for row in result.consumers[ID.lower()]]
    assert len(arm.asked) == 7


@pytest.mark.parametrize(
    ("registry_id", "login_server"), [(f"{ID}2", "contoso2.azurecr.io"), (ID, "tailspin.azurecr.io"), (ID, "")]
)
def test_what_was_asked_for_another_registry_or_by_another_name_does_not_count(
    registry_id: str, login_server: str
) -> None:
    resource = {"id": registry_id, "name": "contoso", "properties": {"loginServer": login_server}}
    arm = FakeArm(roleassignments=[owner()])
    client = cast(ArmClient, arm)
    begun = search.begin_search_by_id(client, ID, OURS, ".azurecr.io")
    search.find_fleet_consumers(lambda _: client, [resource], OURS, ".azurecr.io", lambda _: [], begun)
    assert len(arm.asked) == 14


@pytest.mark.parametrize("table", TABLES[2:-1])
def test_a_table_that_is_refused_is_a_part_that_was_not_read(table: str) -> None:
    rows: dict[str, Any] = {"roleassignments": [owner()], table: ArmError(400, "BadRequest", "", "")}
    _, unread = found(FakeArm(**rows))
    assert any("(BadRequest (HTTP 400))" in sentence for sentence in unread)


def test_settings_of_a_site_whose_own_row_is_not_there_are_said() -> None:
    config = {"id": f"{SITE}/config/web", "linuxFxVersion": "DOCKER|contoso.azurecr.io/shop"}
    _, unread = found(FakeArm(appserviceresources=[config], roleassignments=[owner()]))
    assert any(SITE.lower() in sentence for sentence in unread)


def test_pools_that_resource_graph_leaves_out_could_not_be_read() -> None:
    cluster = {"id": CLUSTER, "name": "aks", "type": "microsoft.containerservice/managedclusters"}
    rows = {"resources": [{**cluster, "kubelet": {"objectId": "p1"}}], "roleassignments": [owner()]}
    result, unread = found(FakeArm(**rows, pools=ArmError(500, "Busy", "", "")))
    [row] = [each for each in result["registries"][0]["consumers"] if each["name"] == "aks"]
    assert (row["verdict"], row["why"]) == ("unknown", "Its node pools could not be read.")
    assert any("Node pools could not be read" in sentence for sentence in unread)


@pytest.mark.parametrize(
    ("chain", "above"),
    [
        ([{"name": "apps"}, {"name": "5f7d"}], ["apps", "5f7d"]),
        ([], []),
        ([{"name": "apps"}, {"name": "ap\ufffdps"}], None),
        ([{"name": ".."}], None),
        ([{"displayName": "Apps"}], None),
        ([5], None),
        ("apps", None),
        (None, None),
    ],
)
def test_the_groups_above_are_known_by_valid_names_or_not_at_all(chain: Any, above: list[str] | None) -> None:
    area = SearchArea([], {"s": {"chain": chain}})
    assert area.above("S") == above
    assert area.above("another") is None
