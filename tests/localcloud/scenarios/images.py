"""A tiny but valid container image on disk, for tests that push and pull."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any


def write_oci_layout(directory: Path | str, marker: str) -> str:
    """Writes an OCI image layout with one layer, in which /marker holds the text; gives the manifest's digest.

    The same marker gives the same digest. Copy it with `skopeo copy oci:<directory>:latest docker://…`.
    """
    root = Path(directory)
    (root / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    plain = _layer(marker)
    layer = _blob(root, gzip.compress(plain, mtime=0))
    config = _blob(root, _json(_config(plain)))
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **layer}],
    }
    described = _blob(root, _json(manifest))
    entry = {
        "mediaType": manifest["mediaType"],
        **described,
        "annotations": {"org.opencontainers.image.ref.name": "latest"},
    }
    (root / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [entry]}))
    (root / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return str(described["digest"])


def _layer(marker: str) -> bytes:
    content = marker.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("marker")
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _config(plain_layer: bytes) -> dict[str, Any]:
    return {
        "created": "1970-01-01T00:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(plain_layer)]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "tests"}],
    }


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _blob(root: Path, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (root / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_bytes(content)
    return {"digest": digest, "size": len(content)}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


if __name__ == "__main__":
    write_oci_layout(*sys.argv[1:])
