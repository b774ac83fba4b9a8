"""The entry for the index of the Azure CLI's extensions, and the rules that the index holds entries to.

Rules: scripts/ci/test_index.py and util.py of Azure/azure-cli-extensions.
"""

import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from release.errors import RefusedError
from release.source import Source

# Of azdev, with which the index's own checks and its publisher read a wheel.
_READ = (
    "import json, sys; from azdev.operations.extensions.util import get_ext_metadata; "
    "print(json.dumps(get_ext_metadata(*sys.argv[1:])))"
)
_WHEEL = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)-(?P<python>[^-]+)-none-any\.whl")
# A page of somebody's repository can change after the check, and the package index moves its files.
_REFUSED_HOSTS = ("https://raw.githubusercontent.com/", "https://pypi.python.org/")


def make_index(source: Source, wheel: Path, azdev: Path) -> dict[str, Any]:
    """Return an index that has this release alone; its entry is what a pull request adds to src/index.json.

    :param azdev: the Python that has azdev.
    :raises RefusedError: azdev cannot read the wheel, or the index would refuse the entry.
    """
    entry = {
        "downloadUrl": f"{source.home}/releases/download/{source.tag}/{wheel.name}",
        "filename": wheel.name,
        "sha256Digest": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "metadata": _read_metadata(wheel, azdev),
    }
    index = {"formatVersion": "1", "extensions": {"acrscope": [entry]}}
    if broken := broken_rules(index):
        raise RefusedError("The index of extensions would refuse the release: " + "; ".join(broken))
    return index


def _read_metadata(wheel: Path, azdev: Path) -> Any:
    with tempfile.TemporaryDirectory(prefix="acrscope-index-") as place:
        command = [str(azdev), "-c", _READ, place, str(wheel), "acrscope"]
        done = subprocess.run(command, env={"HOME": place}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"azdev cannot read {wheel}:\n{done.stderr}")
    return json.loads(done.stdout)


def broken_rules(index: dict[str, Any]) -> list[str]:
    """Return what the index's checks would say of an index, one sentence for each rule that is broken."""
    found = [] if index["formatVersion"] == "1" else ["formatVersion is not 1"]
    files = [entry["filename"] for entries in index["extensions"].values() for entry in entries]
    found += [f"{name} is there twice" for name in sorted(set(files)) if files.count(name) > 1]
    for name, entries in index["extensions"].items():
        found += [f"the name {name} has an underscore"] if "_" in name else []
        for entry in entries:
            found += [said for said, broken in _rules(name, entry) if broken]
    return found


def _rules(name: str, entry: dict[str, Any]) -> list[tuple[str, bool]]:
    metadata, url = entry["metadata"], entry["downloadUrl"]
    wheel = _WHEEL.fullmatch(entry["filename"])
    version = metadata.get("version", "")
    return [
        (f"the metadata's name is {metadata.get('name')}", metadata.get("name") != name),
        (f"{entry['filename']} is no wheel for every system", not wheel or "py3" not in wheel["python"]),
        (f"{entry['filename']} is not of version {version}", bool(wheel) and wheel["version"] != version),  # type: ignore[index]
        (f"{url} does not end with the file's name", url.rpartition("/")[2] != entry["filename"]),
        (
            f"{url} is at a place that the index refuses",
            url.startswith(_REFUSED_HOSTS) or not url.startswith("https://"),
        ),
        (f"{entry['sha256Digest']} is no SHA-256", not re.fullmatch(r"[0-9a-f]{64}", entry["sha256Digest"])),
        ("azext.minCliCoreVersion is missing", "azext.minCliCoreVersion" not in metadata),
        ("azext.isPreview is not what the version says", _is_preview(version) != bool(metadata.get("azext.isPreview"))),
    ]


def _is_preview(version: str) -> bool:
    return re.search(r"[a-z]", version) is not None
