"""Requests to Azure Resource Manager: paths, pages, links, and its errors."""

import copy
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope.arm import errors
from azext_acrscope.arm.graph_quota import quota_of_user
from azext_acrscope.arm.paths import ArmPath, encode_path
from azext_acrscope.arm.pipeline import Pipeline, ServiceEndpoint, retry_after_seconds
from azext_acrscope.arm.pipeline import Reply as Reply  # pylint: disable=useless-import-alias  # exported, for mypy
from azext_acrscope.base.foreign_json import find_object, find_objects, find_text, is_whole_number
from azext_acrscope.base.tokens import safe_word
from azext_acrscope.hops.entra import account_for_subscription
from azext_acrscope.hops.errors import is_passing

MAX_CONNECTIONS = 32  # that stay open; a fleet has as many writers
_MAX_PAGES = 1000
_SUPPORT_MESSAGE = "Please provide below info when asking for support"
# What of an answer is repeated as an assignment's ID, in commands to type among others: nothing that a shell reads.
_ASSIGNMENT_ID = re.compile(r"/[\w .()/-]{1,400}/policyAssignments/[\w .()#,@=~-]{1,128}", re.ASCII | re.IGNORECASE)


class ArmError(Exception):
    """ARM's answer of 300 or more. The rooms turn it into a typed error with `as_cli_error`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        correlation: str,
        *,
        retry_after: float = 0.0,
        assignments: tuple[str, ...] = (),
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{', '.join(dict.fromkeys((code, *reasons)))} (HTTP {status})")
        self.status, self.code, self.message, self.correlation = status, code, message, correlation
        self.retry_after = retry_after  # seconds; 0 where ARM did not say
        self.assignments = assignments  # IDs of the Azure Policy assignments that refused it
        self.reasons = reasons  # codes of `details`, where Resource Graph says why

    def as_cli_error(self, where: str, action: str) -> AzCLIError:
        """Return the typed error for this answer."""
        if self.code == "RequestDisallowedByPolicy":
            return errors.policy_disallows(where, self.message, list(self.assignments), self.correlation)
        return errors.arm_refused(
            where, action, self.status, code=self.code, message=self.message, correlation=self.correlation
        )


class ArmClient:  # pylint: disable=too-many-instance-attributes  # whose it is, where it leads, and what the SDKs need
    """A connection to ARM as the account of one subscription."""

    def __init__(self, cli_ctx: Any, subscription_id: str | None = None, patient: bool = True) -> None:
        """Sign in as the CLI account of `subscription_id`; by default of --subscription or the one in use.

        A subscription the CLI has not listed (it was given in a resource ID) is asked for as the account in use.

        :param patient: whether a request that fails in a way that passes (429, 5xx, a broken connection) is repeated
            here; a fleet does that itself.

        :raises AuthenticationError: not signed in.
        :raises InvalidArgumentValueError: the subscription named with --subscription is not the account's.
        """
        from azure.cli.core._profile import Profile

        profile = Profile(cli_ctx=cli_ctx)
        account = account_for_subscription(profile, cli_ctx, subscription_id)
        self.subscription_id: str = subscription_id or account["id"]
        self.tenant: str = account["tenantId"]
        self.has_subscription: bool = self.subscription_id != self.tenant  # else a tenant-level account
        self.audience: str = cli_ctx.cloud.endpoints.active_directory_resource_id
        self.endpoint: str = cli_ctx.cloud.endpoints.resource_manager.rstrip("/")
        self.graph_quota = quota_of_user(self.tenant, find_text(account, "user", "name"))
        self._patient = patient
        service = ServiceEndpoint("Azure Resource Manager", self.endpoint, self.audience, takes_policy_tokens=True)
        self._pipeline = Pipeline(cli_ctx, service, profile, account, MAX_CONNECTIONS)
        # For the clients of a management SDK, which send through this connection: one for each subscription.
        self.cli_ctx = cli_ctx
        self.credential: Any = self._pipeline.credential
        self.sdk_clients: dict[tuple[str, str], Any] = {}

    def impatient(self) -> "ArmClient":
        """Return the same connection for a caller that itself repeats what fails in a way that passes."""
        other = copy.copy(self)
        other._patient = False  # pylint: disable=protected-access  # it is one of ours
        other.sdk_clients = {}  # they send through the connection that they were made for
        return other

    def get(self, path: ArmPath, api_version: str, **query: str) -> Reply:
        """Return the answer to a GET."""
        return self._send("GET", self.endpoint + encode_path(path), {**query, "api-version": api_version})

    def put(self, path: ArmPath, api_version: str, body: dict[str, Any]) -> Reply:
        """Return the answer to a PUT."""
        return self._send("PUT", self.endpoint + encode_path(path), {"api-version": api_version}, body)

    def delete(self, path: ArmPath, api_version: str) -> Reply:
        """Return the answer to a DELETE."""
        return self._send("DELETE", self.endpoint + encode_path(path), {"api-version": api_version})

    def post(self, path: ArmPath, api_version: str, body: dict[str, Any] | None = None, **query: str) -> Reply:
        """POST a query or an action that can be repeated."""
        return self._send("POST", self.endpoint + encode_path(path), {**query, "api-version": api_version}, body)

    def follow(self, url: str, method: str = "GET", body: Any = None) -> Reply:
        """Ask at a URL that ARM handed out (next page, operation status) or that its SDK made.

        :raises AzureResponseError: the URL leads to another host than ARM's own, which must not get our token.
        """
        if not self.owns(url):
            raise errors.arm_link_refused(self.endpoint)
        return self._send(method, url, {}, body)

    def owns(self, url: Any) -> bool:
        """Return whether a URL is one of ARM itself."""
        try:
            ours, theirs = urlsplit(self.endpoint), urlsplit(str(url))
            return (theirs.scheme, theirs.hostname, theirs.port or 443) == ("https", ours.hostname, ours.port or 443)
        except ValueError:
            return False

    def pages(self, path: ArmPath, api_version: str, **query: str) -> list[dict[str, Any]]:
        """Return all items of a paged list. A page may be empty and still link to a next one (recorded).

        :raises AzureResponseError: an answer is no page; the list would not be whole.
        """
        return self.items(self.get(path, api_version, **query), self.follow)

    def posted_pages(self, path: ArmPath, api_version: str, **query: str) -> list[dict[str, Any]]:
        """Return all items of a list that is requested with POST, such as those of Microsoft.PolicyInsights.

        Next pages are requested with POST also. Azure's own clients disagree on that: if POST is refused, GET is tried.
        """
        return self.items(self.post(path, api_version, None, **query), self._next_posted)

    def items(self, reply: Reply, follow: Callable[[str], Reply]) -> list[dict[str, Any]]:
        """Return all items of a list whose first page is `reply`.

        :param follow: asks for the page that a link leads to.
        :raises AzureResponseError: an answer is no page, or links to another host; the list would not be whole.
        """
        items: list[dict[str, Any]] = []
        seen, counted = set[str](), 0
        for _ in range(_MAX_PAGES):
            body = find_object(reply.body)
            page, link = body.get("value"), body.get("nextLink") or body.get("@odata.nextLink") or ""
            if not isinstance(page, list) or not all(isinstance(item, dict) for item in page):
                break
            if not isinstance(link, str) or link in seen:
                break
            items += page
            counted = max(counted, read_count(body.get("@odata.count")), read_count(body.get("count")))
            if not link:
                if len(items) < counted:
                    break
                return items
            if not self.owns(link):
                raise errors.arm_link_refused(self.endpoint)
            seen.add(link)
            reply = follow(link)
        raise errors.not_a_list(self.endpoint)

    def _next_posted(self, link: str) -> Reply:
        try:
            return self.follow(link, "POST")
        except ArmError as error:
            if error.status not in (404, 405):
                raise
            return self.follow(link)

    def _send(self, method: str, url: str, query: dict[str, str], body: Any = None) -> Reply:
        reply = self._pipeline.send(method, url, query, body, self._patient)
        if reply.status >= 300:
            raise parse_arm_error(reply.status, reply.headers, reply.reason, reply.body)
        return reply


Connect = Callable[[str | None], ArmClient]  # the connection to a subscription, by its ID; None for the one in use


def is_transient(error: Exception) -> bool:
    """Return whether a failure may be over in a moment: no connection, 5xx, or another operation on the resource."""
    if isinstance(error, ArmError):
        return error.status >= 500 or error.status == 408 or (error.status == 409 and error.code == "Conflict")
    return is_passing(error)


def read_count(value: Any) -> int:
    """Return a number of items that an answer counts; 0 where it counts none."""
    return int(value) if is_whole_number(value) else 0


def parse_arm_error(status: int, headers: Any, reason: str | None, content: Any) -> ArmError:
    """Return an error from ARM's envelope ``{"error": {"code", "message"}}``; any other form is not quoted.

    Resource Graph's message only asks for support to be told the time; what is wrong is in its ``details``.
    """
    envelope = find_object(content, "error")
    message = find_text(envelope, "message")
    if message.startswith(_SUPPORT_MESSAGE):
        told = [find_text(each, "message") for each in find_objects(envelope, "details")]
        message = " ".join(dict.fromkeys(each for each in told if each)) or message
    return ArmError(
        status,
        safe_word(envelope.get("code") or "no error code"),
        message or safe_word(reason or ""),
        safe_word(headers.get("x-ms-correlation-request-id") or "unknown"),
        retry_after=retry_after_seconds(headers.get("Retry-After")),
        assignments=_refusing_assignments(envelope),
        reasons=_detail_codes(envelope),
    )


def _detail_codes(envelope: dict[str, Any]) -> tuple[str, ...]:
    found = [each.get("code") for each in find_objects(envelope, "details")]
    return tuple(safe_word(each) for each in found if isinstance(each, str))


def _refusing_assignments(envelope: dict[str, Any]) -> tuple[str, ...]:
    """The assignments of Azure Policy that refused a write: `additionalInfo` of the type PolicyViolation (logs)."""
    details = [find_object(each, "info") for each in find_objects(envelope, "additionalInfo")]
    found = [str(each.get("policyAssignmentId")) for each in details]
    return tuple(dict.fromkeys(each for each in found if _ASSIGNMENT_ID.fullmatch(each)))
