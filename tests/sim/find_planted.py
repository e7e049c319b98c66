#!/usr/bin/env python3
"""Whether the simulator finds each planted bug within the seeds that planted/NAME.bug allows.

    tests/sim/find_planted.py DIRECTORY [NAME…]

DIRECTORY has the simulators, planted_NAME. Prints the seed that found each; closes with `N passed, N failed, N skipped`.
"""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from plant import read

HERE = Path(__file__).resolve().parent
HANGS_SECONDS = 300  # a search takes a few


def find(directory, bug):
    """(found, line for people)"""
    sentence, _, seeds, _ = read(bug)
    try:
        done = subprocess.run([directory / f"planted_{bug.stem}", "--gtest_filter=Mixed.*"], capture_output=True, text=True,
                              errors="replace", timeout=HANGS_SECONDS,
                              env={**os.environ, "HEADRACE_SEEDS": str(seeds), "HEADRACE_SHRINK": "0"})
    except subprocess.TimeoutExpired:
        return False, f"FAIL  {bug.stem}: hangs: {sentence}"
    seed = re.search(r"reproduce with HEADRACE_SEED=(\d+)", done.stdout)
    if done.returncode == 0 or not seed:
        return False, f"FAIL  {bug.stem}: not found in {seeds} seeds: {sentence}"
    how = re.search(r"^(HR\d{4}.*|.*HR_CHECK.*|.*: line \d+|second opinion.*)$", done.stdout + done.stderr, re.M)
    return True, (f"ok    {bug.stem}: seed {seed.group(1)} of {seeds}: {sentence}\n"
                  f"      told as: {how.group(1)[:160] if how else 'an abort'}")


def main():
    directory = Path(sys.argv[1]).resolve()
    bugs = sorted(p for p in (HERE / "planted").glob("*.bug") if not sys.argv[2:] or p.stem in sys.argv[2:])
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda bug: find(directory, bug), bugs))
    for _, line in results:
        print(line)
    found = sum(1 for good, _ in results if good)
    print(f"{found} passed, {len(results) - found} failed, 0 skipped")
    return 0 if found == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
