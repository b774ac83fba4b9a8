"""Service connections of Azure DevOps: which registry, which sign-in, what is kept of a row, and what used it."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.base.foreign_json import UnexpectedShape
from azext_acrscope.consumers import service_connections as rows
from azext_acrscope.consumers.service_connections import Project, ServiceConnection, Use
from tests.factories.shapes import json_values

SUFFIX = ".azurecr.io"
GUID = "0b8f8b0e-53a1-4c3c-9f0d-6c1f7d3b6a10"
OTHER = "c7e5f0b3-71fa-4429-9fb3-3321963a7c06"
PROJECT = Project(OTHER, "Fabrikam")
REGISTRY_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso"
# Put together from a provider's tests and the published envelope: no answer of the service is recorded.
ACR: dict[str, Any] = {
    "id": GUID,
    "name": "contoso-acr",
    "type": "dockerregistry",
    "url": "https://hub.docker.com/",
    "owner": "library",
    "isShared": False,
    "isReady": True,
    "authorization": {
        "scheme": "WorkloadIdentityFederation",
        "parameters": {
            "loginServer": "contoso.azurecr.io",
            "tenantId": "aba07645-051c-44b4-b806-c34d33f3dcd1",
            "serviceprincipalid": "11111111-2222-3333-4444-555555555555",
            "serviceprincipalkey": "hunter2",
        },
    },
    "data": {"registrytype": "ACR", "registryId": REGISTRY_ID, "spnObjectId": "x"},
    "serviceEndpointProjectReferences": [
        {"projectReference": {"id": OTHER, "name": "Fabrikam"}, "name": "contoso-acr"}
    ],
}


def row(**changes: Any) -> dict[str, Any]:
    """The row above; `parameters` and `data` replace members, `scheme` the scheme."""
    made = copy.deepcopy(ACR)
    parameters, data = changes.pop("parameters", {}), changes.pop("data", {})
    made["authorization"]["parameters"] |= parameters
    made["data"] |= data
    if "scheme" in changes:
        made["authorization"]["scheme"] = changes.pop("scheme")
    return {**made, **changes}


def read(made: dict[str, Any]) -> ServiceConnection | None:
    return rows.read_connection(made, PROJECT, SUFFIX)


def test_an_acr_connection_is_read() -> None:
    assert read(ACR) == ServiceConnection(
        id=GUID,
        type="dockerregistry",
        kind=rows.ACR_KIND,
        scheme=rows.FEDERATION,
        sign_in=rows.FEDERATION,
        registry="contoso.azurecr.io",
        registry_id=REGISTRY_ID.lower(),
        names=((PROJECT, "contoso-acr"),),
    )


def test_nothing_of_the_parameters_is_kept_but_the_registry_and_the_scheme() -> None:
    text = repr(read(ACR))
    for secret in ("hunter2", "aba07645", "11111111", "serviceprincipal"):
        assert secret not in text


@pytest.mark.parametrize(
    ("scheme", "sign_in"),
    [
        ("ManagedServiceIdentity", "managed identity"),
        ("managedserviceidentity", "managed identity"),
        ("WorkloadIdentityFederation", "workload identity federation"),
        ("ServicePrincipal", "service principal"),
        ("serviceprincipal", "service principal"),
        (None, "service principal"),
        ("", "service principal"),
        ("Something", "service principal"),
    ],
)
def test_how_an_acr_connection_signs_in_follows_its_scheme_as_the_tasks_have_it(scheme: Any, sign_in: str) -> None:
    found = read(row(scheme=scheme))
    assert found
    assert found.sign_in == sign_in


def test_letters_of_names_in_a_row_may_have_any_case() -> None:
    made = row(type="DockerRegistry")
    made["data"] = {"RegistryType": "acr", "RegistryId": REGISTRY_ID.upper()}
    made["authorization"]["parameters"] = {"LOGINSERVER": "Contoso.AzureCR.io"}
    found = read(made)
    assert found
    assert (found.registry, found.registry_id) == ("contoso.azurecr.io", REGISTRY_ID.lower())


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("contoso.azurecr.io", "contoso.azurecr.io"),
        ("contoso-e7gg.azurecr.io", "contoso-e7gg.azurecr.io"),
        ("contoso.westeurope.geo.azurecr.io", "contoso.azurecr.io"),
        ("https://contoso.azurecr.io/", "contoso.azurecr.io"),
        ("contoso.azurecr.cn", ""),
        ("contoso.azurecr.io.evil.example", ""),
        ("$(registry)", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_registry_is_a_login_server_of_the_cloud_or_not_known(server: str | None, registry: str) -> None:
    found = read(row(parameters={"loginServer": server}, data={"registryId": None}))
    assert found
    assert (found.registry, found.registry_id) == (registry, "")


@pytest.mark.parametrize("identifier", ["", None, "contoso", REGISTRY_ID + "/tokens/x", "/subscriptions/s", "//"])
def test_only_the_id_of_a_registry_is_one(identifier: str | None) -> None:
    found = read(row(data={"registryId": identifier}))
    assert found
    assert found.registry_id == ""


HUB = "https://index.docker.io/v1/"


def password(username: Any, registry: str = "https://contoso.azurecr.io/v2/", url: str = HUB) -> Any:
    made = row(scheme="UsernamePassword", url=url)
    made["data"] = {"registrytype": "Others"}
    made["authorization"]["parameters"] = {"registry": registry, "username": username, "password": None}
    return made


@pytest.mark.parametrize(
    ("username", "sign_in"),
    [
        ("contoso", "admin user"),
        ("builders", "repository token"),
        ("11111111-2222-3333-4444-555555555555", "service principal"),
        (None, "password or none"),
    ],
)
def test_a_user_name_says_whose_password_it_is(username: Any, sign_in: str) -> None:
    found = read(password(username))
    assert found
    assert (found.kind, found.sign_in, found.registry) == (rows.ACR_KIND, sign_in, "contoso.azurecr.io")


def test_the_address_counts_where_no_registry_is_named() -> None:
    found = read(password("builders", registry="", url="https://contoso.azurecr.io"))
    assert found
    assert found.registry == "contoso.azurecr.io"


@pytest.mark.parametrize(
    "made",
    [
        row(type="github"),
        row(type="kubernetes", url="https://contoso.azurecr.io"),
        password("me", registry="https://index.docker.io/v1/"),
        password("me", registry="https://contoso.azurecr.io.evil.example/"),
        password("me", registry="https://evil.example/contoso.azurecr.io"),
    ],
)
def test_what_reaches_no_registry_of_azure_is_none(made: Any) -> None:
    assert read(made) is None


@pytest.mark.parametrize("scheme", ["ManagedServiceIdentity", "WorkloadIdentityFederation", "PublishProfile", None])
def test_an_azure_connection_names_no_registry(scheme: str | None) -> None:
    found = read(row(type="AzureRM", scheme=scheme))
    assert found
    assert (found.type, found.kind, found.sign_in) == ("azurerm", rows.AZURE_KIND, "unknown")
    assert (found.registry, found.registry_id) == ("", "")


def test_a_shared_connection_has_a_name_in_each_project() -> None:
    references = [
        {"projectReference": {"id": OTHER, "name": "Fabrikam"}, "name": "another"},
        {"projectReference": {"id": GUID, "name": "Tailspin"}, "name": "shared-acr"},
        {"projectReference": {"id": GUID.replace("0", "1"), "name": "Wingtip"}, "name": None},
    ]
    found = read(row(serviceEndpointProjectReferences=references))
    assert found
    assert [(project.name, name) for project, name in found.names] == [
        ("Fabrikam", "contoso-acr"),
        ("Tailspin", "shared-acr"),
        ("Wingtip", "contoso-acr"),
    ]
    alone = read(row(serviceEndpointProjectReferences=None))
    assert alone
    assert alone.names == ((PROJECT, "contoso-acr"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"type": 7},
        {"id": None},
        {"id": "../../x"},
        {"name": ""},
        {"name": []},
        {"data": {"registrytype": ["ACR"]}},
        {"data": {"registrytype": None}},
        {"authorization": "x"},
        {"serviceEndpointProjectReferences": "x"},
        {"serviceEndpointProjectReferences": [{"projectReference": {"id": "x", "name": "y"}}]},
    ],
)
def test_a_row_of_another_form_is_not_read_as_none(changes: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        read(row(**changes))


def test_names_obey_nobody_and_hold_no_token() -> None:
    hostile = "\x1b[31mred\nERROR: x \u202e eyJhbGciOiJSUzI1NiJ9.e30.abc"
    found = read(row(name=hostile, scheme="\x1b]0;x\x07"))
    assert found
    for text in (found.names[0][1], found.scheme):
        assert text.isprintable()
        assert "eyJ" not in text


_LEAVES = [None, True, False, 0, -1, 5, 2**70, "", "a", " ", "é中", "\ud800", "\x1b[31m", "Ready", GUID, "ACR"]


def _leaf(random: Random) -> Any:
    return random.choice(_LEAVES)


_VALUES = json_values(_leaf, [*ACR, "scheme", "parameters", "id", "name", "loginServer"])


@given(st.dictionaries(st.sampled_from(list(ACR)), _VALUES), st.booleans())
def test_reading_is_total(changes: dict[str, Any], whole: bool) -> None:
    for reader in (read, lambda made: rows.read_use(made, PROJECT), rows.read_pipeline, rows.read_project):
        try:
            reader({**ACR, **changes} if whole else changes)
        except UnexpectedShape:
            continue


@pytest.mark.parametrize("process", [None, {}, {"type": "2"}, {"type": None}, "YAML"])
def test_a_definition_without_its_process_is_not_read(process: Any) -> None:
    with pytest.raises(UnexpectedShape):
        rows.read_pipeline({"id": 3, "process": process})


# --- uses ----------------------------------------------------------------------------------------------------------


def use(plan: Any = "Build", **definition: Any) -> dict[str, Any]:
    """A record as in the published example (serviceEndpoint 7.1, executionhistory)."""
    link = (
        f"https://dev.azure.com/fabrikam/_permalink/_build/index?collectionId={GUID}&projectId={OTHER}&definitionId=1"
    )
    whole = {"_links": {"web": {"href": link}}, "id": 1, "name": "Test_Build", **definition}
    data = {"id": 2, "planType": plan, "definition": whole, "finishTime": "2018-01-08T11:47:06.2833333Z"}
    return {"endpointId": GUID, "data": data}


def test_a_use_names_a_pipeline_its_project_and_when() -> None:
    asked = Project(GUID, "Tailspin")
    assert rows.read_use(use(), asked) == Use(OTHER, "pipeline", "Test_Build", 1, "2018-01-08T11:47:06Z")
    assert rows.read_use(use(_links=None), asked).project == GUID


def test_a_link_of_the_api_names_the_project_too() -> None:
    link = {"self": {"href": f"https://dev.azure.com/fabrikam/{OTHER}/_apis/build/Definitions/1"}}
    assert rows.read_use(use(_links=link), Project(GUID, "Tailspin")).project == OTHER


@pytest.mark.parametrize(
    ("plan", "kind", "number"), [("Release", "classic release", 0), ("build", "pipeline", 1), ("Gates", "Gates", 0)]
)
def test_a_plan_is_a_pipeline_a_release_or_what_it_says(plan: str, kind: str, number: int) -> None:
    found = rows.read_use(use(plan), PROJECT)
    assert (found.kind, found.number) == (kind, number)


@pytest.mark.parametrize("number", [None, "1", True, -1, 2**40, 1.5])
def test_only_a_number_is_asked_for_later(number: Any) -> None:
    assert rows.read_use(use(id=number), PROJECT).number == 0


@pytest.mark.parametrize("made", [{}, {"data": None}, {"data": {"planType": 1}}, use(plan=None), use(name=["x"])])
def test_a_record_of_another_form_is_not_read(made: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        rows.read_use(made, PROJECT)


@pytest.mark.parametrize(
    ("process", "kind", "file"),
    [
        ({"type": 2, "yamlFilename": "ci/azure-pipelines.yml"}, "YAML pipeline", "ci/azure-pipelines.yml"),
        ({"type": 2}, "YAML pipeline", None),
        ({"type": 1, "yamlFilename": "x"}, "classic pipeline", None),
        ({"type": 9}, "pipeline", None),
    ],
)
def test_a_definition_says_whether_a_pipeline_is_a_file(process: Any, kind: str, file: str | None) -> None:
    assert rows.read_pipeline({"id": 3, "process": process}) == (3, kind, file)
