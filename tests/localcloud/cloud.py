"""LocalCloud: starts the local Azure in a thread, and gives a test everything it needs to use and to watch it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.localcloud.base.messages import Request
from tests.localcloud.entra import managed_identity
from tests.localcloud.network.faults import Faults
from tests.localcloud.network.hostile_hosts import Hostile
from tests.localcloud.network.journal import Journal
from tests.localcloud.network.rounds import Rounds
from tests.localcloud.network.servers import Servers, State
from tests.localcloud.registry.backend import find_program
from tests.localcloud.world.identities import ServicePrincipal
from tests.localcloud.world.world import World


class LocalCloud:
    """A local Azure on 127.0.0.1.

    delay: seconds added to every https answer. backend: whether registries marked backend=True get a real
    docker-registry process. port: that of the proxy; 0 takes a free one.
    """

    def __init__(self, delay: float = 0.0, backend: bool = True, port: int = 0) -> None:
        if backend:
            find_program()
        self.world = World()
        self.faults = Faults()
        self.directory = Path(tempfile.mkdtemp(prefix="localcloud-"))
        self._journal = Journal()
        self._state = State(self.world, self.faults, self._journal, self.directory, delay, backend)
        self._servers = Servers(self._state)
        self._wanted_port = port
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="localcloud", daemon=True)

    # Life

    def start(self) -> LocalCloud:
        (self.directory / "no-certificates").mkdir()
        self._servers.certificates.write_authority(self.ca_file)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure
        return self

    def stop(self) -> None:
        """Ends every connection and process and removes the directory. Stopping twice does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> LocalCloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._port = self._loop.run_until_complete(self._servers.start(self._wanted_port))
        except BaseException as error:
            self._failure = error
            self._started.set()
            return
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._servers.stop())
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    # Ways in

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def env(self) -> dict[str, str]:
        """For a child process: everything through the proxy, and no authority trusted but this cloud's.

        Plain http goes through it too, so that nothing reaches a real metadata service.
        """
        proxied = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
        trusted = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        return {
            **dict.fromkeys(proxied, self.proxy_url),
            **dict.fromkeys(trusted, str(self.ca_file)),
            "SSL_CERT_DIR": str(self.directory / "no-certificates"),
            "NO_PROXY": "",
            "no_proxy": "",
        }

    @property
    def managed_identity_env(self) -> dict[str, str]:
        """Managed identity as on a virtual machine (IMDS)."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.proxy_url}

    @property
    def app_service_env(self) -> dict[str, str]:
        """Managed identity as in App Service and Functions."""
        return {
            "IDENTITY_ENDPOINT": self.proxy_url + managed_identity.APP_SERVICE_PATH,
            "IDENTITY_HEADER": self._servers.identity_header,
        }

    def workload_identity_env(self, principal: ServicePrincipal, lifetime: float = 3600) -> dict[str, str]:
        """Workload identity as in a pod: a token file and who it is for."""
        path = self.world.write_token_file(self.directory / f"token-{principal.app_id}", principal, lifetime)
        return {
            "AZURE_FEDERATED_TOKEN_FILE": str(path),
            "AZURE_CLIENT_ID": principal.app_id,
            "AZURE_TENANT_ID": principal.tenant_id,
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
        }

    def github_actions_env(self, principal: ServicePrincipal) -> dict[str, str]:
        """A job of GitHub Actions with `permissions: id-token: write`, of a repository that the principal trusts."""
        job = self._servers.jobs.start_github_job(principal)
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{job.host}{job.path}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": job.request_token,
            "AZURE_CLIENT_ID": principal.app_id,
            "AZURE_TENANT_ID": principal.tenant_id,
        }

    def azure_pipelines_env(self, principal: ServicePrincipal) -> dict[str, str]:
        """A step of the task AzureCLI@2 whose service connection stands for the principal."""
        job = self._servers.jobs.start_devops_job(principal)
        return {
            "SYSTEM_OIDCREQUESTURI": f"https://{job.host}{job.path}",
            "SYSTEM_ACCESSTOKEN": job.request_token,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": job.service_connection,
            "AZURESUBSCRIPTION_CLIENT_ID": principal.app_id,
            "AZURESUBSCRIPTION_TENANT_ID": principal.tenant_id,
        }

    # What a test drives and watches

    @property
    def delay(self) -> float:
        return self._state.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._state.delay = seconds

    @contextmanager
    def in_rounds(self) -> Iterator[Rounds]:
        """Answers https requests in rounds meanwhile; their number is that of the answers waited for in a row."""
        self._state.rounds = Rounds()
        try:
            yield self._state.rounds
        finally:
            self._state.rounds = None

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first; without those to the control endpoints."""
        return self._journal.requests

    def requests_to(self, host: str) -> list[Request]:
        """The requests to the hosts that a glob names."""
        return self._journal.to(host)

    def clear_requests(self) -> None:
        self._journal.clear()

    @property
    def refused_hosts(self) -> list[str]:
        """Names that are not of this cloud and that somebody tried to reach."""
        return list(self._state.refused_hosts)

    @property
    def unresolved_hosts(self) -> list[str]:
        """Names under azurecr.io that somebody tried to reach although no such registry exists."""
        return list(self._state.unresolved_hosts)

    @property
    def secrets(self) -> set[str]:
        """Every secret ever issued or held: tokens of all kinds, client secrets, passwords, assertions."""
        return set(self.world.secrets)

    def hostile(self, name: str) -> Hostile:
        """Adds a host that keeps what it is sent and answers what the test says."""
        return self._state.hostile.setdefault(name.lower(), Hostile(name.lower()))

    def default_account(self, name: str = "operator") -> ServicePrincipal:
        """A service principal that may manage, pull and push everything in the first subscription."""
        principal = self.world.add_service_principal(name)
        scope = self.world.subscriptions[0].scope
        self.world.grant(principal, scope, "Contributor")
        self.world.grant(principal, scope, "AcrPush")
        return principal
