"""Make the release of the commit that is checked out, in dist/: `make release`.

The wheel and the sdist, built twice; the offline bundles; the bill of materials; the entry for the index of
extensions; the notes; and SHA256SUMS of all of them.
"""

import argparse
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from release.bundles import SYSTEMS, System, make_bundle, this_system
from release.errors import RefusedError
from release.index import make_index
from release.notes import to_markdown
from release.packages import build_packages, sums
from release.sbom import write_sbom
from release.source import Source, find_source

ROOT = Path(__file__).parent.parent


def make_release(source: Source, dist: Path, own: System, systems: Sequence[System]) -> list[Path]:
    """Make a release in a folder, which is emptied before, and return its files.

    :param own: the system that this runs on, of whose bundle the bill of materials is made.
    """
    with tempfile.TemporaryDirectory(prefix="acrscope-release-") as place:
        workshop = Path(place)
        built = build_packages(source, workshop)
        shutil.rmtree(dist, ignore_errors=True)
        dist.mkdir()
        for file in built:
            shutil.copy(file, dist)
        wheel = next(dist.glob("*.whl"))
        bundles = {system: make_bundle(source, system, wheel, dist) for system in systems}
        with zipfile.ZipFile(bundles[own]) as archive:
            archive.extractall(workshop)
        write_sbom(source, workshop / bundles[own].stem, dist / f"acrscope-{source.version}.cdx.json")
    index = make_index(source, wheel, ROOT / ".venvs/azdev/bin/python")
    (dist / "index.json").write_text(json.dumps(index, indent=4) + "\n", encoding="utf-8")
    (dist / "release-notes.md").write_text(to_markdown(source.entry), encoding="utf-8")
    lines = [f"{sum_}  {name}\n" for name, sum_ in sums(list(dist.iterdir())).items()]
    (dist / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    return sorted(dist.iterdir())


def main() -> int:
    """Make the release; the exit code is 1 where there is a reason not to."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("--tag", default="", help="the tag that the release is for; refused if it is not the version's")
    parser.add_argument(
        "--this-system", action="store_true", help="make the offline bundle of this system alone: to try"
    )
    arguments = parser.parse_args()
    try:
        source = find_source(ROOT, arguments.tag)
        own = this_system()
        for file in make_release(source, ROOT / "dist", own, [own] if arguments.this_system else SYSTEMS):
            print(f"{file.stat().st_size:>10} {file.relative_to(ROOT)}")
    except RefusedError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
