"""Azure Resource Graph: queries over many subscriptions in few requests.

Wire format: ``POST /providers/Microsoft.ResourceGraph/resources`` with ``{query, subscriptions | managementGroups,
options{$top, $skipToken, resultFormat}}``; the answer has ``data``, ``resultTruncated`` (a string) and, if there is
more and `id` was projected, ``$skipToken``. A user has 15 queries in 5 seconds: x-ms-user-quota-remaining tells how
many are left, and a 429 carries Retry-After, which the ARM pipeline waits out.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azext_acrscope import _errors
from azext_acrscope.arm import Arm, ArmError, Reply
from azext_acrscope.arm_paths import arm_path

API_VERSION = "2022-10-01"
PAGE = 1000  # rows; the service's maximum
_NO_SUBSCRIPTION = "NoValidSubscriptionsInQueryRequest"  # in the details of a 400 (recorded in clients' output)
_QUOTA_SECONDS = 5  # after which there is quota again, if the answer does not say


@dataclass
class Rows:
    """What a query found. `incomplete` holds a sentence for each reason why there may be more."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


def query(
    arm: Arm,
    kql: str,
    subscriptions: list[str] | None = None,
    management_group: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    inherited: bool = False,
) -> Rows:
    """Run a query, which must project `id`, over subscriptions, a management group, or all the account can see.

    :param inherited: of authorizations, also those that are given above the scope.
    :raises ForbiddenError: the account sees no subscription there.
    :raises ArmError: Resource Graph refused it for another reason.
    """
    options: dict[str, Any] = {"$top": PAGE, "resultFormat": "objectArray"}
    if inherited:
        options["authorizationScopeFilter"] = "AtScopeAboveAndBelow"
    body: dict[str, Any] = {"query": kql, "options": options}
    if management_group:
        body["managementGroups"] = [management_group]
    elif subscriptions:
        body["subscriptions"] = subscriptions
    found, seen = Rows(), set[str]()
    while True:
        reply = _ask(arm, body)
        if not isinstance(reply.body, dict) or not isinstance(reply.body.get("data"), list):
            raise _errors.not_a_list(arm.endpoint)
        found.rows += reply.body["data"]
        token = reply.body.get("$skipToken")
        if str(token) in seen:
            raise _errors.not_a_list(arm.endpoint)
        seen.add(str(token))
        if str(reply.headers.get("x-ms-tenant-subscription-limit-hit", "")).lower() == "true":
            _once(found.incomplete, _errors.GRAPH_LEFT_OUT)
        if not token:
            if str(reply.body.get("resultTruncated", "")).lower() == "true":
                _once(found.incomplete, _errors.GRAPH_CUT)
            return found
        body["options"] = {**options, "$skipToken": token}
        sleep(_quota_pause(reply))


def _ask(arm: Arm, body: dict[str, Any]) -> Reply:
    try:
        return arm.post(arm_path("/providers/Microsoft.ResourceGraph/resources"), API_VERSION, body)
    except ArmError as error:
        if _NO_SUBSCRIPTION in error.reasons:
            raise _errors.no_subscription_in_graph(arm.tenant, error.correlation) from error
        raise


def _quota_pause(reply: Reply) -> float:
    """Seconds until the next query is allowed: 0 while there is quota left."""
    if str(reply.headers.get("x-ms-user-quota-remaining", "1")) != "0":
        return 0.0
    said = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", str(reply.headers.get("x-ms-user-quota-resets-after")), re.ASCII)
    hours, minutes, seconds = map(int, said.groups()) if said else (0, 0, _QUOTA_SECONDS)
    return float(hours * 3600 + minutes * 60 + seconds)


def _once(sentences: list[str], sentence: str) -> None:
    if sentence not in sentences:
        sentences.append(sentence)
