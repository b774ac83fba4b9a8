"""Runs all cases, or those whose text holds each argument: `python -m tests.faults [WORD ...]`."""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.az import add_extension, build_wheel
from tests.faults.cases import all_cases, bench


def main(words: list[str]) -> int:
    part, parts = 0, 1
    if words and "/" in words[0]:  # 1/2: the first half
        part, parts = (int(each) for each in words.pop(0).split("/"))
        part -= 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        add_extension(build_wheel(folder / "wheel"), folder / "extensions", folder / "installer")
        with bench(folder, folder / "extensions") as made:
            for command, right in made.right.items():
                if right.code:
                    print(f"{command} ends with {right.code} without any fault: {right.stderr[-600:]}")
            cases = [
                each for each in all_cases(made.places) if all(word in f"{each[0]} {each[1].name}" for word in words)
            ]
            cases, began, bad = cases[part::parts], time.time(), Counter[str]()
            for place, wrong in cases:
                started = time.time()
                problems = made.run(place, wrong)
                if time.time() - started > 3:
                    print(f"{place} answered with {wrong.name!r}: {time.time() - started:.0f} s", flush=True)
                for problem in problems:
                    bad[problem] += 1
                    print(f"{place} answered with {wrong.name!r}: {problem}", flush=True)
            print(f"{len(cases)} cases in {time.time() - began:.0f} s, {sum(bad.values())} problems")
            for problem, number in bad.most_common():
                print(f"  {number} {problem}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
