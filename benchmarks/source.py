"""Searching folders of code: against grep for the same words on the same tree in the same run."""

import random
import re
import resource
import statistics
import subprocess
import time
from pathlib import Path

from azext_acrscope.consumers.code.known_patterns import load_patterns
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.az import ROOT, Az

FILES, AVERAGE, FOLDERS, ROUNDS = 50_000, 6_000, 2_000, 3
SHARE = 0.02  # of the files that hold a word, as in repositories that deploy to Azure


def measure(work: Path, extensions: Path) -> str:
    """Markdown with what was measured."""
    words = sorted(load_patterns(load_knowledge()).words)
    tree = work / "source"
    size = make_tree(tree)
    az = Az(work / "source-home", extensions, {})
    floor = statistics.median(timed([str(az.program), "account", "list", "-o", "none"], az)[0] for _ in range(ROUNDS))
    grep = ["grep", "-rIliE", "|".join(re.escape(word) for word in words), str(tree)]
    search = [str(az.program), "acr", "scope", "consumers", "--source", str(tree), "-o", "none"]
    ours, theirs, peak = list[float](), list[float](), 0
    for _ in range(ROUNDS):
        seconds, peak = timed(search, az)
        ours.append(seconds - floor)
        theirs.append(timed(grep, az)[0])
    own, other = statistics.median(ours), statistics.median(theirs)
    return "\n".join(
        [
            *("", f"## Code: {FILES:,} files, {size >> 20} MiB, {len(words)} words", ""),
            *("| what | measured | goal |", "| --- | --- | --- |"),
            f"| consumers --source | {own:.2f} s over the floor, {FILES / own:,.0f} files a second; at most "
            f"{peak >> 10} MiB of memory in any command | under 250 MiB |",
            f"| `grep -rIliE` for the same words | {other:.2f} s: {own / other:.2f} times this | at most 3 times |",
            "",
        ]
    )


def make_tree(folder: Path) -> int:
    """Cut the project's own texts into files of other lengths, and return their size."""
    chance = random.Random(13)  # noqa: S311
    texts = [each.read_bytes() for each in sorted(ROOT.glob("tests/**/*.py")) if "acr" not in each.name]
    plain = re.sub(rb"(?i)acr|azure|login_?server|br:", b"abc", b"\n".join(texts))
    workflow = b"on: push\njobs:\n  a:\n    steps:\n      - run: az acr login --name contoso\n"
    total = 0
    for number in range(FILES):
        length = min(int(chance.expovariate(1 / AVERAGE)) + 100, 500_000)
        begin = chance.randrange(len(plain) - length)
        content = plain[begin : begin + length]
        place = folder / f"p{number % FOLDERS // 20}" / f"d{number % FOLDERS}"
        place.mkdir(parents=True, exist_ok=True)
        ending = chance.choice(["py", "md", "ts", "json", "txt"])
        if chance.random() < SHARE:
            content, ending = workflow + b"# " + content.replace(b"\n", b"\n# "), "yml"
        (place / f"f{number}.{ending}").write_bytes(content)
        total += len(content)
    return total


def timed(command: list[str], az: Az) -> tuple[float, int]:
    """Return seconds, and the most memory in KiB of any command so far."""
    started = time.perf_counter()
    subprocess.run(command, env=az.env, check=True, capture_output=True)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
