"""Pushes or pulls an image with docker-py: `docker_py.py push|pull SERVER`, run by .venvs/clients.

It reads docker's configuration itself and sends the credential along to the engine that DOCKER_HOST names.
"""

import sys
from collections.abc import Iterable
from typing import Any

import docker


def main(action: str, server: str) -> None:
    engine = docker.from_env()
    _follow(engine.api.pull(f"{server}/app", tag="v1", stream=True, decode=True))
    if action == "push":
        engine.images.get(f"{server}/app:v1").tag(f"{server}/docker-py", "v1")
        _follow(engine.images.push(f"{server}/docker-py", tag="v1", stream=True, decode=True))


def _follow(lines: Iterable[dict[str, Any]]) -> None:
    """An engine tells of a failure at the end, after a status of 200."""
    for line in lines:
        if "error" in line:
            sys.exit(str(line["error"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
