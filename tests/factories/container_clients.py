"""Where `az acr scope login` puts a credential, and the clients that use it from there."""

import stat
from pathlib import Path

from tests.az import Az

KEEPER = """
case "$1" in
  store) /bin/cat > "$HOME/kept";;
  get) /bin/cat > /dev/null; if [ -f "$HOME/kept" ]; then /bin/cat "$HOME/kept"; else
    echo "credentials not found in native keychain"; exit 1; fi;;
  erase) /bin/cat > /dev/null; /bin/rm "$HOME/kept";;
  list) /bin/cat > /dev/null; echo "{}";;
esac
"""

USERNAME = "00000000-0000-0000-0000-000000000000"


# --- the container client ---


def fake_client(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def only_path(az: Az, *folders: Path) -> str:
    """A PATH with these folders and what `az` itself needs, but no container client."""
    return ":".join([str(folder) for folder in folders] + [str(az.program.parent)])


RECORD = (
    'printf "%s\\n" "$@" > "$HOME/argv"; cat > "$HOME/stdin"; echo "Login Succeeded"; echo "stored in plain text" >&2'
)
