"""What Resource Graph is asked about consumers: the queries, and the conditions in them. No requests in here.

Rows come in the order of their IDs, so that pages neither repeat nor leave out any. What a query lets through is read,
and compared exactly, by `uses` and `rights`.
"""

from collections.abc import Iterable

from azext_acrscope.arm.resource_graph import list_kql, quote_kql
from azext_acrscope.base.resource_ids import parse_resource_id

MAX_NAMED_REGISTRIES = 20  # registries; for more, every row that names any registry is asked for
_MAX_NAMED_SCOPES = 100

REGISTRIES_QUERY = """resources
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
TYPES_NAMING_LOGIN_SERVERS = (
    *("microsoft.web/sites", "microsoft.web/sites/slots", "microsoft.app/containerapps", "microsoft.app/jobs"),
    *("microsoft.app/sessionpools", "microsoft.app/builders", "microsoft.containerinstance/containergroups"),
    *("microsoft.containerinstance/containergroupprofiles", "microsoft.containerinstance/containergroupprofile"),
    "microsoft.iotoperations/instances/registryendpoints",
)
TYPES_READ_WHOLE = (
    *("microsoft.containerservice/managedclusters", "microsoft.machinelearningservices/workspaces"),
    *("microsoft.machinelearningservices/registries", "microsoft.containerregistry/registries/tasks"),
    "microsoft.containerregistry/registries/agentpools",
)
RESOURCES_QUERY = """resources
| where {where}
| project id, name, type, ['kind'], managedBy, identity, \
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
version = tostring(properties.currentKubernetesVersion), \
bootstrapProfile = properties.bootstrapProfile, \
mlRegistry = properties.containerRegistry, mlRegistries = properties.containerRegistries, \
mlDetails = properties.regionDetails, taskCredentials = properties.credentials, \
builderRegistries = properties.containerRegistries, \
endpointHost = properties.host, endpointAuthentication = properties.authentication
| order by id asc"""
# A cluster may have a hundred pools of fifty members each, four of which are read: a thousand whole clusters are too
# large for an answer.
NODE_POOLS_QUERY = """resources
| where type =~ 'microsoft.containerservice/managedclusters'
| mv-expand pool = properties.agentPoolProfiles
| summarize pools = make_list(pack('name', pool.name, 'nodeImageVersion', pool.nodeImageVersion, \
'currentOrchestratorVersion', pool.currentOrchestratorVersion, 'orchestratorVersion', pool.orchestratorVersion)) by id
| order by id asc"""
SITE_SETTINGS_QUERY = """appserviceresources
| where type in~ ('microsoft.web/sites/config', 'microsoft.web/sites/slots/config') and ({named})
| project id, \
linuxFxVersion = coalesce(properties.LinuxFxVersion, properties.linuxFxVersion), \
windowsFxVersion = coalesce(properties.WindowsFxVersion, properties.windowsFxVersion), \
acrUseManagedIdentityCreds = coalesce(properties.AcrUseManagedIdentityCreds, properties.acrUseManagedIdentityCreds), \
acrUserManagedIdentityID = coalesce(properties.AcrUserManagedIdentityID, properties.acrUserManagedIdentityID)
| order by id asc"""
BATCH_POOLS_QUERY = """batchresources
| where type =~ 'microsoft.batch/batchaccounts/pools' and ({named})
| project id, name, type, identity, \
containerConfiguration = properties.deploymentConfiguration.virtualMachineConfiguration.containerConfiguration, \
startContainer = properties.startTask.containerSettings
| order by id asc"""
FLUX_QUERY = """kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations' and ({named})
| project id, name, type, ociRepository = properties.ociRepository
| order by id asc"""
ROLES_QUERY = """authorizationresources
| extend said = tostring(properties.permissions), scope = tolower(tostring(properties.scope)), \
roleId = tolower(tostring(properties.roleDefinitionId))
| where {where}
| project id, scope, roleId, principalId = tostring(properties.principalId), \
principalType = tostring(properties.principalType), condition = tostring(properties.condition), \
roleName = tostring(properties.roleName), permissions = properties.permissions
| order by id asc"""
# Of the hundreds of built-in roles only those that could pull: by an action such as `*/read`, or by name.
ROLES_CONDITION = """type =~ 'microsoft.authorization/roledefinitions' and (said contains 'containerregistry' \
or said contains '"*' or (tostring(properties.type) =~ 'CustomRole' and said contains '*'))"""
ASSIGNMENTS_CONDITION = "type =~ 'microsoft.authorization/roleassignments' and ({scopes})"
IDENTITY_OWNERS_QUERY = """resources
| extend assigned = iff(type =~ \
'microsoft.managedidentity/userassignedidentities', tolower(tostring(properties.principalId)), '')
| extend principal = iff(isnotempty(assigned), assigned, tolower(tostring(identity.principalId)))
| {those}
| project id, name, type, principalId = principal, \
clientId = iff(isnotempty(assigned), tostring(properties.clientId), '')
| order by id asc"""
PRINCIPALS_CONDITION = "where principal in ({principals})"
ASSIGNED_PRINCIPALS_JOIN = """where isnotempty(principal)
| join kind=inner (authorizationresources
| extend scope = tolower(tostring(properties.scope)), principal = tolower(tostring(properties.principalId))
| where type =~ 'microsoft.authorization/roleassignments' and ({scopes})
| distinct principal) on principal"""


def registry_name_condition(names: Iterable[str]) -> str:
    """Return a condition in `REGISTRIES_QUERY` for those of these names."""
    return f" and name in~ ({list_kql(name.lower() for name in names)})"


def role_scope_condition(registry_ids: list[str]) -> str:
    """Return a condition for the scopes from which a role may reach one of the registries, as short as it can be."""
    ids = [each.lower() for each in registry_ids]
    places = [parse_resource_id(each) for each in ids]
    above = sorted({"/", *(each.subscription_scope for each in places), *(each.scope for each in places)})
    conditions = ["scope startswith '/providers/microsoft.management/'"]
    if len(above) <= _MAX_NAMED_SCOPES:
        conditions.append(f"scope in ({list_kql(above)})")
    else:
        conditions.append("array_length(split(scope, '/')) in (2, 3, 5)")
    if len(ids) <= MAX_NAMED_REGISTRIES:
        conditions += [f"scope startswith '{quote_kql(each)}'" for each in ids]
    else:
        conditions.append("scope contains '/providers/microsoft.containerregistry/registries/'")
    return " or ".join(conditions)


def naming_condition(registries: list[tuple[str, str]], suffix: str) -> str:
    """Return a condition for rows that may name one of the registries; the rows are compared exactly later.

    :param registries: names and login servers; where one is not known, it is the name, perhaps with a hash after it.
    """
    wanted = [suffix]
    if len(registries) <= MAX_NAMED_REGISTRIES:
        known = [f"{server.partition('.')[0]}." for _, server in registries if server]
        wanted = known + [f"{name}{end}" for name, server in registries if not server for end in ".-"]
    return " or ".join(f"tostring(properties) contains '{quote_kql(text)}'" for text in wanted)


def site_condition(naming: str) -> str:
    """Return a condition for what `naming` selects (see `naming_condition`), and for sites whose image no row
    has in clear text: compose files and sidecars.
    """
    unclear = ("COMPOSE|", "KUBE|", "sitecontainers")
    return " or ".join([naming, *(f"tostring(properties) contains '{form}'" for form in unclear)])
