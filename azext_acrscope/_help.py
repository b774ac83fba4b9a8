"""Help texts. Every `az acr` command imports this file, so it holds only texts."""

from knack.help_files import helps

from azext_acrscope import _help_policy  # noqa: F401  # pylint: disable=unused-import  # it adds its texts

helps["acr scope"] = """
type: group
short-summary: Manage which token audiences registries accept, and sign in with the narrow one.
long-summary: >
    By default a registry accepts any Microsoft Entra token for Azure Resource Manager (ARM), so a broad control-plane
    token also opens the images. With the status `disabled` it accepts only tokens for Azure Container Registry (ACR).
    The status is the registry's policy azureADAuthenticationAsArmPolicy.
"""

helps["acr scope show"] = """
type: command
short-summary: Show which token audiences a registry accepts.
long-summary: >
    `status` is `enabled` (ARM- and ACR-audience tokens are accepted) or `disabled` (only ACR-audience tokens are).
    A registry without a value is `enabled`, and `statusIsDefault` is true. `otherSignIns` are the sign-in methods that
    this setting does not control: the admin user and anonymous pull. With `--sign-ins` they are also the repository
    tokens (enabled or not, with passwords or certificates, and when these expire), the connected registries with the
    tokens and identities that they sync with, and whether ACR Tasks pass the network rules; `closedBy` names Azure's
    built-in policy for each. What cannot be read is `unknown`, never `none`. No password is read.
examples:
  - name: Show a registry of the current subscription.
    text: az acr scope show --name contoso
  - name: Show a registry by its login server, as a table.
    text: az acr scope show --name contoso.azurecr.io --output table
  - name: Show also which Azure Policy assignments govern the registry.
    text: az acr scope show --name contoso --policy
  - name: Show also its repository tokens and connected registries.
    text: az acr scope show --name contoso --sign-ins
  - name: Print only the status, with one request because the resource group is given.
    text: az acr scope show --registry contoso --resource-group rg-apps --query status --output tsv
"""

helps["acr scope list"] = """
type: command
short-summary: List registries with the token audiences they accept; as a check, fail unless all are enforced.
long-summary: >
    Lists the registries of the subscription, of a resource group, of all subscriptions of the account, or of a
    management group. Azure Resource Graph returns a thousand registries in a request, but is up to minutes behind
    changes; `--live` reads Azure Resource Manager itself. A subscription that cannot be read is `unknown` and never
    counts as enforced. Azure silently leaves out registries that the account may not see, so run the check as a Reader
    of whole subscriptions. A summary goes to standard error.
examples:
  - name: List the registries of the current subscription.
    text: az acr scope list --output table
  - name: List the registries of all subscriptions that still accept ARM-audience tokens.
    text: az acr scope list --all-subscriptions --status enabled --output table
  - name: Fail a pipeline unless every registry below a management group is enforced.
    text: az acr scope list --management-group contoso --require disabled --output none
  - name: List a resource group as it is now, right after a change.
    text: az acr scope list --resource-group rg-apps --live
"""

helps["acr scope consumers"] = """
type: command
short-summary: List what uses registries, and what breaks once they accept only ACR-audience tokens.
long-summary: >
    Searches all subscriptions that the account can see, with Azure Resource Graph, for what pulls from the registries:
    App Service, Functions, Container Apps, Container Instances, AKS, Machine Learning, Batch, ACR Tasks, Flux, Azure
    IoT Operations, and every other principal with a role that pulls or pushes. Each row has the sign-in, a verdict (`breaks`, `works` or
    `unknown`), the reason, the fix, and the source with the date on which it was read. What is not known is `unknown`,
    never a guess. Principals that can pull only through a broad inherited role have `foundBy` `broad role`; they never
    fail the check. `manualChecks` lists what no query can find, such as pipelines: `searched` says what else was
    searched for it, and how it can be. `incomplete` lists what could not be read. The account needs the role Reader on the subscriptions of the consumers. Changes of the last minutes may
    not be in Resource Graph yet.


    With `--workspace`, each registry gets `logins`: the identities and addresses in its log of sign-ins, with counts,
    results and times. `newlyRefused` clients were refused after their last sign-in; they fail `--fail-on breaks` too.
    The log has no column for the audience: it cannot show beforehand who will be refused, and a consumer that is not
    in it may break as well. It exists only if a diagnostic setting sends ContainerRegistryLoginEvents to the
    workspace. Reading it requires the role Log Analytics Reader there.


    With `--azure-devops`, `azureDevOps` lists the service connections that can reach the registries (all registries, if
    none is selected), with `scheme`, `registry`, `sharedWith`, `usedBy` and a verdict. The account must be a member of
    the organizations. Azure DevOps leaves out connections that it may not see.


    With `--source`, the command also searches folders of code for pipelines, templates, manifests, scripts and packages
    that sign in to the registries (`code`), and for what sets the status back to `enabled` (`turnsBackOn`). Each row has
    file and line. `registry` is null where the code does not name one; places that name other registries are only
    counted. With `--source` alone it searches for any registry, and sends no request to Azure. Links are not followed;
    folders such as .git and node_modules, binaries, and files over 5 MiB are not searched, and counted in `source`.
    Nothing in the folders is run, and no line of them is shown.
examples:
  - name: List the consumers of a registry.
    text: az acr scope consumers --name contoso --output table
  - name: List the consumers of several registries that break, and the fix for each.
    text: >
        az acr scope consumers --name contoso fabrikam.azurecr.io
        --query "registries[].consumers[?verdict=='breaks'].[name, kind, why, fix][]"
  - name: Fail a pipeline if a consumer of any registry of the subscription breaks.
    text: az acr scope consumers --all --fail-on breaks --output none
  - name: List those of a resource group, with what your team knows better.
    text: az acr scope consumers --resource-group rg-apps --knowledge ./consumers.json
  - name: List those of all registries below a management group, as a table.
    text: az acr scope consumers --management-group contoso --output table
  - name: List the service connections of two Azure DevOps organizations that reach registries.
    text: az acr scope consumers --azure-devops contoso fabrikam --query "azureDevOps[].[project, connection, verdict]"
  - name: After an enforcement, list who signed in during the last day and who is refused now.
    text: >
        az acr scope consumers --name contoso --days 1 --output table
        --workspace 11111111-2222-3333-4444-555555555555
  - name: List what a checkout does with any registry, without signing in.
    text: az acr scope consumers --source . --output table
  - name: Fail a pipeline if the code that it builds breaks with the registries of a resource group.
    text: az acr scope consumers --resource-group rg-apps --source . --fail-on breaks --output none
  - name: List what a cluster does with a registry.
    text: >
        kubectl get all,secrets --all-namespaces --output json |
        az acr scope consumers --name contoso --source -
  - name: Fail a pipeline if a client that signed in before is refused now, by the workspace's resource ID.
    text: >
        az acr scope consumers --all --fail-on breaks --output none --workspace
        /subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-contoso
"""  # noqa: E501  (a resource ID is long)

helps["acr scope enforce"] = """
type: command
short-summary: Make registries accept only ACR-audience tokens, or go back.
long-summary: >
    Changes that one setting and nothing else, waits until Azure has finished, reads the registry back, and reports
    `previousStatus` and `status`. A registry that already has the status is not written to. Clients that still sign in
    with ARM-audience tokens can no longer pull once the status is `disabled`. So the command first lists the consumers
    that would break (see `az acr scope consumers`). A single registry that has some requires confirmation; a bulk run
    leaves those registries out unless `--include-breaking` is given. If part of that search fails, a single registry
    requires confirmation and a bulk run does not start. Unknown consumers are counted, and stop nothing. With
    `--source`, code that breaks with the registry it names counts as a consumer that breaks.


    The result is a row for each registry, with `result` (`changed`, `unchanged`, `failed`, `skipped` or `restored`;
    `planned` in a dry run) and `reason`. `consumers` says what became of the search: `asked`, `unanswered` in part,
    `skipped`, or `not asked` because nothing was to be enforced. The plan is made from the live state, you are asked
    once, one failure never stops the others, and the command keeps a record from which `--undo` takes back what was
    changed. An interrupted run can simply be repeated.
examples:
  - name: See what would change.
    text: az acr scope enforce --name contoso --dry-run
  - name: Accept only ACR-audience tokens.
    text: az acr scope enforce --name contoso --resource-group rg-apps
  - name: Go back to accepting ARM-audience tokens too.
    text: az acr scope enforce --name contoso --status enabled
  - name: Enforce several registries, by name and by ID, without being asked.
    text: >
        az acr scope enforce --name contoso fabrikam --yes --ids
        /subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-apps/providers/Microsoft.ContainerRegistry/registries/northwind
  - name: Enforce the subscription except one registry, a tenth first, with the record in a file of your own.
    text: az acr scope enforce --all --wave 10% --exclude legacy01 --record enforce.jsonl
  - name: Enforce the registries with a tag, over all subscriptions, after one that may fail.
    text: az acr scope enforce --all-subscriptions --tag ring=1 --canary contoso
  - name: Enforce the subscription, also registries whose consumers would break, with what your team knows better.
    text: az acr scope enforce --all --include-breaking --knowledge ./consumers.json
  - name: See the plan for a management group.
    text: az acr scope enforce --management-group contoso --dry-run --output table
  - name: Enforce one, and verify that it refuses ARM-audience tokens now.
    text: az acr scope enforce --name contoso --verify
  - name: Enforce a tenth first; if it is not in effect in time, restore it and stop.
    text: az acr scope enforce --all --wave 10% --verify --yes
  - name: Enforce one only if no code in two checkouts breaks either.
    text: az acr scope enforce --name contoso --source ./app ./infra
  - name: Take back what a run changed.
    text: az acr scope enforce --undo enforce.jsonl --yes
"""  # noqa: E501  (a resource ID is long)

helps["acr scope check"] = """
type: command
short-summary: Check what registries really accept, and what this machine has stored for them.
long-summary: >
    For each registry: the status in Azure Resource Manager; the path to its login server, and whether it answers as
    one; two tokens of the signed-in account sent to it, one for the ACR audience, which must be accepted, and one for
    ARM's, which must be accepted exactly if the status is `enabled`; and the credentials that docker, podman and helm
    find for it on this machine. The ARM-audience token is powerful: it goes only to the login server that Azure
    Resource Manager names, after a check of its challenge. `--skip-arm-probe` leaves it out. That is the global login
    server; regional and dedicated data endpoints are not tried.


    `enforcedInEffect` is `yes`, `no` or `unknown`; `verdict` is `ok`, `warning` or `failed`; `observations` says what
    was seen, and `actions` what to do. The exit code is not zero if any row failed. The output holds no token, so you
    can keep it as evidence. The account needs a role that may pull: without one, a registry refuses both tokens, which
    proves nothing.
examples:
  - name: Check one registry.
    text: az acr scope check --name contoso
  - name: Check all registries of the subscription, as a table.
    text: az acr scope check --all --output table
  - name: Check everything that the account can see, and keep the result as evidence.
    text: az acr scope check --all-subscriptions --output json
  - name: Check without sending an ARM-audience token.
    text: az acr scope check --name contoso fabrikam.azurecr.io --skip-arm-probe
  - name: Show what failed in a resource group, and what to do.
    text: az acr scope check --resource-group rg-apps --query "[?verdict=='failed'].{name:name, actions:actions}"
"""

helps["acr scope report"] = """
type: command
short-summary: Report the state of a fleet in one document, for the people who sign it off.
long-summary: >
    One HTML file that loads nothing and runs no scripts, for the screen (light or dark), a screen reader and paper; or
    Markdown, CSV (a row for each registry) or SARIF (a result for each finding). It has the totals, a bar for each
    subscription, every registry with its status and what is next for it, its other sign-in methods, its consumers by
    verdict, what Azure Policy governs, the manual checks, what could not be read, and when and by whom it was made.


    It says whether the login servers do as their status says if they are checked now (`--check`) or were before
    (`--evidence`, with what `az acr scope check` printed). `--sign-ins` adds the repository tokens and connected
    registries, and `--source` what code does with the registries. Each part can be left out. If part of it cannot be
    read, the document says so and has the rest. It holds no token. With `--file` the result is its numbers.
examples:
  - name: Report the current subscription.
    text: az acr scope report --file report.html
  - name: Report all subscriptions, with a check of each login server.
    text: az acr scope report --all-subscriptions --check --file report.html
  - name: Report a management group, with checks made on other machines.
    text: az acr scope report --management-group contoso --evidence east.json west.json --file report.html
  - name: Report also the repository tokens and connected registries.
    text: az acr scope report --all-subscriptions --sign-ins --file report.html
  - name: Print a table for each section, for a wiki or a pull request.
    text: az acr scope report --resource-group rg-apps --format markdown
  - name: Write findings in code for code scanning, which shows them at their lines.
    text: az acr scope report --source . --skip-policy --file acrscope.sarif
  - name: Write findings for code scanning, without Azure Policy.
    text: az acr scope report --skip-policy --file acrscope.sarif
"""

helps["acr scope login"] = """
type: command
short-summary: Sign in to registries with a token for the ACR audience, for container clients, files or pipelines.
long-summary: >
    First hop: Microsoft Entra ID gives the signed-in account a token for the audience
    https://containerregistry.azure.net, one for all named registries. Second hop: each login server exchanges it for
    an ACR refresh token (3 hours); with `--repository`, that becomes an access token (75 minutes) which opens those
    repositories and nothing else.


    The credential goes to the client that `--client` names, by its own login; to the file that `--auth-file` names,
    without any client; or else to the program in the environment variable DOCKER_COMMAND, to docker, or to podman.
    Without any of them, the command writes docker's configuration by docker's rules. No container daemon is needed.
    `--expose-token` prints the token instead, and masks it in the logs of GitHub Actions and Azure Pipelines.


    For one login server the result is an object. For several it is a row for each with `result` (`signed in`, `kept`
    or `failed`) and `reason`; the exit code is not zero if any failed, and one failure never stops the others. The
    command never uses the admin user and never prompts, and uses an ARM-audience token only if the setting
    acr.audience_resource names that audience. It uses a login server exactly as given, without access to the registry
    resource, and looks up a name or an ID first. With `--credential` an application, a managed identity or a job signs
    in: no `az login`, no fallback to another source, and no token for anything but the registries.
examples:
  - name: Sign in by login server, without any request to Azure Resource Manager.
    text: az acr scope login --name contoso.azurecr.io
  - name: Sign in by name, to a registry of another subscription.
    text: az acr scope login --name contoso --resource-group rg-apps --subscription "Contoso Production"
  - name: Sign in as a guest, with the account's token of the registry's tenant.
    text: az acr scope login --name contoso.azurecr.io --tenant contoso.onmicrosoft.com
  - name: Sign in from a GitHub Actions job with `permissions` `id-token` `write`, without `az login`.
    text: >
        az acr scope login --name contoso.azurecr.io --credential github-actions
        --client-id 11111111-2222-3333-4444-555555555555 --tenant contoso.onmicrosoft.com
  - name: Sign in on an Azure machine with one of its managed identities, without `az login`.
    text: >
        az acr scope login --name contoso.azurecr.io --credential managed-identity
        --client-id 11111111-2222-3333-4444-555555555555
  - name: Sign in with what AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET hold.
    text: az acr scope login --name contoso.azurecr.io --credential environment
  - name: Sign in to several registries at once.
    text: az acr scope login --name contoso.azurecr.io fabrikam.azurecr.io northwind --output table
  - name: Sign in to a registry's global login server and all its regional ones.
    text: az acr scope login --name contoso --endpoint all
  - name: Sign in to the regional login servers of two regions, with helm's own login.
    text: az acr scope login --name contoso.azurecr.io --endpoint westeurope northeurope --client helm
  - name: Write a credential file for podman, skopeo or buildah, without running any of them.
    text: az acr scope login --name contoso.azurecr.io --auth-file ./auth.json
  - name: Let a build agent pull and push one repository, and do nothing else.
    text: az acr scope login --name contoso.azurecr.io --repository team/app --permission push
  - name: Do nothing if the stored credential lives for another 45 minutes.
    text: az acr scope login --name contoso.azurecr.io --min-ttl 45m
  - name: Print the refresh token for a client of your own.
    text: az acr scope login --name contoso.azurecr.io --expose-token --query refreshToken --output tsv
  - name: Print the content of a Kubernetes secret of the type kubernetes.io/dockerconfigjson.
    text: >
        az acr scope login --name contoso.azurecr.io --repository team/app --expose-token
        --token-format dockerconfigjson
  - name: Renew a pull secret in a cluster.
    text: >
        az acr scope login --name contoso.azurecr.io --expose-token --token-format kubernetes
        --secret-name acr-pull --namespace team | kubectl apply --server-side --filename -
  - name: Print variables for the environment file of a pipeline.
    text: az acr scope login --name contoso.azurecr.io --expose-token --token-format env
  - name: Print an object of texts for Terraform's data source `external`.
    text: az acr scope login --name contoso.azurecr.io --expose-token --token-format external
"""

helps["acr scope logout"] = """
type: command
short-summary: Remove the credentials that a sign-in stored.
long-summary: >
    Removes them from where `az acr scope login` puts them: with the client's own logout, from the file that
    `--auth-file` names, or from docker's configuration. Credentials of other users, such as the admin user, stay. A
    name stands for every login server of registries of that name with a stored credential. The command sends
    nothing over the network. The result is a row for each login server with `removed` and `reason`. If nothing was
    stored, that is not an error.
examples:
  - name: Remove the credential of one registry from the container client.
    text: az acr scope logout --name contoso.azurecr.io
  - name: Remove what was stored for a registry's global and regional login servers in a credential file.
    text: az acr scope logout --name contoso --auth-file ./auth.json
  - name: Remove the credentials of all registries of the current cloud from podman.
    text: az acr scope logout --all --client podman
"""

helps["acr scope configure-docker"] = """
type: command
short-summary: Let docker and other container clients fetch their credentials for registries themselves.
long-summary: >
    Installs the credential helper docker-credential-acrscope (a small launcher in a directory on PATH) and names it
    for the registries in the client's `credHelpers`. From then on a pull or push needs no login: the helper answers
    from a cache of ACR refresh tokens, renews them early, and requests a token for the ACR audience only. It requests
    tokens as the account that is signed in at that time; name a subscription with --subscription to stay with its
    account, or another identity with --credential. The command shows every change before it makes it, and a repeat
    changes nothing. `docker login` and `docker logout` for such a registry still work: what a login hands over is used
    until a logout. `docker logout` does not revoke access, because the next pull fetches a new token; `--remove` or
    `az logout` does. `--show` lists what is configured: `hosts` with the clients that ask the helper for them, whom they
    sign in as, and until when the cached token lives; `files` with their entries; `launcher`; and whether all of it works.
examples:
  - name: Let docker fetch its credentials for a registry, by its login server.
    text: az acr scope configure-docker --name contoso.azurecr.io
  - name: Configure several registries, looked up by name, without being asked.
    text: az acr scope configure-docker --name contoso fabrikam --resource-group rg-apps --yes
  - name: Configure all registries of a subscription, always as the account of that subscription.
    text: az acr scope configure-docker --all --subscription "Contoso Production"
  - name: On a machine with a managed identity, with the launcher in a directory of your choice.
    text: az acr scope configure-docker -n contoso.azurecr.io --credential managed-identity --bin-dir /usr/local/bin --yes
  - name: Show what is configured, and whether it works.
    text: az acr scope configure-docker --show --output table
  - name: Undo it for one registry.
    text: az acr scope configure-docker --name contoso.azurecr.io --remove
"""  # noqa: E501  (a command is long)
