"""The tiny image is a valid OCI layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.localcloud.scenarios.images import write_oci_layout


def test_every_blob_has_the_digest_it_is_named_after(tmp_path: Path) -> None:
    digest = write_oci_layout(tmp_path, "one")
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["manifests"][0]["digest"] == digest
    for blob in (tmp_path / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


def test_the_layer_holds_the_marker(tmp_path: Path) -> None:
    digest = write_oci_layout(tmp_path, "one")
    blobs = tmp_path / "blobs" / "sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_text())
    layer = (blobs / manifest["layers"][0]["digest"].removeprefix("sha256:")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        content = archive.extractfile("marker")
        assert content is not None
        assert content.read() == b"one"


def test_the_same_marker_makes_the_same_image(tmp_path: Path) -> None:
    assert write_oci_layout(tmp_path / "a", "one") == write_oci_layout(tmp_path / "b", "one")
    assert write_oci_layout(tmp_path / "a", "one") != write_oci_layout(tmp_path / "c", "two")
