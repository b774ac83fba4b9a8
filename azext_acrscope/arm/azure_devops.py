"""Azure DevOps: the projects of an organization, their service connections, and what has used those.

Wire format (MicrosoftDocs/vsts-rest-api-specs at adb28786: core, serviceEndpoint and build, all 7.1): GET
``https://dev.azure.com/ORGANIZATION[/PROJECT]/_apis/…?api-version=7.1`` answers ``{count, value: [{…}]}``; where there
is more, the header x-ms-continuationtoken goes into the next request. Errors are ``{message, typeKey …}``. A token that
is not accepted gets 401 here, but 203 or 302 with a page for people from other paths: everything but 200 with JSON is
an error. An organization belongs to one tenant, which the header X-VSS-ResourceTenant names.

Limits (azure-devops-docs, rate-limits.md of 2025-09-15): a user's requests are first delayed, with Retry-After in an
answer of 200, then refused with 429; X-RateLimit-Remaining and -Reset tell what is left and when all of it is back.
"""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from azure.cli.core.azclierror import AzCLIError, AzureConnectionError
from knack.log import get_logger

from azext_acrscope.arm import azure_devops_errors as errors
from azext_acrscope.arm.pipeline import Pipeline, Reply, ServiceEndpoint, retry_after_seconds
from azext_acrscope.arm.throttle import Throttle
from azext_acrscope.base import threads
from azext_acrscope.base.foreign_json import find_number, find_text, find_value
from azext_acrscope.base.tokens import is_guid, safe_word
from azext_acrscope.hops.errors import is_passing

SERVICE_NAME = "Azure DevOps"
ENDPOINT = "https://dev.azure.com"
AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798"  # the application of Azure DevOps, the same for all organizations
AT_ONCE = 4  # requests under way: the limits are a user's, who may be at work in the organization
_API_VERSION = "7.1"
_AUTHORITY = "login.microsoftonline.com"  # Azure DevOps is in no other cloud
_HEADERS = (("Accept", "application/json"), ("X-TFS-FedAuthRedirect", "Suppress"))  # no page to sign in at: 401
_READ_SECONDS, _REQUEST_SECONDS = 60, 180.0
_TOTAL_SECONDS = 1800.0  # for an organization, with all that it waits
_LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a connection has about three thousand
_REQUESTS_PER_SECOND = 5.0  # after Azure DevOps has asked to wait; what a request costs is published nowhere
_TRIES, _BACKOFF_SECONDS = 5, 1.0
_LONGEST_WAIT = 300.0  # seconds: use is counted over five minutes, so nothing is held against anybody for longer
_LONGEST_RESET = 60.0
_SILENT_WAIT_SECONDS = 3.0
_MAX_PAGES = 100  # an organization has at most a thousand projects (documented)
_PROJECTS, _USES = 500, 500  # rows of a page
_LONGEST_TOKEN = 2000
_THROTTLED = 429
_LATER = frozenset({_THROTTLED, 408, 500, 502, 503, 504})
# learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions
_ORGANIZATION = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?", re.ASCII | re.IGNORECASE)
# How people name an organization besides by its name: by the address of its pages, the older one included.
_ADDRESSES = (r"https://dev\.azure\.com/([^/]+)/?", r"https://([^./]+)\.visualstudio\.com/?")

logger = get_logger(__name__)
Row = dict[str, Any]


class DevOpsError(Exception):
    """Azure DevOps refused a request, or what answered is not Azure DevOps. Its text is a few plain words.

    :ivar tenant: of the organization, if the answer names it.
    """

    def __init__(self, status: int, code: str, tenant: str = "") -> None:
        super().__init__(f"HTTP {status}{f', {code}' if code else ''}" if status else code)
        self.status, self.tenant = status, tenant

    def as_cli_error(self, organization: str) -> AzCLIError:
        """Return the typed error for an organization that could not be read."""
        return errors.organization_refused(organization, self.status, str(self), self.tenant)


def parse_organization(text: str) -> str:
    """Return the name of an organization, in lower case, of what was typed: the name, or the address of its pages.

    :raises InvalidArgumentValueError: it is neither.
    """
    text = text.strip()
    name = next((found[1] for form in _ADDRESSES if (found := re.fullmatch(form, text, re.IGNORECASE))), text)
    if not _ORGANIZATION.fullmatch(name):
        raise errors.bad_organization(text)
    return name.lower()


def devops_path(template: str, **names: str) -> str:
    """Return the path that a template and names make: the one place where text becomes part of one.

    :param template: text of this project with a placeholder for each name, called by the name's kind.
    :raises DevOpsError: a name is no valid name of its kind.
    """
    for kind, name in names.items():
        if not (_ORGANIZATION.fullmatch(name) if kind == "organization" else is_guid(name)):
            raise DevOpsError(0, errors.bad_segment(kind))
    return template.format(**names)


class AzureDevOps:
    """One organization. Its methods may run in several threads; they heed together what it says of its limits."""

    def __init__(
        self,
        organization: str,
        send: Callable[[str, dict[str, str]], Reply],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """:param send: sends a GET to a URL with a query, once."""
        self.organization = organization
        self._send, self._now, self._sleep = send, now, sleep
        self._throttle = Throttle(_REQUESTS_PER_SECOND)
        self._end = now() + _TOTAL_SECONDS
        self._reachable = True  # if not, nothing is tried twice: hundreds of requests may be to come

    def projects(self) -> list[Row]:
        """Return the projects that the account sees.

        :raises DevOpsError, AzureConnectionError: the list could not be read whole.
        """
        path = devops_path("/{organization}/_apis/projects", organization=self.organization)
        # Neither is published how large a page may be nor whether each page but the last has the header, so the list
        # ends where nothing new comes.
        query, rows = {"stateFilter": "wellFormed", "$top": str(_PROJECTS)}, list[Row]()
        ids, tokens = set[str](), set[str]()
        for _ in range(_MAX_PAGES):
            page, token = self._page(path, query)
            fresh = [row for row in page if str(row.get("id")) not in ids]
            if token in tokens:
                break
            if not (fresh or token):
                return rows
            rows += fresh
            ids |= {str(row.get("id")) for row in fresh}
            tokens |= {token} if token else set()
            query["$skip"] = str(len(rows))
            query |= {"continuationToken": token} if token else {}
        raise DevOpsError(200, errors.ENDLESS)

    def connections(self, project: str) -> list[Row]:
        """Return the service connections of a project, by its ID, of all types: two types would be two requests.

        :raises DevOpsError, AzureConnectionError: as above.
        """
        path = devops_path(
            "/{organization}/{project}/_apis/serviceendpoint/endpoints", organization=self.organization, project=project
        )
        return self._pages(path, {"includeFailed": "true"})

    def uses(self, project: str, connection: str) -> tuple[list[Row], bool]:
        """Return the last uses of a service connection in a project, and whether there may be older ones.

        :raises DevOpsError, AzureConnectionError: as above.
        """
        path = devops_path(
            "/{organization}/{project}/_apis/serviceendpoint/{connection}/executionhistory",
            organization=self.organization,
            project=project,
            connection=connection,
        )
        page, token = self._page(path, {"top": str(_USES)})
        return page, bool(token) or len(page) >= _USES

    def pipelines(self, project: str, numbers: list[int]) -> list[Row]:
        """Return the definitions of pipelines of a project, with all that is known of them.

        :raises DevOpsError, AzureConnectionError: as above.
        """
        path = devops_path(
            "/{organization}/{project}/_apis/build/definitions", organization=self.organization, project=project
        )
        wanted = ",".join(map(str, numbers))
        return self._pages(path, {"definitionIds": wanted, "includeAllProperties": "true"})

    def _pages(self, path: str, query: dict[str, str]) -> list[Row]:
        rows, seen = list[Row](), set[str]()
        for _ in range(_MAX_PAGES):
            page, token = self._page(path, query)
            rows += page
            if not token:
                return rows
            if token in seen:
                break
            seen.add(token)
            query = {**query, "continuationToken": token}
        raise DevOpsError(200, errors.ENDLESS)

    def _page(self, path: str, query: dict[str, str]) -> tuple[list[Row], str]:
        """A page and the token of the next one; a token is part of a query, never of a host or path."""
        reply = self._ask(ENDPOINT + path, {**query, "api-version": _API_VERSION})
        rows = read_rows(reply)
        token = str(reply.headers.get("x-ms-continuationtoken") or "")
        if not (token.isascii() and token.isprintable()) or len(token) > _LONGEST_TOKEN:
            raise DevOpsError(reply.status, errors.ENDLESS)
        return rows, token

    def _ask(self, url: str, query: dict[str, str]) -> Reply:
        """The answer, after as many tries and waits as are sensible: all threads wait if one was asked to."""
        tries = 0
        while True:
            self._wait_for_turn()
            tries += 1
            try:
                reply = self._send(url, query)
            except AzureConnectionError as error:
                self._throttle.failed()
                if tries >= _TRIES or not (self._reachable and is_passing(error)):
                    self._reachable = False
                    raise
                self._sleep(_BACKOFF_SECONDS * tries)
                continue
            self._reachable = True
            seconds = seconds_to_wait(reply.headers, time.time())
            if reply.status == _THROTTLED:
                seconds = seconds or _BACKOFF_SECONDS * 2**tries
            if seconds:
                if self._throttle.refused(self._now(), seconds) and seconds > _SILENT_WAIT_SECONDS:
                    logger.warning("%s asked to wait. Continuing in %d s.", SERVICE_NAME, seconds)
            else:
                self._throttle.taken()
            if reply.status not in _LATER or tries >= _TRIES:
                return reply
            self._sleep(0 if seconds else _BACKOFF_SECONDS * tries)

    def _wait_for_turn(self) -> None:
        while pause := self._throttle.admit(self._now()):
            if self._now() + pause > self._end:
                raise DevOpsError(429, errors.GAVE_UP)
            self._sleep(pause)
        if self._now() > self._end:
            raise DevOpsError(429, errors.GAVE_UP)


def connect_devops(cli_ctx: Any, organization: str) -> AzureDevOps:
    """Return a connection to an organization as the CLI's account, by default the one in use.

    :raises InvalidArgumentValueError: the CLI uses a cloud without Azure DevOps.
    :raises AuthenticationError: not signed in.
    """
    from azure.cli.core._profile import Profile

    from azext_acrscope.hops.entra import account_for_subscription

    if urlsplit(str(cli_ctx.cloud.endpoints.active_directory)).hostname != _AUTHORITY:
        raise errors.no_devops_in_cloud(cli_ctx.cloud.name)
    profile = Profile(cli_ctx=cli_ctx)
    service = ServiceEndpoint(
        SERVICE_NAME, ENDPOINT, AUDIENCE, _READ_SECONDS, _LARGEST_ANSWER, headers=_HEADERS, is_logged=False
    )
    pipeline = Pipeline(cli_ctx, service, profile, account_for_subscription(profile, cli_ctx, None), AT_ONCE)

    def send(url: str, query: dict[str, str]) -> Reply:
        try:
            return threads.run_with_deadline(lambda: pipeline.send("GET", url, query, patient=False), _REQUEST_SECONDS)
        except threads.DeadlineExceeded:
            raise DevOpsError(0, errors.TOO_SLOW) from None

    return AzureDevOps(organization, send)


def read_rows(reply: Reply) -> list[Row]:
    """Return the rows of an answer.

    :raises DevOpsError: it is none: another status than 200, a page for people, or less than it counts.
    """
    kind = str(reply.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    rows = find_value(reply.body, "value")
    if reply.status != 200:
        tenant = str(reply.headers.get("X-VSS-ResourceTenant") or "")
        named = tenant if is_guid(tenant) and set(tenant) - {"0", "-"} else ""
        raise DevOpsError(reply.status, safe_word(find_text(reply.body, "typeKey")), named)
    if kind != "application/json" or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DevOpsError(reply.status, errors.NOT_A_LIST)
    if (find_number(reply.body, "count") or 0) > len(rows):
        raise DevOpsError(reply.status, errors.NOT_WHOLE)
    return rows


def seconds_to_wait(headers: Any, now: float) -> float:
    """Return for how long an answer asks to send nothing, bounded; 0 if it does not.

    :param now: seconds since 1970, which X-RateLimit-Reset counts from.
    """
    if seconds := retry_after_seconds(headers.get("Retry-After"), _LONGEST_WAIT):
        return seconds
    left, reset = (str(headers.get(f"X-RateLimit-{name}") or "") for name in ("Remaining", "Reset"))
    if left.strip("0.") or not left or not re.fullmatch(r"\d{1,12}", reset, re.ASCII):
        return 0.0
    return max(0.0, min(int(reset) - now, _LONGEST_RESET))
