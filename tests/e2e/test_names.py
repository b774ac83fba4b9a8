"""Names as they are typed, through the real `az`: what is no name of its kind is refused before any request."""

from pathlib import Path

import pytest

from tests.az import Az, Result
from tests.localcloud import LocalCloud, Registry

ARM = "management.azure.com"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
EVIL = [
    *(".", "..", "a/../b", "rg/../..", "%2e%2e", "", " ", "a b ", "x?y", "x#y", "x\ny", "x\x1b[31m", "x\\y"),
    *("\uff0e\uff0e", "a\uff0fb"),
]
# What is a name all the same: of policy assignments, sent percent-encoded; of a region, as people write it.
ALLOWED = {"--assignment-name": ("x#y", "\uff0e\uff0e", "a\uff0fb"), "--endpoint": ("a b ",)}
IN_IDS = [each for each in EVIL if each]
# How many of them each command gets besides "..", which HTTP libraries fold: the next ones, so that all are tried many
# times. That none of them is a name of any kind is shown by `tests/unit/arm/test_paths.py`.
_EACH = 3
# Each command with an option that names something; VALUE stands for what is named. All would be run without a question.
NAMING = [
    ("show", "-n", "VALUE"),
    ("show", "-n", "contoso", "-g", "VALUE"),
    ("list", "-g", "VALUE"),
    ("list", "--live", "-g", "VALUE"),
    ("list", "--management-group", "VALUE"),
    ("list", "--live", "--management-group", "VALUE"),
    ("enforce", "-g", "VALUE", "--yes", "--skip-consumers"),
    ("enforce", "-n", "VALUE", "--yes", "--skip-consumers"),
    ("enforce", "-n", "contoso", "-g", "VALUE", "--yes", "--skip-consumers"),
    ("enforce", "--management-group", "VALUE", "--yes", "--skip-consumers"),
    ("check", "-n", "VALUE"),
    ("check", "-g", "VALUE"),
    ("check", "--management-group", "VALUE"),
    ("consumers", "-n", "VALUE"),
    ("consumers", "-g", "VALUE"),
    ("consumers", "--management-group", "VALUE"),
    ("consumers", "-n", "contoso", "--workspace", "VALUE"),
    ("report", "-g", "VALUE"),
    ("report", "--live", "-g", "VALUE"),
    ("report", "--management-group", "VALUE"),
    ("login", "-n", "VALUE"),
    ("login", "-n", "contoso", "-g", "VALUE"),
    ("login", "-n", "contoso", "--endpoint", "VALUE"),
    ("login", "-n", "contoso.azurecr.io", "--tenant", "VALUE"),
    ("login", "-n", "contoso.azurecr.io", "--repository", "VALUE"),
    ("login", "-n", "contoso.azurecr.io", "--credential", "workload-identity", "--client-id", "VALUE"),
    ("logout", "-n", "VALUE"),
    ("configure-docker", "-n", "VALUE", "--yes"),
    ("configure-docker", "--all", "-g", "VALUE", "--yes"),
    ("policy", "assign", "-g", "VALUE", "--yes"),
    ("policy", "assign", "--management-group", "VALUE", "--yes"),
    ("policy", "assign", "--assignment-name", "VALUE", "--yes"),
    ("policy", "assign", "--effect", "modify", "--identity", "VALUE", "--location", "westeurope", "--yes"),
    ("policy", "assign", "--not-scopes", "VALUE", "--yes"),
    ("policy", "assign", "-g", "VALUE", "--dry-run"),
    ("policy", "assign", "--management-group", "VALUE", "--dry-run"),
    ("policy", "assign", "-g", "VALUE", "--print", "bicep"),
    ("policy", "unassign", "-g", "VALUE", "--yes"),
    ("policy", "unassign", "--management-group", "VALUE", "--yes"),
    ("policy", "unassign", "--assignment-name", "VALUE", "--yes"),
    ("policy", "show", "-n", "VALUE"),
    ("policy", "show", "-g", "VALUE"),
    ("policy", "show", "--management-group", "VALUE"),
    ("policy", "remediate", "-g", "VALUE", "--yes"),
    ("policy", "remediate", "--management-group", "VALUE", "--yes"),
]
_PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{{}}/providers"
_ID = f"{_PROVIDERS}/Microsoft.ContainerRegistry/registries/{{}}"
_WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{{}}/providers/Microsoft.OperationalInsights/workspaces/{{}}"
)
_IDENTITY = f"{_PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/{{}}"
# The same with IDs, in which a group or the last name is what it must not be.
NAMING_IDS = [
    (("show", "-n", "VALUE"), _ID),
    (("enforce", "--ids", "VALUE", "--yes", "--skip-consumers"), _ID),
    (("check", "-n", "VALUE"), _ID),
    (("consumers", "-n", "contoso", "--workspace", "VALUE"), _WORKSPACE),
    (
        ("policy", "assign", "--effect", "modify", "--identity", "VALUE", "--location", "westeurope", "--yes"),
        _IDENTITY,
    ),
    (("policy", "assign", "--not-scopes", "VALUE", "--yes"), _ID),
    (("policy", "show", "-n", "VALUE"), _ID),
]


def typed(command: tuple[str, ...], value: str) -> tuple[str, ...]:
    """The command with this value; an option and its value are one word where the value could be another option."""
    return ("acr", "scope", *(value if word == "VALUE" else word for word in command))


def allowed(command: tuple[str, ...], value: str) -> bool:
    return any(value in values for option, values in ALLOWED.items() if option in command)


def spread(values: list[str], number: int) -> list[str]:
    """What the command of this number gets: "..", and the values at which the one before it stopped."""
    return [*dict.fromkeys(["..", *(values[(number * _EACH + each) % len(values)] for each in range(_EACH))])]


def refused(az: Az, cloud: LocalCloud, commands: list[tuple[str, ...]]) -> None:
    cloud.clear_requests()
    results: list[Result] = az.many(commands)
    assert [result.command for result in results if result.code == 0] == []
    unexpected = [each for each in results if "Traceback" in each.stderr or "unexpected error" in each.stderr.lower()]
    assert not unexpected, "\n".join(map(str, unexpected))
    assert sorted({request.path for request in cloud.requests_to(ARM)}) == []


@pytest.mark.parametrize("family", sorted({command[0] for command in NAMING}))
def test_what_is_no_name_is_refused_before_any_request(
    az: Az, cloud: LocalCloud, registry: Registry, family: str
) -> None:
    pairs = [
        (command, value)
        for number, command in enumerate(NAMING)
        if command[0] == family
        for value in spread(EVIL, number)
        if not allowed(command, value)
    ]
    refused(az, cloud, [typed(*pair) for pair in pairs])
    assert registry.policy_status != "disabled"


def test_an_id_with_such_a_part_is_refused_before_any_request(az: Az, cloud: LocalCloud) -> None:
    commands = [
        typed(command, template.format(*pair))
        for number, (command, template) in enumerate(NAMING_IDS)
        for value in spread(IN_IDS, number)
        for pair in (("rg", value), (value, "contoso"))
    ]
    refused(az, cloud, commands)


def test_a_default_group_that_is_none_is_refused_as_well(az: Az, cloud: LocalCloud) -> None:
    az.ok("config", "set", "defaults.group=rg/../..")
    refused(az, cloud, [("acr", "scope", "list", "--live"), ("acr", "scope", "list")])


def test_a_record_with_another_word_than_a_status_is_refused(az: Az, cloud: LocalCloud, tmp_path: Path) -> None:
    registry = cloud.world.add_registry("contosobanana", resource_group="rg-apps")
    record = tmp_path / "record.jsonl"
    record.write_text(
        '{"event": "run", "registries": 1}\n'
        f'{{"event": "change", "id": "{registry.id}", "from": "banana", "to": "disabled"}}\n'
        f'{{"event": "outcome", "id": "{registry.id}", "result": "changed", "status": "disabled", "reason": ""}}\n'
    )
    cloud.clear_requests()
    result = az("acr", "scope", "enforce", "--undo", str(record), "--yes")
    assert result.code == 1, result
    assert "line 2" in result.stderr
    assert [each for each in cloud.requests_to(ARM) if each.method == "PATCH"] == []


@pytest.mark.parametrize("wave", ["²%", "١%", "+5%", "1_0%", " 5%", "5 %"])
def test_a_share_in_other_digits_is_refused(az: Az, wave: str) -> None:
    result = az("acr", "scope", "enforce", "--all", "--yes", "--wave", wave)
    assert result.code == 1, result
    assert "not a percentage of the registries" in result.stderr
