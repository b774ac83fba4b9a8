"""The software bill of materials: what `az extension add` installs on the day of the release, as CycloneDX."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from release.errors import RefusedError
from release.source import Source


def write_sbom(source: Source, bundle: Path, file: Path) -> Path:
    """Write the bill of what a folder of wheels installs, and return its file. cyclonedx-py checks it by the schema.

    :param bundle: a folder with the wheels for the Python and the system that run this.
    :raises RefusedError: a program failed.
    """
    with tempfile.TemporaryDirectory(prefix="acrscope-sbom-") as place:
        _run(sys.executable, "-m", "venv", "--without-pip", place)
        # By its name and not by its file, whose path on this machine would stand in the bill.
        offline = ["--no-index", "--find-links", str(bundle), f"acrscope=={source.version}"]
        _run(
            sys.executable,
            "-m",
            "pip",
            "--python",
            place,
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *offline,
        )
        options = ["--output-reproducible", "--validate", "--output-format", "JSON", "--output-file", str(file)]
        project = ["--pyproject", str(source.root / "pyproject.toml"), "--mc-type", "application"]
        _run(sys.executable, "-m", "cyclonedx_py", "environment", *options, *project, place, date=source.date)
    return file


def _run(*command: str, date: int = 0) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(date)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"The bill of materials could not be made: {' '.join(command)}\n{done.stdout}{done.stderr}")
