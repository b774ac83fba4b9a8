"""Resource Graph's refusals: a code, a text for support, and the reasons in `details` (recorded)."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from tests.localcloud.arm.errors import ArmError
from tests.localcloud.kql import ParserFailure

_EXPECTED = "\u01cf"
"""Recordings carry a single odd letter here, the number of a token in the service's grammar."""


def refusal(status: int, code: str, *details: dict[str, Any], correlation: str = "", wait: int = 0) -> ArmError:
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}0Z"
    identifier = correlation or str(uuid.uuid4())
    return ArmError(
        status,
        code,
        f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {identifier}.",
        details=list(details),
        headers={"Retry-After": str(wait)} if wait else {},
    )


def _detail(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **more}


def rate_limited(wait: int, correlation: str) -> ArmError:
    """Recorded."""
    text = (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time "
        "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    )
    return refusal(429, "RateLimiting", _detail("RateLimiting", text), correlation=correlation, wait=wait)


def invalid_query(failure: ParserFailure, correlation: str) -> ArmError:
    """Recorded for `where where`. Real refusals of unknown columns and functions were not found; here they look alike.

    The header is this cloud's own: Resource Graph does not say why.
    """
    text = (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error "
        "before retrying."
    )
    parser = _detail(
        "ParserFailure",
        "ParserFailure",
        line=failure.line,
        characterPositionInLine=failure.position,
        token=failure.token,
        expectedToken=_EXPECTED,
    )
    error = refusal(400, "BadRequest", _detail("InvalidQuery", text), parser, correlation=correlation)
    error.headers["x-localcloud-reason"] = failure.reason.encode("ascii", "backslashreplace").decode()
    return error


def no_subscriptions(given: list[str], correlation: str) -> ArmError:
    """Recorded in clients' output, both with and without subscriptions in the request."""
    names = ",".join(given)
    text = f"There must be at least one subscription that is eligible to contain resources. Given: '{names}'."
    detail = _detail("NoValidSubscriptionsInQueryRequest", text)
    return refusal(400, "BadRequest", detail, correlation=correlation)


def not_guids(given: list[str], correlation: str) -> ArmError:
    """Recorded in a client's output."""
    text = f"Subscription ids have to be valid GUIDs. Given: '{','.join(given)}'."
    return refusal(400, "BadRequest", _detail("SubscriptionsContainInvalidGuids", text), correlation=correlation)


def bad_groups(given: list[str], correlation: str) -> ArmError:
    """Recorded in a client's output, for a display name in place of a group's name. Assumed for unknown groups too."""
    text = f"The provided management groups must be valid. Given: '{','.join(given)}'."
    return refusal(400, "BadRequest", _detail("ManagementGroupsContainInvalidIds", text), correlation=correlation)


def no_access(correlation: str) -> ArmError:
    """For a management group with nothing in it that the caller may see. Code and status seen in clients; the detail's
    text was not found.
    """
    detail = _detail("AccessDenied", "Access is denied to the requested scope.")
    return refusal(403, "AccessDenied", detail, correlation=correlation)


def bad_request(reason: str, correlation: str) -> ArmError:
    """For bodies against the schema; the real codes were not found."""
    return refusal(400, "BadRequest", _detail("InvalidRequest", reason), correlation=correlation)


def too_large(size: int, limit: int, correlation: str) -> ArmError:
    """Reported by clients (microsoft/ARI#195, #199)."""
    text = (
        f"Response payload size is {size}, and has exceeded the limit of {limit}. Please consider querying less data."
    )
    return refusal(400, "BadRequest", _detail("ResponsePayloadTooLarge", text), correlation=correlation)
