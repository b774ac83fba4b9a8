"""Registries with all that a report says of them, made up for tests."""

import uuid
from typing import Any

from azext_acrscope.report.model import CheckEvidence, ReportContent, ReportedRegistry, ReportOrigin, Row

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SOURCE = "Documentation <https://learn.microsoft.com/azure/container-registry/>"


def identifier(subscription: str) -> str:
    """An ID for a subscription of this name."""
    return SUBSCRIPTION if subscription == "Production" else str(uuid.uuid5(uuid.NAMESPACE_DNS, ascii(subscription)))


def registry(
    name: str = "contoso", status: str = "enabled", subscription: str = "Production", **more: Any
) -> ReportedRegistry:
    """`more`: members of its row, or `proof`, `consumers`, `policy` and `partial`.

    Its subscription's ID follows from the name, unless it is given.
    """
    found = {part: more.pop(part) for part in ("proof", "consumers", "policy", "partial") if part in more}
    group = more.get("resourceGroup", "rg-apps")
    above = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
    row = {
        "id": f"{above}/providers/Microsoft.ContainerRegistry/registries/{name}",
        "name": name,
        "resourceGroup": group,
        "subscriptionId": identifier(subscription),
        "subscriptionName": subscription,
        "loginServer": f"{name}.azurecr.io",
        "location": "westeurope",
        "status": status,
        "statusIsDefault": False,
        "acceptedAudiences": [],
        "otherSignIns": {"adminUser": False, "anonymousPull": False},
        **more,
    }
    return ReportedRegistry(row, **found)


def sign_ins(**more: Any) -> Row:
    """What `--sign-ins` says of a registry: by default that nothing is open."""
    nothing = {"state": "none", "items": []}
    return {
        "adminUser": False,
        "anonymousPull": False,
        "repositoryTokens": nothing,
        "connectedRegistries": nothing,
        "tasksNetworkBypass": "denied",
        "networkRuleBypassOptions": "AzureServices",
        "writableCacheRepos": "Disabled",
        "roleAssignmentMode": "LegacyRegistryPermissions",
        **more,
    }


def token(name: str = "builders", **more: Any) -> Row:
    passwords = [{"name": "password1", "expiry": "2027-01-31T00:00:00Z"}]
    said = {"name": name, "status": "enabled", "canSignIn": True, "scopeMap": "_repositories_pull"}
    return {**said, "passwords": passwords, "certificates": [], **more}


def connected(name: str = "factory", **more: Any) -> Row:
    said = {"name": name, "mode": "ReadOnly", "connectionState": "Online", "authType": "ManagedIdentity"}
    return {**said, "token": "sync", "identities": [], "clientTokens": [], **more}


def consumer(name: str = "shop", verdict: str = "breaks", **more: Any) -> Row:
    return {
        "consumer": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Web/sites/{name}",
        "name": name,
        "kind": "app-service",
        "signIn": "managed identity",
        "verdict": verdict,
        "why": "It asks for ARM's audience.",
        "fix": "Keep the status `enabled`.",
        "evidence": "",
        "source": SOURCE,
        "sourceDate": "2026-08-20",
        "foundBy": "resource",
        "rights": [],
        "managedBy": "",
        **more,
    }


def check(name: str, found: int | None = None, **more: Any) -> Row:
    """An item of the checklist; with a number of findings it was searched in code."""
    searched = {"in": "code", "found": found, "complete": True, "how": ""}
    if found is None:
        searched = {"in": "", "found": None, "complete": False, "how": f"`--source PATH` searches {name}."}
    return {**consumer(), "consumer": name, "look": "bicepconfig.json", "searched": searched, **more}


def owner(*rights: str) -> Row:
    """Who may pull only because he may do everything."""
    return holder(*rights or ("Owner on the subscription",), foundBy="broad role")


def holder(*rights: str, name: str = "group 1", **more: Any) -> Row:
    """Who has roles, and nothing is known of what it does."""
    said = {"consumer": name, "kind": "group", "signIn": "unknown", "foundBy": "role", "rights": list(rights)}
    return consumer(name, "unknown", **{**said, **more})


def proof(
    in_effect: str = "yes", verdict: str = "ok", time: str = "2026-11-25T10:00:00Z", seen: tuple[str, ...] = ()
) -> CheckEvidence:
    return CheckEvidence(in_effect, verdict, time, seen)


def policy(compliance: str = "NonCompliant", disagreement: str | None = None) -> Row:
    under = {"id": f"/subscriptions/{SUBSCRIPTION}/…/policyAssignments/acrscope", "name": "acrscope", "effect": "audit"}
    return {"compliance": compliance, "disagreement": disagreement, "assignments": [under]}


def assignment(name: str = "acrscope", **more: Any) -> Row:
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/{name}",
        "name": name,
        "displayName": "Registries",
        "scope": f"/subscriptions/{SUBSCRIPTION}",
        "effect": "audit",
        "enforcementMode": "Default",
        "reference": None,
        "registries": 1,
        "exempt": 0,
        "nonCompliant": 1,
        **more,
    }


def content(*registries: ReportedRegistry, **more: Any) -> ReportContent:
    origin = ReportOrigin(
        "2026-11-25T12:00:00Z", "ops@contoso.com", ("tenant-1",), "AzureCloud", "subscription Production", "1.0", False
    )
    names = more.pop("subscriptions", ["Production"])
    made = ReportContent(origin, list(registries), {identifier(name): name for name in names}, **more)
    made.sort()
    return made


HOSTILE = "</style></script><script>alert('x')</script>|`\"&\u202e\x00=cmd"


def everything() -> ReportContent:
    """A report in which every part has something to say, and names are as bad as they can be."""
    registries = [
        registry(
            consumers=[consumer(), consumer("api", "works"), holder("AcrPull on the registry")],
            proof=proof("no"),
            policy=policy(disagreement="Azure Policy reports Compliant, but it is now `enabled`"),
            otherSignIns=sign_ins(
                adminUser=True,
                anonymousPull=True,
                repositoryTokens={"state": "open", "items": [token(), token(HOSTILE, passwords=[])]},
                connectedRegistries={"state": "open", "items": [connected(), connected("edge", token="")]},
                tasksNetworkBypass="allowed",
            ),
        ),
        registry("fabrikam", "disabled", proof=proof("no", "failed", seen=("It accepts both, although `disabled`.",))),
        registry(
            "northwind",
            "unknown",
            subscription=HOSTILE,
            resourceGroup="rg-(1)",
            otherSignIns=sign_ins(
                **dict.fromkeys(("repositoryTokens", "connectedRegistries"), {"state": "unknown", "items": None}),
                **dict.fromkeys(("tasksNetworkBypass", "writableCacheRepos", "roleAssignmentMode"), "unknown"),
            ),
        ),
        registry("tailspin", statusIsDefault=True, consumers=[consumer(HOSTILE), owner()]),
        registry("wingtip", "disabled", consumers=[], proof=proof(), policy=policy("Compliant")),
    ]
    for each in registries:
        each.row["otherSignIns"] = sign_ins(**each.row["otherSignIns"])
    return content(
        *registries,
        sign_ins_asked=True,
        subscriptions=["Production", "Empty", HOSTILE],
        assignments=[assignment(), assignment(HOSTILE, enforcementMode="DoNotEnforce")],
        consumers_asked=True,
        unread=["Subscription 42 could not be read: no rights.", HOSTILE],
        manual_checks=[
            check("Bicep: `br:` modules", evidence="read"),
            check(HOSTILE, found=3, verdict="unknown"),
            check("Radius", found=0, verdict="works"),
        ],
    )
