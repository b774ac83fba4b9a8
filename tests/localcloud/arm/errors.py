"""Azure Resource Manager's refusals, in the words it uses. Texts marked "recorded" were seen on the wire or in a
client's output; the others are the documented ones (learn.microsoft.com/azure/azure-resource-manager/troubleshooting).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from tests.localcloud.base.messages import Answer, json_answer
from tests.localcloud.world.identities import Principal, User
from tests.localcloud.world.policy.assignments import Violation
from tests.localcloud.world.world import ARM_AUDIENCES


class ArmError(Exception):
    """A refusal on its way to the client."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers: dict[str, str] = more.pop("headers", {})
        self.more = more

    def answer(self) -> Answer:
        return json_answer(
            self.status, {"error": {"code": self.code, "message": self.message, **self.more}}, self.headers
        )


def _challenge(tenant_id: str, text: str) -> dict[str, str]:
    where = f"https://login.microsoftonline.com/{tenant_id}"
    value = f'Bearer authorization_uri="{where}", error="invalid_token", error_description="{text}"'
    return {"WWW-Authenticate": value}


def no_token(tenant_id: str) -> ArmError:
    text = "The authentication failed because of missing 'Authorization' header."
    message = "Authentication failed. The 'Authorization' header is missing."
    return ArmError(401, "AuthenticationFailed", message, headers=_challenge(tenant_id, text))


def bad_token(tenant_id: str) -> ArmError:
    text = "The access token is invalid."
    return ArmError(401, "InvalidAuthenticationToken", text, headers=_challenge(tenant_id, text))


def expired_token(tenant_id: str, expiry: float, now: float) -> ArmError:
    text = f"The access token expiry UTC time '{_clock(expiry)}' is earlier than current UTC time '{_clock(now)}'."
    return ArmError(401, "ExpiredAuthenticationToken", text, headers=_challenge(tenant_id, text))


def wrong_audience(tenant_id: str, audience: object) -> ArmError:
    """Recorded text."""
    allowed = ",".join(f"'{one}'" for one in ARM_AUDIENCES)
    text = (
        f"The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match with "
        f"one of the allowed audiences {allowed}."
    )
    return ArmError(401, "InvalidAuthenticationTokenAudience", text, headers=_challenge(tenant_id, text))


def wrong_tenant(token_tenant: object, tenant_id: str) -> ArmError:
    text = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{token_tenant}/'. It must match the "
        f"tenant 'https://sts.windows.net/{tenant_id}/' associated with this subscription. Please use the authority "
        f"(URL) 'https://login.windows.net/{tenant_id}' to get the token. Note, if the subscription is transferred to "
        "another tenant there is no impact to the services, but information about new tenant could take time to "
        "propagate (up to an hour). If you just transferred your subscription and see this error message, "
        "please try back later."
    )
    return ArmError(401, "InvalidAuthenticationTokenTenant", text, headers=_challenge(tenant_id, text))


def not_authorized(principal: Principal, action: str, scope: str) -> ArmError:
    """Recorded text."""
    client = principal.upn if isinstance(principal, User) else principal.app_id
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{principal.object_id}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def resource_not_found(resource: str, group: str) -> ArmError:
    """Recorded: the gateway's form, with its header."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
        headers={"x-ms-failure-cause": "gateway"},
    )


def group_not_found(group: str) -> ArmError:
    """Recorded."""
    message = f"Resource group '{group}' could not be found."
    return ArmError(404, "ResourceGroupNotFound", message, headers={"x-ms-failure-cause": "gateway"})


def subscription_not_found(subscription: str) -> ArmError:
    message = f"The subscription '{subscription}' could not be found."
    return ArmError(404, "SubscriptionNotFound", message, headers={"x-ms-failure-cause": "gateway"})


def not_here(path: str) -> ArmError:
    """For paths this local Azure does not have."""
    return ArmError(404, "InvalidResourceType", f"The local Azure has no resource at '{path}'.")


def method_not_allowed(method: str) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"The requested resource does not support http method '{method}'.")


def no_api_version() -> ArmError:
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def bad_api_version(version: str) -> ArmError:
    return ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")


def unknown_api_version(version: str, kind: str, supported: tuple[str, ...]) -> ArmError:
    return ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '' and API version '{version}' for type '{kind}'. The "
        f"supported api-versions are '{', '.join(supported)}'. The supported locations are 'westeurope, northeurope, "
        "eastus, westus'.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def bad_filter(text: str) -> ArmError:
    return ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")


def bad_content(reason: str) -> ArmError:
    message = f"The request content was invalid and could not be deserialized: '{reason}'."
    return ArmError(400, "InvalidRequestContent", message)


def bad_policy_status(value: object) -> ArmError:
    """Neither code nor text of this refusal was found in any recording."""
    message = f"The value '{value}' of azureADAuthenticationAsArmPolicy.status is not one of 'enabled', 'disabled'."
    return ArmError(400, "InvalidParameter", message)


def not_json(content_type: str) -> ArmError:
    message = (
        f"The content media type '{content_type}' is not supported. Only 'application/json' is supported."
        if content_type
        else "The content media type '<null>' is not supported. Only 'application/json' is supported."
    )
    return ArmError(415, "UnsupportedMediaType", message)


def locked(scope: str, lock: str) -> ArmError:
    """Recorded in a client's output only, never as raw HTTP."""
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform write operation because following scope(s) are locked: '{lock}'. Please "
        "remove the lock and try again.",
    )


def denied_by_policy(name: str, violations: Sequence[Violation]) -> ArmError:
    """As public logs of clients show it (members and their order), there for another definition and a create."""
    identifiers = json.dumps(
        [
            {
                "policyAssignment": {"name": one.assignment_display_name, "id": one.assignment_id},
                "policyDefinition": {
                    "name": one.definition_display_name,
                    "id": one.definition_id,
                    "version": one.version,
                },
            }
            for one in violations
        ],
        separators=(",", ":"),
    )
    error = ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: '{identifiers}'.",
        target=name,
        additionalInfo=[{"type": "PolicyViolation", "info": one.info()} for one in violations],
    )
    messages = [one.message for one in violations if one.message]
    if messages:
        # Documented: the assignment's message stands in the error; where exactly was not seen.
        error.message = f"Resource '{name}' was disallowed by policy. Reasons: '{' '.join(messages)}'. " + (
            f"See error details for policy resource IDs. Policy identifiers: '{identifiers}'."
        )
    return error


def throttled(subscription: str, principal: Principal, kind: str, wait: int) -> ArmError:
    """Recorded text (2026) for reads; writes and deletes are assumed to say the same with their own word."""
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{kind.rstrip('s')}' requests for subscription '{subscription}' actor '{principal.object_id}' "
        f"exceeded. Please try again after '{wait}' seconds.",
        headers={"Retry-After": str(wait)},
    )


def _clock(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M:%S %p}"
