"""What Resource Graph is asked about consumers: the queries, and the conditions in them. No requests in here.

Rows come in the order of their IDs, so that pages neither repeat nor leave out any. What a query lets through is read,
and compared exactly, by `uses` and `rights`.
"""

from collections.abc import Iterable

from azext_acrscope.arm.resource_graph import list_kql, quote_kql
from azext_acrscope.base.resource_ids import parse_resource_id

_MAX_NAMED_REGISTRIES = 20  # registries; for more, every row that names any registry is asked for
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
# Role assignments of any role, because which roles pull is in the same answer. Of the hundreds of built-in roles only
# those that could: by an action such as `*/read`, or by name.
ROLES_QUERY = """authorizationresources
| extend said = tostring(properties.permissions), scope = tolower(tostring(properties.scope))
| where (type =~ 'microsoft.authorization/roleassignments' and ({scopes})) \
or (type =~ 'microsoft.authorization/roledefinitions' and (said contains 'containerregistry' or said contains '"*' \
or (tostring(properties.type) =~ 'CustomRole' and said contains '*')))
| project id, scope, roleId = tolower(tostring(properties.roleDefinitionId)), \
principalId = tostring(properties.principalId), principalType = tostring(properties.principalType), \
condition = tostring(properties.condition), roleName = tostring(properties.roleName), permissions = properties.permissions
| order by id asc"""
IDENTITY_OWNERS_QUERY = """resources
| extend own = tolower(tostring(identity.principalId)), assigned = iff(type =~ \
'microsoft.managedidentity/userassignedidentities', tolower(tostring(properties.principalId)), '')
| where own in ({principals}) or assigned in ({principals})
| project id, name, type, principalId = iff(isnotempty(assigned), assigned, own), \
clientId = iff(isnotempty(assigned), tostring(properties.clientId), '')
| order by id asc"""


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
    if len(ids) <= _MAX_NAMED_REGISTRIES:
        conditions += [f"scope startswith '{quote_kql(each)}'" for each in ids]
    else:
        conditions.append("scope contains '/providers/microsoft.containerregistry/registries/'")
    return " or ".join(conditions)


def login_server_condition(login_servers: list[str], suffix: str) -> str:
    """Return a condition for rows that may name one of the registries; the rows are compared exactly later."""
    labels = [each.partition(".")[0] for each in login_servers]
    wanted = [f"{label}." for label in labels] if len(labels) <= _MAX_NAMED_REGISTRIES else [suffix]
    return " or ".join(f"tostring(properties) contains '{quote_kql(text)}'" for text in wanted)


def site_condition(naming: str) -> str:
    """Return a condition for what `naming` selects (see `login_server_condition`), and for sites whose image no row
    has in clear text: compose files and sidecars.
    """
    unclear = ("COMPOSE|", "KUBE|", "sitecontainers")
    return " or ".join([naming, *(f"tostring(properties) contains '{form}'" for form in unclear)])
