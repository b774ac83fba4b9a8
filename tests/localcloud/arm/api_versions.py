"""The api-versions of Microsoft.ContainerRegistry, and what each of them shows of a registry.

The list: the `api-supported-versions` header recorded in November 2023 and later schemas. Observed on the wire:
2017-10-01 returns no `policies` at all; 2019-05-01 and 2021-08-01-preview return `policies` without
azureADAuthenticationAsArmPolicy; 2022-02-01-preview and everything later (2023-07-01 too, although its schema lacks it)
return it. What 2021-09-01 and 2021-12-01-preview return is not known: the schema lacks it, so it is left out here.
regionalEndpoints and regionalEndpointHostNames are in the schemas of 2026-01-01-preview and 2026-09-01-preview only
(recorded for the latter); the newest stable one, 2025-11-01, lacks them. writableCacheRepos is in the latter only.
networkRuleBypassAllowedForTasks and roleAssignmentMode are in the schemas from 2025-11-01 on; whether earlier versions
return them is not known, and they are left as they were.
"""

from __future__ import annotations

from tests.localcloud.world.registries import ARM_POLICY, Body

_WITHOUT_POLICIES = ("2017-03-01", "2017-10-01")
_WITHOUT_ARM_POLICY = (
    "2019-05-01",
    "2019-12-01-preview",
    "2020-11-01-preview",
    "2021-06-01-preview",
    "2021-08-01-preview",
    "2021-09-01",
    "2021-12-01-preview",
)
_WITH_REGIONAL_ENDPOINTS = ("2026-01-01-preview", "2026-09-01-preview")
_REGIONAL_ENDPOINTS = ("regionalEndpoints", "regionalEndpointHostNames")
REGISTRIES = (
    *_WITHOUT_POLICIES,
    *_WITHOUT_ARM_POLICY,
    "2022-02-01-preview",
    "2022-12-01",
    "2023-01-01-preview",
    "2023-06-01-preview",
    "2023-07-01",
    "2023-08-01-preview",
    "2023-11-01-preview",
    "2024-11-01-preview",
    "2025-03-01-preview",
    "2025-04-01",
    "2025-05-01-preview",
    "2025-06-01-preview",
    "2025-11-01",
    "2026-01-01-preview",
    "2026-09-01-preview",
)


def hides_arm_policy(version: str) -> bool:
    return version in _WITHOUT_POLICIES or version in _WITHOUT_ARM_POLICY


def shown(body: Body, version: str) -> Body:
    """The registry as an api-version shows it; the object itself is never changed."""
    hidden = set() if version in _WITH_REGIONAL_ENDPOINTS else {*_REGIONAL_ENDPOINTS}
    hidden |= set() if version == REGISTRIES[-1] else {"writableCacheRepos"}
    if version in _WITHOUT_POLICIES:
        hidden.add("policies")
    properties = {name: value for name, value in body["properties"].items() if name not in hidden}
    if version in _WITHOUT_ARM_POLICY and "policies" in properties:
        properties["policies"] = {name: value for name, value in properties["policies"].items() if name != ARM_POLICY}
    return {**body, "properties": properties}
