"""A report as SARIF 2.1.0: findings that a service can keep, and tell new from known."""

import json
from collections import Counter
from typing import Any

from azext_acrscope.report import sarif
from azext_acrscope.report.model import ReportContent
from tests.az import ROOT
from tests.factories.judged import judged
from tests.factories.report import consumer, content, everything, owner, proof, registry


def run(found: ReportContent) -> Any:
    return json.loads(sarif.render_sarif(found))["runs"][0]


def rules(found: ReportContent) -> list[str]:
    return [result["ruleId"] for result in run(found)["results"]]


def test_it_is_sarif() -> None:
    assert judged("sarif", sarif.render_sarif(everything())) == "valid"


def test_each_finding_is_a_result_of_its_rule() -> None:
    assert Counter(rules(everything())) == {
        "arm-audience-accepted": 2,
        "status-unknown": 1,
        "status-not-in-effect": 1,
        "consumer-breaks": 2,
        "consumer-unknown": 1,
        "other-sign-in-method": 5,
    }


def test_results_name_their_rule_by_place_and_level_too() -> None:
    found = run(everything())
    for result in found["results"]:
        rule = found["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"]


def test_an_enforced_registry_has_no_result_but_for_what_is_wrong() -> None:
    unknown = [consumer("job", "unknown"), owner()]
    assert rules(content(registry(status="disabled", consumers=unknown, proof=proof()))) == []
    assert rules(content(registry(status="disabled", consumers=[consumer()]))) == ["consumer-breaks"]


def test_who_may_pull_only_by_a_broad_role_is_no_finding() -> None:
    assert rules(content(registry(consumers=[owner()]))) == ["arm-audience-accepted"]


def test_fingerprints_tell_findings_apart_and_stay_the_same() -> None:
    first, again = (run(everything())["results"] for _ in range(2))
    for name in ("primaryLocationLineHash", "acrscope/v1"):
        prints = [result["partialFingerprints"][name] for result in first]
        assert len(set(prints)) == len(prints)
        assert prints == [result["partialFingerprints"][name] for result in again]
    found = content(registry(status="enabled", consumers=[]))
    other_words = content(registry(status="enabled", consumers=None, statusIsDefault=True))
    assert run(found)["results"][0]["partialFingerprints"] == run(other_words)["results"][0]["partialFingerprints"]


def test_a_consumer_is_where_it_is_and_its_registry_is_related() -> None:
    [result] = [each for each in run(everything())["results"] if each["message"]["text"].startswith("app-service shop")]
    [location] = result["locations"]
    assert location["logicalLocations"][0]["name"] == "shop"
    assert location["physicalLocation"]["artifactLocation"]["uri"].startswith("subscriptions/")
    [related] = result["relatedLocations"]
    assert related["logicalLocations"][0]["name"] == "contoso"


def test_addresses_are_addresses_whatever_a_group_is_called() -> None:
    [result] = [each for each in run(everything())["results"] if each["ruleId"] == "status-unknown"]
    assert "rg-%281%29" in result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_what_is_set_is_not_said_to_be_what_the_login_server_does() -> None:
    found = content(registry(proof=proof("yes", "failed", seen=("It refuses.",)), consumers=[]))
    texts = {result["ruleId"]: result["message"]["text"] for result in run(found)["results"]}
    assert texts["arm-audience-accepted"] == "contoso is set to accept ARM-audience tokens: mismatch."
    assert "It refuses." in texts["status-not-in-effect"]


def test_a_message_holds_no_link_of_somebody_else() -> None:
    seen = ("See\u202e [here](https://example.com) \\.",)
    found = content(registry("a", "disabled", proof=proof("no", seen=seen)))
    assert run(found)["results"][0]["message"]["text"].endswith("See\ufffd " r"\[here\](https://example.com) \\.")


def test_more_results_than_github_keeps_are_told() -> None:
    rows = [consumer(f"app{number}") for number in range(sarif.MAX_KEPT_RESULTS - 1)]
    assert sarif.sarif_remarks(content(registry(consumers=rows))) == []
    [said] = sarif.sarif_remarks(content(registry(consumers=[*rows, consumer("one")])))
    assert "5001 results" in said


def test_what_could_not_be_read_is_a_notification_of_the_run() -> None:
    [invocation] = run(everything())["invocations"]
    assert len(invocation["toolExecutionNotifications"]) == 2
    assert invocation["account"] == "ops@contoso.com"


def test_services_learn_what_the_tool_and_each_rule_is_and_where_to_read_on() -> None:
    driver = run(everything())["tool"]["driver"]
    assert driver["fullName"].startswith(f"acrscope {driver['version']}: ")
    assert f'Home = "{driver["informationUri"]}"' in (ROOT / "pyproject.toml").read_text()
    for rule in driver["rules"]:
        assert rule["name"] == "".join(word.capitalize() for word in rule["id"].split("-"))
        page = rule["helpUri"].removeprefix(f"{driver['informationUri']}/blob/main/")
        assert (ROOT / page).is_file()


def test_the_severity_that_github_sorts_by_goes_with_the_level() -> None:
    severest = {"note": 3.9, "warning": 6.9, "error": 8.9}  # "low", "medium", "high" (docs.github.com)
    for rule in run(everything())["tool"]["driver"]["rules"]:
        assert 0 < float(rule["properties"]["security-severity"]) <= severest[rule["defaultConfiguration"]["level"]]
