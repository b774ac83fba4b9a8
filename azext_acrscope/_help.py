"""Help texts. Imported by every `az acr` command, so it holds texts only."""

from knack.help_files import helps

helps["acr scope"] = """
type: group
short-summary: Manage which token audiences registries accept, and sign in with the narrow one.
long-summary: >
    By default a registry accepts any Microsoft Entra token that is meant for Azure Resource Manager (ARM), so a broad
    control-plane token also opens the images. With the status `disabled` it accepts only tokens meant for Azure
    Container Registry (ACR). The status is the registry's policy azureADAuthenticationAsArmPolicy.
"""

helps["acr scope show"] = """
type: command
short-summary: Show which token audiences a registry accepts.
long-summary: >
    `status` is `enabled` (ARM- and ACR-audience tokens are accepted) or `disabled` (ACR-audience tokens only). A
    registry without a value is `enabled`; `statusIsDefault` tells. `otherSignIns` are the ways in that this setting
    does not close.
examples:
  - name: Show a registry of the subscription in use.
    text: az acr scope show --name contoso
  - name: Show a registry by its login server, as a table.
    text: az acr scope show --name contoso.azurecr.io --output table
  - name: Print the status alone, with one request because the resource group is given.
    text: az acr scope show --registry contoso --resource-group rg-apps --query status --output tsv
"""

helps["acr scope enforce"] = """
type: command
short-summary: Make a registry accept ACR-audience tokens only, or go back.
long-summary: >
    Writes the one property and nothing else, waits until Azure has finished, reads the registry back, and reports
    `previousStatus`, `status` and `changed`. A registry that has the status already is not written to. Clients that
    still sign in with ARM-audience tokens can no longer pull once the status is `disabled`.
examples:
  - name: See what would change.
    text: az acr scope enforce --name contoso --dry-run
  - name: Accept ACR-audience tokens only.
    text: az acr scope enforce --name contoso --resource-group rg-apps
  - name: Go back to accepting ARM-audience tokens too.
    text: az acr scope enforce --name contoso --status enabled
"""

helps["acr scope login"] = """
type: command
short-summary: Sign in to a registry with a token for the ACR audience, for docker or podman.
long-summary: >
    First hop: Microsoft Entra ID gives the signed-in account a token for the audience
    https://containerregistry.azure.net. Second hop: the login server turns it into an ACR refresh token (3 hours),
    which goes to docker, else podman, or the program in the environment variable DOCKER_COMMAND. No container daemon
    is needed. It never uses the admin user and never prompts, and uses an ARM-audience token
    only if the setting acr.audience_resource names that audience. A login server is used
    exactly as given and needs no access to the registry resource; a name or an ID is looked up first.
examples:
  - name: Sign in by login server, without any request to Azure Resource Manager.
    text: az acr scope login --name contoso.azurecr.io
  - name: Sign in by name, to a registry of another subscription.
    text: az acr scope login --name contoso --resource-group rg-apps --subscription "Contoso Production"
  - name: Print the refresh token for a client of your own.
    text: az acr scope login --name contoso.azurecr.io --expose-token --query refreshToken --output tsv
"""
