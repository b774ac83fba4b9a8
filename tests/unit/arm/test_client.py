"""ARM's answers about policy: pages asked for with POST, and which assignment refused a write."""

from typing import Any

import pytest
from azure.cli.core.azclierror import AzureResponseError

from azext_acrscope.arm import client, errors
from azext_acrscope.arm.client import ArmClient, ArmError, Reply, is_transient
from azext_acrscope.arm.paths import check_resource_id

NEXT = "https://management.azure.com/next"
ASSIGNMENT = "/subscriptions/x/providers/Microsoft.Authorization/policyAssignments/keep-off"


class Scripted(ArmClient):
    """Answers by method and URL."""

    endpoint = "https://management.azure.com"

    def __init__(self, answers: dict[tuple[str, str], Any]) -> None:
        self.answers = answers

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        found = self.answers[method, url]
        if isinstance(found, ArmError):
            raise found
        return Reply(200, {}, found)


def refusal(info: Any) -> tuple[str, ...]:
    content = {"error": {"code": "RequestDisallowedByPolicy", "message": "no", "additionalInfo": info}}
    return client.parse_arm_error(403, {}, "Forbidden", content).assignments


@pytest.mark.parametrize("status", [404, 405])
def test_next_pages_are_posted_for_and_got_where_that_is_not_taken(status: int) -> None:
    first, second = {"value": [{"a": 1}], "nextLink": NEXT}, {"value": [{"a": 2}]}
    posted = Scripted({("POST", f"{Scripted.endpoint}/x"): first, ("POST", NEXT): second})
    refused = ArmError(status, "MethodNotAllowed", "no", "1")
    got = Scripted({("POST", f"{Scripted.endpoint}/x"): first, ("POST", NEXT): refused, ("GET", NEXT): second})
    assert (
        posted.posted_pages(check_resource_id("/x"), "1")
        == got.posted_pages(check_resource_id("/x"), "1")
        == [{"a": 1}, {"a": 2}]
    )


def test_a_page_that_links_to_itself_has_no_end() -> None:
    page = {"value": [], "nextLink": NEXT}
    with pytest.raises(AzureResponseError, match="has no end"):
        Scripted({("GET", f"{Scripted.endpoint}/x"): page, ("GET", NEXT): page}).pages(check_resource_id("/x"), "1")


def test_the_assignments_that_refused_are_found() -> None:
    violation = {"type": "PolicyViolation", "info": {"policyAssignmentId": ASSIGNMENT}}
    assert refusal([violation, violation]) == (ASSIGNMENT,)


@pytest.mark.parametrize(
    "info",
    [
        None,
        "odd",
        ["odd"],
        [{"info": "odd"}],
        [{"info": {}}],
        [{"info": {"policyAssignmentId": 1}}],
        [{"info": {"policyAssignmentId": ASSIGNMENT + '"; rm -rf ~'}}],
        [{"info": {"policyAssignmentId": ASSIGNMENT + "`id`"}}],
        [{"info": {"policyAssignmentId": "eyJhbGciOi.token"}}],
    ],
)
def test_what_is_no_id_of_an_assignment_is_not_repeated(info: Any) -> None:
    assert refusal(info) == ()


@pytest.mark.parametrize(
    ("cause", "passing"), [(OSError("reset"), True), (OSError("CERTIFICATE_VERIFY_FAILED"), False)]
)
def test_a_certificate_that_is_not_trusted_is_nothing_to_wait_out(cause: Exception, passing: bool) -> None:
    assert is_transient(errors.service_unreachable("Azure Resource Manager", "https://x", cause)) is passing
