"""Everything that Resource Graph shows of a tenant's consumers, in few queries: a thousand rows in each.

Asked over all subscriptions that the account can see, for a consumer is rarely in the registry's own. One query each
for registries with subscriptions, resources, App Service settings, custom roles, role assignments, Batch pools and Flux
configurations (these run at the same time), for sites that only their settings showed, and for whose identities have
pull rights.
"""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope import _errors, graph, hosts
from azext_acrscope.arm import Arm, ArmError
from azext_acrscope.consumers import rights, uses
from azext_acrscope.consumers.uses import Odd, Use, at
from azext_acrscope.kql import listed, quoted

WEB_API_VERSION = "2022-09-01"
SIDECARS_API_VERSION = "2024-04-01"
_READERS = 8
_FEW = 20  # registries; for more, every row that names any registry is asked for
_FEW_SCOPES = 100
_PRINCIPALS_IN_A_QUERY = 400
_SITES_IN_A_QUERY = 200

_REGISTRIES = """resources
| where type =~ 'microsoft.containerregistry/registries'{where}
| project id, name, type, subscriptionId, resourceGroup, loginServer = tostring(properties.loginServer), \
status = tostring(properties.policies.azureADAuthenticationAsArmPolicy.status), \
mode = tostring(properties.roleAssignmentMode), chain = todynamic('')
| union (resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, name, type, subscriptionId, resourceGroup, loginServer = '', status = '', mode = '', \
chain = properties.managementGroupAncestorsChain)
| order by id asc"""

# Types that name a registry by its login server; those that do not are asked for by type alone.
_BY_HOST = (
    *("microsoft.web/sites", "microsoft.web/sites/slots", "microsoft.app/containerapps", "microsoft.app/jobs"),
    *("microsoft.app/sessionpools", "microsoft.app/builders", "microsoft.containerinstance/containergroups"),
    *("microsoft.containerinstance/containergroupprofiles", "microsoft.containerinstance/containergroupprofile"),
)
_BY_TYPE = (
    *("microsoft.containerservice/managedclusters", "microsoft.machinelearningservices/workspaces"),
    *("microsoft.machinelearningservices/registries", "microsoft.containerregistry/registries/tasks"),
    "microsoft.containerregistry/registries/agentpools",
)
_RESOURCES = """resources
| where {where}
| project id, name, type, kind, managedBy, identity, \
siteConfig = pack('linuxFxVersion', properties.siteConfig.linuxFxVersion, \
'windowsFxVersion', properties.siteConfig.windowsFxVersion, \
'acrUseManagedIdentityCreds', properties.siteConfig.acrUseManagedIdentityCreds, \
'acrUserManagedIdentityID', properties.siteConfig.acrUserManagedIdentityID), \
siteProperties = properties.siteProperties.properties, \
template = properties.template, registries = properties.configuration.registries, \
customContainerTemplate = properties.customContainerTemplate, containers = properties.containers, \
initContainers = properties.initContainers, imageRegistryCredentials = properties.imageRegistryCredentials, \
kubelet = properties.identityProfile.kubeletidentity, \
servicePrincipal = tostring(properties.servicePrincipalProfile.clientId), \
pools = properties.agentPoolProfiles, version = tostring(properties.currentKubernetesVersion), \
bootstrapProfile = properties.bootstrapProfile, \
mlRegistry = properties.containerRegistry, mlRegistries = properties.containerRegistries, \
mlDetails = properties.regionDetails, taskCredentials = properties.credentials, \
builderRegistries = properties.containerRegistries
| order by id asc"""
_SITE_SETTINGS = """appserviceresources
| where type in~ ('microsoft.web/sites/config', 'microsoft.web/sites/slots/config') and ({named})
| project id, \
linuxFxVersion = coalesce(properties.LinuxFxVersion, properties.linuxFxVersion), \
windowsFxVersion = coalesce(properties.WindowsFxVersion, properties.windowsFxVersion), \
acrUseManagedIdentityCreds = coalesce(properties.AcrUseManagedIdentityCreds, properties.acrUseManagedIdentityCreds), \
acrUserManagedIdentityID = coalesce(properties.AcrUserManagedIdentityID, properties.acrUserManagedIdentityID)
| order by id asc"""
_POOLS = """batchresources
| where type =~ 'microsoft.batch/batchaccounts/pools' and ({named})
| project id, name, type, identity, \
containerConfiguration = properties.deploymentConfiguration.virtualMachineConfiguration.containerConfiguration, \
startContainer = properties.startTask.containerSettings
| order by id asc"""
_FLUX = """kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations' and ({named})
| project id, name, type, ociRepository = properties.ociRepository
| order by id asc"""
# Of the hundreds of built-in roles only those that could pull: by an action such as `*/read`, or by name.
_ROLES = """authorizationresources
| where type =~ 'microsoft.authorization/roledefinitions'
| extend said = tostring(properties.permissions)
| where said contains 'containerregistry' or said contains '"*' \
or (tostring(properties.type) =~ 'CustomRole' and said contains '*')
| project id, name, roleName = tostring(properties.roleName), permissions = properties.permissions
| order by id asc"""
_ASSIGNMENTS = """authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| extend scope = tolower(tostring(properties.scope)), roleId = tolower(tostring(properties.roleDefinitionId))
| extend role = extract('[^/]+$', 0, roleId)
| where role in ({roles}) and ({scopes})
| project id, scope, roleId, principalId = tostring(properties.principalId), \
principalType = tostring(properties.principalType), condition = tostring(properties.condition)
| order by id asc"""
_OWNERS = """resources
| extend own = tolower(tostring(identity.principalId)), assigned = iff(type =~ \
'microsoft.managedidentity/userassignedidentities', tolower(tostring(properties.principalId)), '')
| where own in ({principals}) or assigned in ({principals})
| project id, name, type, principalId = iff(isnotempty(assigned), assigned, own), \
clientId = iff(isnotempty(assigned), tostring(properties.clientId), '')
| order by id asc"""


@dataclass
class Registry:
    id: str
    name: str
    login_server: str
    subscription: str
    resource_group: str
    status: str = ""
    mode: str = ""


@dataclass
class Places:
    """The registries in view and the subscriptions that were searched (ID in lower case → its row)."""

    registries: list[Registry]
    subscriptions: dict[str, dict[str, Any]]
    incomplete: list[str] = field(default_factory=list)

    def above(self, subscription: str) -> list[str] | None:
        """The management groups above a subscription; None if its row does not say."""
        chain = self.subscriptions.get(subscription.lower(), {}).get("chain")
        if not isinstance(chain, list):
            return None
        return [str(each.get("name")) for each in chain if isinstance(each, dict)]


@dataclass
class Found:
    """What was found of consumers. `incomplete` holds a sentence for each reason why there may be more."""

    uses: list[Use] = field(default_factory=list)
    clusters: list[tuple[dict[str, Any], frozenset[str]]] = field(default_factory=list)  # rows, nodes' identities
    holders: dict[str, dict[str, rights.Holder]] = field(default_factory=dict)  # by registry ID, then principal
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)  # resource rows, by principal
    incomplete: list[str] = field(default_factory=list)


def places(arm: Arm, where: str) -> Places:
    """The registries that a condition of KQL picks, and all subscriptions that the account can see.

    :raises ArmError: Resource Graph refused the query as a whole.
    """
    answer = graph.query(arm, _REGISTRIES.format(where=where))
    found = Places([], {}, answer.incomplete)
    whole = _whole(answer.rows, found.incomplete)
    for row in whole:
        if str(row.get("type")).lower() == "microsoft.resources/subscriptions":
            found.subscriptions[str(row.get("subscriptionId")).lower()] = row
        else:
            found.registries.append(
                Registry(
                    *(str(row.get(name) or "") for name in ("id", "name", "loginServer", "subscriptionId")),
                    *(str(row.get(name) or "") for name in ("resourceGroup", "status", "mode")),
                )
            )
    return found


def search(arm: Arm, where: Places, roles: dict[str, dict[str, Any]], suffix: str) -> Found:
    """The consumers of the registries.

    :param roles: the built-in roles that pull, by GUID.
    :raises ArmError: Resource Graph refused the query for resources; what else it refused is said in `incomplete`.
    """
    asked, found = _Asked(arm), Found()
    named = _named(where.registries, suffix)
    by_host = f"type in~ ({listed(_BY_HOST)}) and ({_sites(named)})"
    with ThreadPoolExecutor(_READERS) as readers:
        resources = readers.submit(asked.rows, _RESOURCES.format(where=f"type in~ ({listed(_BY_TYPE)}) or ({by_host})"))
        settings = readers.submit(
            asked.rows, _SITE_SETTINGS.format(named=_sites(named)), "Settings of App Service and Functions"
        )
        pools = readers.submit(asked.rows, _POOLS.format(named=named), "Batch pools")
        flux = readers.submit(asked.rows, _FLUX.format(named=named), "Flux configurations")
        assignments = readers.submit(_assignments, asked, where.registries, roles)
        sites = _sort(found, resources.result(), suffix)
        _read_sites(asked, readers, found, sites, settings.result(), suffix)
        found.uses += _read(found, pools.result(), uses.batch_pool, suffix)
        found.uses += _read(found, flux.result(), uses.flux, suffix)
        rows, known = assignments.result()
    _take_rights(found, where, rows, known)
    _find_owners(asked, found)
    found.incomplete += [*_nameless(where.registries, suffix), *asked.incomplete]
    return found


def _nameless(registries: list[Registry], suffix: str) -> list[str]:
    """Registries that no image can be told to name, for their login server is not of this cloud's form or not there."""
    odd = [each.name for each in registries if not hosts.image_login_server(each.login_server, suffix, bare=True)]
    return [f"The login server of {name} is not known, so neither is who names it in an image." for name in odd]


# --- asking --------------------------------------------------------------------------------------------------------


class _Asked:
    """Queries over all subscriptions, and why their answers may not be whole."""

    def __init__(self, arm: Arm) -> None:
        self.arm, self.incomplete = arm, list[str]()

    def rows(self, kql: str, optional: str = "", inherited: bool = False) -> list[dict[str, Any]]:
        """`optional` names what is left out where Resource Graph refuses: other clouds lack some tables."""
        try:
            answer = graph.query(self.arm, kql, inherited=inherited)
        except ArmError as error:
            if not optional:
                raise
            self.incomplete.append(f"{optional} could not be read in Resource Graph ({error}): they are unknown.")
            return []
        self.incomplete += [text for text in answer.incomplete if text not in self.incomplete]
        return _whole(answer.rows, self.incomplete)


def _whole(rows: list[Any], incomplete: list[str]) -> list[dict[str, Any]]:
    """The rows that are rows; how many are not is said."""
    whole = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    if len(whole) < len(rows):
        incomplete.append(
            f"{_errors.counted(len(rows) - len(whole), 'row', 'rows')} of Resource Graph could not be read."
        )
    return whole


def _assignments(
    asked: _Asked, registries: list[Registry], roles: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The role assignments that may reach the registries, and the roles that pull: those that are known, and all
    others, built-in and custom, by what they allow.
    """
    judged: dict[str, dict[str, Any]] = {}
    for row in asked.rows(_ROLES, "Custom roles", inherited=True):
        try:
            judged |= rights.judged_roles([row])
        except Odd:
            asked.incomplete.append(f"Role {row['id']} could not be read.")
    known = {**judged, **roles}
    text = _ASSIGNMENTS.format(roles=listed(known), scopes=_scopes(registries))
    return asked.rows(text, "Role assignments", inherited=True), known


def _scopes(registries: list[Registry]) -> str:
    """A condition for the scopes from which a role may reach one of the registries, as short as it can be."""
    ids = [registry.id.lower() for registry in registries]
    groups = sorted({each.partition("/providers/")[0] for each in ids})
    conditions = ["array_length(split(scope, '/')) <= 3", "scope startswith '/providers/microsoft.management/'"]
    if len(groups) <= _FEW_SCOPES:
        conditions.append(f"scope in ({listed(groups)})")
    else:
        conditions.append("array_length(split(scope, '/')) == 5")
    if len(ids) <= _FEW:
        conditions += [f"scope startswith '{quoted(each)}'" for each in ids]
    else:
        conditions.append("scope contains '/providers/microsoft.containerregistry/registries/'")
    return " or ".join(conditions)


def _named(registries: list[Registry], suffix: str) -> str:
    """A condition for rows that may name one of the registries; what it lets through is compared exactly later."""
    labels = [registry.login_server.partition(".")[0] for registry in registries]
    wanted = [f"{label}." for label in labels] if len(labels) <= _FEW else [suffix]
    return " or ".join(f"tostring(properties) contains '{quoted(text)}'" for text in wanted)


def _sites(named: str) -> str:
    """Sites whose rows hold no image in clear text are asked for, too: compose files and sidecars."""
    unclear = ("COMPOSE|", "KUBE|", "sitecontainers")
    return " or ".join([named, *(f"tostring(properties) contains '{form}'" for form in unclear)])


# --- reading -------------------------------------------------------------------------------------------------------


def _read(
    found: Found, rows: list[dict[str, Any]], reader: Callable[[dict[str, Any], str], list[Use]], suffix: str
) -> list[Use]:
    read = []
    for row in rows:
        try:
            read += reader(row, suffix)
        except Odd:
            _say_odd(found, row)
    return read


def _say_odd(found: Found, row: dict[str, Any]) -> None:
    found.incomplete.append(f"The row of {row['id']} could not be read: which registries it uses is unknown.")


def _sort(found: Found, rows: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    """Takes in all resources but sites, whose rows may lack what is needed: these are returned."""
    sites = []
    for row in rows:
        kind = str(row.get("type")).lower()
        if kind in uses.SITES:
            sites.append(row)
            continue
        if kind == uses.CLUSTER:
            found.clusters.append((row, _kubelet(row)))
        if kind in uses.READERS:
            found.uses += _read(found, [row], uses.READERS[kind], suffix)
    return sites


def _read_sites(
    asked: _Asked,
    readers: ThreadPoolExecutor,
    found: Found,
    sites: list[dict[str, Any]],
    config: list[dict[str, Any]],
    suffix: str,
) -> None:
    """Sites, with their settings from the other table; what neither has is asked of ARM, once for each."""
    config = sorted(config, key=lambda row: row["id"].lower().endswith("/config/web"))  # of several, that one counts
    settings = {re.sub(r"/config/[^/]*$", "", row["id"].lower()): row for row in config}
    sites = [*sites, *_other_sites(asked, settings.keys() - {row["id"].lower() for row in sites})]

    def read(row: dict[str, Any]) -> tuple[list[Use], list[str]]:
        try:
            return _site(asked.arm, row, settings.get(row["id"].lower()), suffix)
        except Odd:
            return [], [f"The row of {row['id']} could not be read: which registries it uses is unknown."]

    for found_uses, sentences in readers.map(read, sites):
        found.uses += found_uses
        found.incomplete += sentences


def _other_sites(asked: _Asked, sites: Iterable[str]) -> list[dict[str, Any]]:
    """Sites whose own rows do not name what they run, which was seen in their settings alone."""
    rows, ordered = [], sorted(sites)
    for start in range(0, len(ordered), _SITES_IN_A_QUERY):
        ids = listed(ordered[start : start + _SITES_IN_A_QUERY])
        rows += asked.rows(_RESOURCES.format(where=f"id in~ ({ids})"), "Sites")
    there = {row["id"].lower() for row in rows}
    asked.incomplete += [
        f"The settings of {each} may name a registry, and its own row is not there: it is unknown."
        for each in ordered
        if each not in there
    ]
    return rows


def _site(arm: Arm, row: dict[str, Any], config: dict[str, Any] | None, suffix: str) -> tuple[list[Use], list[str]]:
    """What a site uses, with one request if need be; and sentences on why a use may be missing."""
    versions = uses.site_versions(row, config)
    images = [image for version in versions for image in uses.site_images(version)]
    found, said = list[Use](), list[str]()
    if any(map(uses.is_sidecars, versions)):
        try:
            found += uses.site_containers(row, arm.pages(f"{row['id']}/sitecontainers", SIDECARS_API_VERSION), suffix)
        except (ArmError, AzCLIError) as error:  # one app must not hide the others
            said.append(f"The containers of {row['id']} could not be read ({_short(error)}): they are unknown.")
    if any(hosts.image_login_server(each, suffix) for each in images):
        sign_in = uses.site_sign_in(row, config)
        if not sign_in:
            sign_in, why = _ask_site(arm, row)
            said += [f"How {row['id']} signs in could not be read{why}: it is unknown."] if why else []
        found += uses.site(row, sign_in, suffix, config)
    if uses.unresolved(images):
        said.append(f"An image of {row['id']} names its registry by a variable: which one it is is unknown.")
    return found, said


def _ask_site(arm: Arm, row: dict[str, Any]) -> tuple[uses.SignIn, str]:
    """How a site signs in, as ARM says; and why that could not be read."""
    try:
        answer = arm.get(f"{row['id']}/config/web", WEB_API_VERSION).body
        sign_in = uses.site_sign_in(row, at(answer, "properties"))
        return (sign_in, "") if sign_in else (uses.SignIn(uses.UNKNOWN, detail="Its settings do not say."), " there")
    except (ArmError, AzCLIError) as error:
        why = f" ({_short(error)})"
        return uses.SignIn(uses.UNKNOWN, detail=f"Its settings could not be read{why}."), why


def _short(error: ArmError | AzCLIError) -> str:
    return str(error) if isinstance(error, ArmError) else type(error).__name__


def _take_rights(found: Found, where: Places, rows: list[dict[str, Any]], roles: dict[str, dict[str, Any]]) -> None:
    assignments, without = rights.index(rows), list[str]()
    for registry in where.registries:
        above = where.above(registry.subscription)
        held = rights.holders(registry.id, registry.mode, above, assignments, roles)
        found.holders[registry.id.lower()] = held
        without += [] if rights.any_visible(registry.id, above, assignments) else [registry.name]
    if without:
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        found.incomplete.append(
            f"No role assignment is visible for {', '.join(without[:3])}{more}: to see roles takes "
            "Microsoft.Authorization/roleAssignments/read at a registry and above. AKS clusters are found by roles."
        )
    if assignments.odd:
        found.incomplete.append(f"{assignments.odd} role assignments could not be read.")


def _find_owners(asked: _Asked, found: Found) -> None:
    """Whose identities the remaining holders are."""
    known = {principal for use in found.uses for principal in use.principals}
    known |= {principal for _, nodes in found.clusters for principal in nodes}
    left = {
        holder.principal
        for held in found.holders.values()
        for holder in held.values()
        if holder.principal not in known and holder.kind.lower() in ("serviceprincipal", "")
    }
    ordered = sorted(left)
    for start in range(0, len(ordered), _PRINCIPALS_IN_A_QUERY):
        asked_for = listed(ordered[start : start + _PRINCIPALS_IN_A_QUERY])
        for row in asked.rows(_OWNERS.format(principals=asked_for), "Owners of identities"):
            found.owners[str(row.get("principalId")).lower()] = row


def _kubelet(row: dict[str, Any]) -> frozenset[str]:
    """Nothing where the row is odd: its reader says so."""
    try:
        return uses.kubelet(row)
    except Odd:
        return frozenset()
