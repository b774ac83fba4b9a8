"""A headless Chromium that opens one file, driven over the Chrome DevTools protocol: what a reader of a report gets."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It asks nobody on the network for anything, whatever it would like to update or look up at its start.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0", "about:blank"),
)
_START_SECONDS, _ANSWER_SECONDS = 60, 60


def find() -> str:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(f"no browser ({', '.join(_NAMES)}) is there: run scripts/test, which installs one")
    return found


class Page:
    """A page of the browser.

    :ivar requests: addresses that it asked for.
    :ivar complaints: what it wrote to the console, and what its content security policy refused.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def open(self, file: Path) -> None:
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.send(f"{domain}.enable")
        self._loaded.clear()
        await self.send("Page.navigate", url=file.as_uri())
        await asyncio.wait_for(self._loaded.wait(), _ANSWER_SECONDS)

    async def send(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(self._waiting[number], _ANSWER_SECONDS)

    async def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; of a promise, what it comes to."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def media(self, scheme: str, media: str = "") -> None:
        """Be read in light or dark, on the screen or on paper (`print`)."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.send("Emulation.setEmulatedMedia", media=media, features=features)

    async def pdf(self) -> bytes:
        return base64.b64decode((await self.send("Page.printToPDF"))["data"])

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                waiting = self._waiting.pop(said["id"])
                if "error" in said:
                    waiting.set_exception(RuntimeError(str(said["error"])))
                else:
                    waiting.set_result(said["result"])
            elif said["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif said["method"] == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            elif said["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(said["params"]))


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """A browser with one page; both end with the context."""
    with tempfile.TemporaryDirectory(prefix="acrscope-browser-", ignore_cleanup_errors=True) as folder:
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            find(),
            f"--user-data-dir={folder}",
            *_OPTIONS,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            env=os.environ | {"TMPDIR": folder},  # killed, it would leave its socket
            start_new_session=True,  # so that its helpers can be ended with it
        )
        try:
            port = await asyncio.wait_for(_port(Path(folder) / "DevToolsActivePort", process), _START_SECONDS)
            async with aiohttp.ClientSession() as session:
                address = await asyncio.wait_for(_page(session, port), _START_SECONDS)
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _page(session: aiohttp.ClientSession, port: int) -> str:
    """The address of its page, which may open later than its port."""
    while True:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            for each in await answer.json():
                if each["type"] == "page":
                    return str(each["webSocketDebuggerUrl"])
        await asyncio.sleep(0.05)


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    """The browser writes down which port it has got."""
    while True:
        # The port and a path; one line alone may be half a number.
        if file.exists() and len(lines := file.read_text().splitlines()) > 1:
            return int(lines[0])
        assert process.returncode is None, f"the browser ended with {process.returncode}"
        await asyncio.sleep(0.05)
