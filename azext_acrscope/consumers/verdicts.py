"""From what was found and what is known to a verdict for each consumer of each registry. Pure: no requests in here."""

import re
from collections.abc import Iterable
from typing import Any

from azext_acrscope.base.foreign_json import UnexpectedShape, as_rows, as_text, find_text, member_at
from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers import errors, registry_uses
from azext_acrscope.consumers.inventory import Inventory, RegistryInView
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN, VERDICT_ORDER, WORKS, Knowledge
from azext_acrscope.consumers.registry_uses import RegistryUse
from azext_acrscope.consumers.role_assignments import RightsHolder
from azext_acrscope.consumers.versions import reason_with_versions

FOUND_BY_RESOURCE, FOUND_BY_ROLE, FOUND_BY_BROAD_ROLE = "resource", "role", "broad role"
_FOUNDRY_TYPE = "microsoft.cognitiveservices/accounts"
_USER_ASSIGNED_IDENTITY_TYPE = "microsoft.managedidentity/userassignedidentities"


def judge_consumers(
    registry: RegistryInView, found: Inventory, knowledge: Knowledge, used: Iterable[RegistryUse]
) -> list[dict[str, Any]]:
    """Return a row for each consumer of a registry, what breaks first.

    ``{consumer, name, kind, signIn, verdict, why, fix, evidence, source, sourceDate, foundBy, rights, managedBy}``:
    `consumer` is a resource ID or, for principals whose resource is not known, an object ID; `evidence` how the fix is
    known (see `knowledge`; empty where that is not said); `rights` the roles it pulls by; `foundBy` is `resource` for
    what says that it uses the registry, `role` for what may pull by a role, and `broad role` for what may only because
    it may do everything (Owner, Reader …), from above the registry.

    :param used: the uses of this registry.
    """
    held = found.holders.get(registry.id.lower(), {})
    rows = [_judge_use(use, knowledge, held) for use in used]
    explained = {principal for use in used for principal in use.principals}
    isolated = {use.consumer.lower() for use in used if use.kind == "aks-network-isolated"}
    for cluster, nodes in found.clusters:
        if nodes & held.keys():
            explained |= nodes
            if cluster["id"].lower() not in isolated:
                rows.append(_judge_cluster(cluster, nodes, knowledge, held))
    rows += [_judge_holder(holder, found, knowledge) for holder in held.values() if holder.principal not in explained]
    return sorted(
        rows, key=lambda row: (VERDICT_ORDER.index(row["verdict"]), row["kind"], row["name"], row["consumer"])
    )


def unknown_to_ask(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the unknown consumers that somebody has to be asked about.

    Not who may pull only by a broad role: owners, contributors and readers of a subscription are found over every
    registry in it. They are told; but if they counted, no registry would ever be free of unknown consumers.
    """
    return [row for row in rows if row["verdict"] == UNKNOWN and row["foundBy"] != FOUND_BY_BROAD_ROLE]


def _judge_use(use: RegistryUse, knowledge: Knowledge, held: dict[str, RightsHolder]) -> dict[str, Any]:
    entry = knowledge.entry(use.kind, use.sign_in)
    row = _consumer_row(
        use.consumer, use.name, use.kind, use.sign_in, entry=entry, knowledge=knowledge, detail=use.detail
    )
    return {**row, "rights": _role_names(use.principals, held), "managedBy": use.managed_by}


def _consumer_row(
    consumer: str,
    name: str,
    kind: str,
    sign_in: str,
    *,
    entry: dict[str, Any],
    knowledge: Knowledge,
    detail: str = "",
) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "name": name or name_in_id(consumer),
        "kind": kind,
        "signIn": sign_in,
        "verdict": entry["verdict"],
        "why": f"{reason_with_versions(entry)} {detail}".strip(),
        "fix": entry["fix"],
        "evidence": entry.get("evidence", ""),
        **knowledge.source(entry["source"]),
        "foundBy": FOUND_BY_RESOURCE,
        "rights": [],
        "managedBy": "",
    }


def _role_names(principals: Iterable[str], held: dict[str, RightsHolder]) -> list[str]:
    return [role for principal in sorted(principals) if principal in held for role in held[principal].roles]


def consumers_by_identity(
    registry: RegistryInView, found: Inventory, used: Iterable[RegistryUse]
) -> dict[str, list[str]]:
    """Return resource IDs of consumers by the object ID or client ID (lower case) of the identity they pull with.

    Client IDs are known of user-assigned identities only: rows of Resource Graph hold no others.
    """
    pairs = [
        (use.consumer, identity) for use in used for identity in registry_uses.add_client_ids(use.row, use.principals)
    ]
    held = found.holders.get(registry.id.lower(), {})
    for cluster, nodes in found.clusters:
        if nodes & held.keys():
            pairs += [(cluster["id"], identity) for identity in registry_uses.add_client_ids(cluster, nodes)]
    explained = {identity for _, identity in pairs}
    for principal in held.keys() - explained:
        if owner := found.owners.get(principal):
            pairs += [(owner["id"], each) for each in (principal, find_text(owner, "clientId").lower()) if each]
    by_identity: dict[str, list[str]] = {}
    for consumer, identity in dict.fromkeys(pairs):
        by_identity.setdefault(identity, []).append(consumer)
    return by_identity


# --- principals with rights ----------------------------------------------------------------------------------------


def _judge_holder(holder: RightsHolder, found: Inventory, knowledge: Knowledge) -> dict[str, Any]:
    owner = found.owners.get(holder.principal)
    able = "push and pull" if holder.push else "pull"
    detail = f"It can {able}: {', '.join(holder.roles)}."
    if not owner:
        entry = knowledge.entry("identity", registry_uses.UNKNOWN_AUTH)
        name = f"{holder.kind or 'principal'} {holder.principal}"
        row = _consumer_row(
            holder.principal,
            name,
            _principal_kind(holder),
            registry_uses.UNKNOWN_AUTH,
            entry=entry,
            knowledge=knowledge,
            detail=detail,
        )
    else:
        resource = find_text(owner, "type").lower()
        kind = "foundry" if resource == _FOUNDRY_TYPE else "identity"
        entry = knowledge.entry(kind, registry_uses.MANAGED_IDENTITY)
        said = kind if kind == "foundry" or resource == _USER_ASSIGNED_IDENTITY_TYPE else f"identity of {resource}"
        said = "managed identity" if resource == _USER_ASSIGNED_IDENTITY_TYPE else said
        row = _consumer_row(
            owner["id"],
            find_text(owner, "name"),
            said,
            registry_uses.MANAGED_IDENTITY,
            entry=entry,
            knowledge=knowledge,
            detail=detail,
        )
    return {**row, "foundBy": FOUND_BY_BROAD_ROLE if holder.by_chance else FOUND_BY_ROLE, "rights": holder.roles}


def _principal_kind(holder: RightsHolder) -> str:
    words = {"serviceprincipal": "service principal", "user": "user", "group": "group", "foreigngroup": "group"}
    return words.get(holder.kind.lower(), "principal")


# --- AKS -----------------------------------------------------------------------------------------------------------


def _judge_cluster(
    row: dict[str, Any], nodes: frozenset[str], knowledge: Knowledge, held: dict[str, RightsHolder]
) -> dict[str, Any]:
    entry = knowledge.entry("aks", registry_uses.MANAGED_IDENTITY)
    verdict, why = judge_node_pools(row, knowledge.aks)
    if why:
        entry = {**entry, "verdict": verdict, "why": why, "source": knowledge.aks["source"]}
        entry["fix"] = "Nothing to do." if verdict == WORKS else knowledge.aks["fix"]
    made = _consumer_row(
        row["id"], find_text(row, "name"), "aks", registry_uses.MANAGED_IDENTITY, entry=entry, knowledge=knowledge
    )
    return {**made, "rights": _role_names(nodes, held)}


def judge_node_pools(row: dict[str, Any], rules: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict over a cluster's node pools, the worst of them, and a sentence for each pool.

    :param rules: ``linux`` and ``windows`` are lists of rules by image date (``from``, ``to``: "" is open) and, where
        it matters, Kubernetes minors (``minors``: from, to); ``neverUpTo`` is the last minor without any provider that
        asks for the ACR audience; ``names`` are the image names that the rules hold for.
    """
    try:
        rows = as_rows(row.get("pools"))
        if len(rows) == 1 and all(value is None for value in rows[0].values()):
            rows = []  # mv-expand makes one row of nothing
        pools = [(pool, as_text(member_at(pool, "name"))) for pool in rows]
        judged = [(name, *_judge_node_pool(pool, as_text(row.get("version")), rules)) for pool, name in pools]
    except UnexpectedShape:
        return UNKNOWN, "Its node pools could not be read."
    if not judged:
        return UNKNOWN, "It has no node pools in Resource Graph."
    verdict = next(each for each in VERDICT_ORDER if any(each == of_pool for _, of_pool, _ in judged))
    return verdict, " ".join(f"Pool {name}: {why}." for name, of_pool, why in judged if of_pool == verdict)


def _judge_node_pool(pool: dict[str, Any], version: str, rules: dict[str, Any]) -> tuple[str, str]:
    image = as_text(member_at(pool, "nodeImageVersion"))
    version = (
        as_text(member_at(pool, "currentOrchestratorVersion"))
        or as_text(member_at(pool, "orchestratorVersion"))
        or version
    )
    minor = _parse_numbers(".".join(version.split(".")[:2]))
    said = f"{image or 'no node image'}, Kubernetes {version or 'unknown'}"
    if len(minor) == 2 and minor <= _parse_numbers(rules["neverUpTo"]):
        return BREAKS, f"{said}: no credential provider of this Kubernetes version requests the ACR audience"
    windows = image.lower().startswith("akswindows")
    date = _parse_numbers(image.rpartition("." if windows else "-")[2])
    if not date or not any(image.lower().startswith(name.lower()) for name in rules["names"]):
        return UNKNOWN, f"{said}: nothing is known about this image"
    if len(minor) != 2:
        return UNKNOWN, f"{said}: which credential provider runs depends on the Kubernetes version"
    for rule in rules["windows" if windows else "linux"]:
        first, last = _parse_numbers(rule["from"]), _parse_numbers(rule["to"])
        low, high = (_parse_numbers(each) for each in rule.get("minors", ["", ""]))
        if (first or date) <= date <= (last or date) and (low or minor) <= minor <= (high or minor):
            return rule["verdict"], f"{said}: {rule['why']}"
    return UNKNOWN, f"{said}: nothing is known about this image"


def _parse_numbers(dotted: str) -> tuple[int, ...]:
    """A version or a date as numbers; nothing if it is neither."""
    return tuple(int(part) for part in dotted.split(".")) if re.fullmatch(r"\d{1,9}(\.\d{1,9})*", dotted) else ()


def clusters_with_client_secrets(found: Inventory) -> list[str]:
    """Return a sentence on clusters that pull as an application: their role assignments cannot be told apart here."""
    names = [
        find_text(row, "name") or row["id"] for row, nodes in found.clusters if not nodes and _uses_client_secret(row)
    ]
    return [errors.clusters_on_secrets(names)] if names else []


def _uses_client_secret(row: dict[str, Any]) -> bool:
    return str(row.get("servicePrincipal") or "").lower() not in ("", "msi")
