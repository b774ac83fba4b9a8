"""Searching folders of code: against grep for the same words on the same tree in the same run."""

import json
import random
import re
import statistics
import subprocess
import sys
import sysconfig
from pathlib import Path

from azext_acrscope.consumers.code.formats import READERS
from tests.az import Az

FILES, AVERAGE, FOLDERS, ROUNDS = 50_000, 6_000, 2_000, 3
# In a small process, because until a new one has its own program, it has the memory of the one that starts it.
_MEASURE = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
SHARE = 0.02  # of the files that hold a word, as in repositories that deploy to Azure


def measure(work: Path, extensions: Path) -> str:
    """Markdown with what was measured."""
    words = sorted({word for reader in READERS for word in reader.WORDS})
    tree = work / "source"
    size = make_tree(tree)
    az = Az(work / "source-home", extensions, {})
    empty = [timed([str(az.program), "account", "list", "-o", "none"], az) for _ in range(ROUNDS)]
    floor = statistics.median(each[0] for each in empty), statistics.median(each[1] for each in empty)
    grep = ["grep", "-rIliE", "|".join(re.escape(word) for word in words), str(tree)]
    search = [str(az.program), "acr", "scope", "consumers", "--source", str(tree), "-o", "none"]
    ours, theirs, peak = list[tuple[float, float]](), list[tuple[float, float]](), 0
    for _ in range(ROUNDS):
        seconds, cpu_seconds, memory = timed(search, az)
        ours.append((seconds - floor[0], cpu_seconds - floor[1]))
        peak = max(peak, memory)
        theirs.append(timed(grep, az)[:2])
    (own, own_cpu), (other, other_cpu) = (map(statistics.median, zip(*each, strict=True)) for each in (ours, theirs))
    return "\n".join(
        [
            *("", f"## Code: {FILES:,} files, {size >> 20} MiB, {len(words)} words", ""),
            *("| what | measured | goal |", "| --- | --- | --- |"),
            f"| consumers --source | {own:.2f} s over the floor, {FILES / own:,.0f} files a second; at most "
            f"{peak >> 10} MiB of memory | under 250 MiB |",
            f"| `grep -rIliE` for the same words | {other:.2f} s: {own / other:.2f} times this, "
            f"{own_cpu / other_cpu:.2f} times its CPU time | at most 3 times |",
            "",
        ]
    )


def make_tree(folder: Path) -> int:
    """Cut the texts of Python's standard library into files of other lengths, and return their size.

    Python's, because this project's own hold a word of the readers in most files.
    """
    chance = random.Random(13)  # noqa: S311
    library = Path(sysconfig.get_paths()["stdlib"])
    files = (each for each in sorted(library.rglob("*.py")) if "site-packages" not in each.parts)
    plain = b"\n".join(each.read_bytes() for each in files)
    workflow = b"on: push\njobs:\n  a:\n    steps:\n      - run: az acr login --name contoso\n"
    total = 0
    for number in range(FILES):
        length = min(int(chance.expovariate(1 / AVERAGE)) + 100, 500_000)
        begin = chance.randrange(len(plain) - length)
        content = plain[begin : begin + length]
        place = folder / f"p{number % FOLDERS // 20}" / f"d{number % FOLDERS}"
        place.mkdir(parents=True, exist_ok=True)
        ending = chance.choice(["py", "md", "ts", "json", "go", "yaml"])
        if chance.random() < SHARE:
            content, ending = workflow + b"# " + content.replace(b"\n", b"\n# "), "yml"
        (place / f"f{number}.{ending}").write_bytes(content)
        total += len(content)
    return total


def timed(command: list[str], az: Az) -> tuple[float, float, int]:
    """Return seconds, seconds of CPU time, and the most memory in KiB of a command."""
    measured = subprocess.run([sys.executable, "-c", _MEASURE, *command], env=az.env, check=True, capture_output=True)
    seconds, cpu_seconds, memory = json.loads(measured.stdout)
    return seconds, cpu_seconds, memory
