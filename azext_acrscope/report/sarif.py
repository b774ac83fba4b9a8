"""A report as SARIF 2.1.0, for services that keep findings: code scanning, security dashboards.

Each result has a resource as its logical location, and its ID as the address of an artifact: some services show no
result without one. Its fingerprint stays the same from run to run, so that a service can tell new from known; GitHub
looks at the one called primaryLocationLineHash only ("SARIF support for code scanning", docs.github.com).
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.base.text import replace_invalid
from azext_acrscope.consumers.code.patterns.known_patterns import EXPLICIT
from azext_acrscope.consumers.knowledge import BREAKS, UNKNOWN
from azext_acrscope.registry.resource import DISABLED, ENABLED
from azext_acrscope.report import errors, model
from azext_acrscope.report.model import ReportContent, ReportedRegistry, Row

PROJECT_URL = "https://github.com/acrscope/acrscope"
SCHEMA_URL = "https://json.schemastore.org/sarif-2.1.0.json"
# Results of a run that GitHub keeps, and that it takes at all ("About code scanning limits on SARIF results",
# docs.github.com).
MAX_KEPT_RESULTS, MAX_ACCEPTED_RESULTS = 5_000, 25_000

_RULE_ARM_ACCEPTED, _RULE_STATUS_MISMATCH, _RULE_STATUS_UNKNOWN = (
    "arm-audience-accepted",
    "status-not-in-effect",
    "status-unknown",
)
_RULE_CONSUMER_BREAKS, _RULE_CONSUMER_UNKNOWN, _RULE_OTHER_SIGN_IN_METHOD = (
    "consumer-breaks",
    "consumer-unknown",
    "other-sign-in-method",
)
_RULE_CODE_BREAKS, _RULE_CODE_UNKNOWN, _RULE_TURNED_BACK_ON = "code-breaks", "code-unknown", "code-sets-enabled"

# id: name, level, how severe a finding is (from 0.1 to 10, as CVSS; GitHub sorts by it), short, full, help.
_RULES = {
    _RULE_ARM_ACCEPTED: (
        "ArmAudienceAccepted",
        "warning",
        "5.5",
        "The registry is set to accept ARM-audience tokens.",
        "Its azureADAuthenticationAsArmPolicy status is enabled, which is also the default: a Microsoft Entra token "
        "for Azure Resource Manager opens its images.",
        "az acr scope enforce --name REGISTRY",
    ),
    _RULE_STATUS_MISMATCH: (
        "StatusNotInEffect",
        "error",
        "8.0",
        "The login server does not do what the status says.",
        "It was sent a token of each audience. What it accepted does not match the status in Azure Resource Manager.",
        "az acr scope check --name REGISTRY",
    ),
    _RULE_STATUS_UNKNOWN: (
        "StatusUnknown",
        "warning",
        "4.0",
        "The status of the registry is unknown.",
        "Azure returned a status that is neither enabled nor disabled.",
        "az acr scope show --name REGISTRY",
    ),
    _RULE_CONSUMER_BREAKS: (
        "ConsumerBreaks",
        "warning",
        "2.0",
        "A consumer breaks once the registry refuses ARM-audience tokens.",
        "It is documented, reported or coded to sign in with a token for Azure Resource Manager.",
        "az acr scope consumers --name REGISTRY",
    ),
    _RULE_CONSUMER_UNKNOWN: (
        "ConsumerUnknown",
        "note",
        "1.0",
        "It is unknown whether a consumer breaks.",
        "No public source says which audience it requests, or its way to sign in could not be read.",
        "az acr scope consumers --name REGISTRY",
    ),
    _RULE_OTHER_SIGN_IN_METHOD: (
        "OtherSignInMethod",
        "note",
        "3.0",
        "The registry has a sign-in method that the status does not affect.",
        "The admin user, anonymous pull and repository tokens need no Microsoft Entra token. Connected registries sync "
        "with tokens or identities of their own, and ACR Tasks may pass the network rules.",
        "az acr update --name REGISTRY --admin-enabled false --anonymous-pull-enabled false",
    ),
    _RULE_CODE_BREAKS: (
        "CodeBreaks",
        "warning",
        "4.0",
        "This place breaks once the registry refuses ARM-audience tokens.",
        "It is documented, reported or coded to sign in with a token for Azure Resource Manager.",
        "az acr scope consumers --source .",
    ),
    _RULE_CODE_UNKNOWN: (
        "CodeUnknown",
        "note",
        "1.0",
        "It is unknown whether this place breaks.",
        "The file does not say how it signs in, or no public source says which audience it requests.",
        "az acr scope consumers --source .",
    ),
    _RULE_TURNED_BACK_ON: (
        "CodeSetsEnabled",
        "warning",
        "5.0",
        "This place sets the registry to accept ARM-audience tokens again.",
        "A deployment of it undoes an enforcement: it sets the status to enabled, or leaves it out where that does so.",
        "az acr scope consumers --source .",
    ),
}

_CODE_RULES = {BREAKS: _RULE_CODE_BREAKS, UNKNOWN: _RULE_CODE_UNKNOWN}
_HELP_PAGES = {_RULE_OTHER_SIGN_IN_METHOD: "security"}  # else that of the rule's command


def sarif_remarks(content: ReportContent) -> list[str]:
    """Return a sentence if there are more results than a service keeps."""
    number = sum(1 for registry in content.registries for _ in _registry_results(registry))
    number += sum(1 for _ in _code_results(content))
    return (
        [errors.too_many_results(number, MAX_KEPT_RESULTS, MAX_ACCEPTED_RESULTS)] if number > MAX_KEPT_RESULTS else []
    )


def render_sarif(content: ReportContent) -> str:
    """Return a report as SARIF 2.1.0."""
    origin = content.origin
    run = {
        "tool": {
            "driver": {
                "name": "acrscope",
                "fullName": f"acrscope {origin.version}: which Microsoft Entra tokens registries accept",
                "informationUri": PROJECT_URL,
                "version": origin.version,
                "rules": [_rule_descriptor(each) for each in _RULES],
            }
        },
        "automationDetails": {"id": f"acrscope/{origin.scope}/"},
        "invocations": [
            {
                "executionSuccessful": True,
                "endTimeUtc": origin.made,
                "account": origin.by,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": sentence}} for sentence in content.unread
                ],
            }
        ],
        "results": [
            *(result for registry in content.registries for result in _registry_results(registry)),
            *_code_results(content),
        ],
    }
    return json.dumps({"$schema": SCHEMA_URL, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule_descriptor(rule: str) -> dict[str, Any]:
    name, level, severity, short, full, command = _RULES[rule]
    return {
        "id": rule,
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "helpUri": f"{PROJECT_URL}/blob/main/docs/{_HELP_PAGES.get(rule) or f'commands/{command.split()[3]}'}.md",
        "help": {"text": f"{full} {command}", "markdown": f"{full}\n\n`{command}`"},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["security", "azure", "container-registry"], "security-severity": severity},
    }


def _registry_results(registry: ReportedRegistry) -> Iterator[dict[str, Any]]:
    default = ", by default" if registry.row["statusIsDefault"] else ""
    if registry.status == ENABLED:
        said = f"{registry.name} is set to accept ARM-audience tokens{default}: {registry.next}."
        yield _make_result(_RULE_ARM_ACCEPTED, registry, said)
    elif registry.status != DISABLED:
        yield _make_result(_RULE_STATUS_UNKNOWN, registry, f"The status of {registry.name} is unknown.")
    if registry.next == model.MISMATCH and registry.proof:
        seen = " ".join(registry.proof.seen)
        yield _make_result(
            _RULE_STATUS_MISMATCH,
            registry,
            f"{registry.name} is `{registry.status}`. Checked {registry.proof.time}: {seen}",
        )
    for door in registry.doors:
        yield _make_result(
            _RULE_OTHER_SIGN_IN_METHOD, registry, f"{registry.name} has another sign-in method: {door}.", door
        )
    for row in registry.consumers or []:
        if row["verdict"] == BREAKS:
            yield _consumer_result(_RULE_CONSUMER_BREAKS, registry, row)
    if registry.status != DISABLED:  # else who is unknown has been put to the test already
        for row in registry.to_ask:
            yield _consumer_result(_RULE_CONSUMER_UNKNOWN, registry, row)


def _consumer_result(rule: str, registry: ReportedRegistry, row: Row) -> dict[str, Any]:
    said = f"{row['kind']} {row['name']} at {registry.name}: {row['why']} {row['fix']} Source: {row['source']}"
    return _make_result(rule, registry, said, str(row["consumer"]))


def _code_results(content: ReportContent) -> Iterator[dict[str, Any]]:
    """Places in code as results with physical locations, at which code scanning shows them. No line is quoted."""
    found = content.source
    if found is None:
        return
    rows = [(_CODE_RULES[row["verdict"]], row) for row in found.code if row["verdict"] in _CODE_RULES]
    rows += [(_RULE_TURNED_BACK_ON, row) for row in found.turns_back_on]
    seen: Counter[str] = Counter()
    for rule, row in rows:
        registry = row["registry"] or "a registry that the code does not name"
        about = f"{row['kind']}, at {registry}" if "kind" in row else f"{row['strength']}, at {registry}"
        said = f"{about}: {row['why']} {row['fix']}" + (f" Source: {row['source']}" if "source" in row else "")
        path = found.paths.get(str(row["file"])) or str(row["file"])
        # Without the line, so that a result stays the same when lines are added above it.
        key = "|".join((rule, path, about)).lower()
        seen[key] += 1
        explicit = row.get("strength", EXPLICIT) == EXPLICIT
        yield {
            "ruleId": rule,
            "ruleIndex": list(_RULES).index(rule),
            "level": _RULES[rule][1] if explicit else "note",
            "message": {"text": _escape_brackets(said)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(path, safe="/", errors="replace"), "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": row["line"]},
                    }
                }
            ],
            "partialFingerprints": _fingerprints(f"{key}|{seen[key]}"),
        }


def _fingerprints(key: str) -> dict[str, str]:
    fingerprint = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
    return {"primaryLocationLineHash": f"{fingerprint}:1", "acrscope/v1": fingerprint}


def _make_result(rule: str, registry: ReportedRegistry, text: str, about: str = "") -> dict[str, Any]:
    resource = about if about.startswith("/") else registry.id
    key = "|".join((rule, registry.id, about)).lower()
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": _RULES[rule][1],
        "message": {"text": _escape_brackets(text)},
        "locations": [_resource_location(resource)],
        "partialFingerprints": _fingerprints(key),
    }
    if resource != registry.id:
        result["relatedLocations"] = [
            {**_resource_location(registry.id), "message": {"text": f"the registry {registry.name}"}}
        ]
    return result


def _escape_brackets(text: str) -> str:
    """Without links: brackets that are no link's are written with a backslash (SARIF 2.1.0, 3.11.6)."""
    return re.sub(r"[\\\[\]]", r"\\\g<0>", replace_invalid(text))


def _resource_location(resource: str) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(resource.lstrip("/"), safe="/", errors="replace")},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"name": name_in_id(resource), "fullyQualifiedName": resource, "kind": "resource"}],
    }
