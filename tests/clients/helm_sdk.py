"""Pushes or pulls a chart with Helm's registry client: `helm_sdk.py push|pull SERVER FOLDER`, run by .venvs/clients.

helm-python-sdk carries Helm as a shared library in Go: the proxy, the authorities and the credentials are Go's to find.
"""

import sys
from pathlib import Path

import helm_python


def main(action: str, server: str, folder: str) -> None:
    with helm_python.RegistryClient() as client:
        if action == "push":
            client.push(str(Path(folder, "tiny-0.1.0.tgz")), f"oci://{server}/helm-sdk")
        else:
            client.pull(f"oci://{server}/helm-sdk/tiny", version="0.1.0", destination=folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
