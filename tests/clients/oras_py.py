"""Pushes or pulls a small artifact with oras-py: `oras_py.py push|pull SERVER FOLDER`, run by .venvs/clients.

oras-py finds ~/.docker/config.json by itself and does not know DOCKER_CONFIG, so it is told that file.
"""

import os
import sys
from pathlib import Path

import oras.auth.utils
import oras.client


def main(action: str, server: str, folder: str) -> None:
    client = oras.client.OrasClient()
    target = f"{server}/oras/hello:v1"
    chosen = os.environ.get("DOCKER_CONFIG")
    client.auth.load_configs(client.get_container(target), configs=[f"{chosen}/config.json"] if chosen else None)
    # oras-py keeps the token of its first request, a HEAD, which is for pulling; so the token comes before that.
    asked = {"realm": f"https://{server}/oauth2/token", "service": server, "scope": "repository:oras/hello:pull,push"}
    client.auth.token = client.auth.request_token(oras.auth.utils.authHeader(asked))
    if not client.auth.token:
        sys.exit("unauthorized: oras-py got no token with the credential that it found")
    if action == "push":
        os.chdir(folder)
        Path("hello.txt").write_text("hello")
        client.push(target=target, files=["hello.txt"])
    else:
        (found,) = client.pull(target=target, outdir=str(Path(folder, "pulled")))
        assert Path(found).read_text() == "hello"


if __name__ == "__main__":
    main(*sys.argv[1:])
