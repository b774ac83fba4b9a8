"""The wheel and the sdist, built twice: what is not the same both times is no release."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from release.errors import RefusedError
from release.source import Source


def build_packages(source: Source, workshop: Path) -> list[Path]:
    """Build the wheel and the sdist, and return their files.

    They are built from the commit in one folder, and again in another one, where the wheel is built from the sdist.

    :raises RefusedError: a build failed, or the two differ.
    """
    first = _build(source, workshop / "first", "--wheel", "--sdist")
    again = _build(source, workshop / "again in a folder with another name")
    if sums(first) != sums(again):
        told = "\n".join(f"{sum_}  {name}" for each in (first, again) for name, sum_ in sums(each).items())
        raise RefusedError(f"Two builds of {source.commit} differ, so nobody could check the release:\n{told}")
    return first


def sums(files: list[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def _build(source: Source, folder: Path, *kinds: str) -> list[Path]:
    code, out = source.unpack(folder / "code"), folder / "out"
    # Without isolation: setuptools is the one of requirements/release.txt, and its version stands in the wheel.
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(out), str(code)]
    done = subprocess.run(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(source.date)},
        umask=0o022,  # the modes of files stand in the wheel
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RefusedError(f"The build failed:\n{done.stdout}{done.stderr}")
    for sdist in out.glob("*.tar.gz"):
        sdist.write_bytes(without_traces(sdist.read_bytes(), source.date))
    return sorted(out.iterdir())


def without_traces(sdist: bytes, date: int) -> bytes:
    """Return an sdist with one date, no user, and its files in order: setuptools writes who built it, and when."""
    packed = io.BytesIO()
    # No file name, which gzip would take from the output, and no time.
    with (
        tarfile.open(fileobj=io.BytesIO(sdist), mode="r:gz") as old,
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            clean = tarfile.TarInfo(member.name)
            clean.type, clean.size, clean.mtime = member.type, member.size, date
            clean.mode = 0o755 if member.isdir() else 0o644
            new.addfile(clean, old.extractfile(member) if member.isfile() else None)
    return packed.getvalue()
