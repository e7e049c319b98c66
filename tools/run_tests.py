#!/usr/bin/env python3
"""Every test and static check, and one closing line `N passed, N failed, N skipped`.

    tools/run_tests.py [--build DIR] [--part unit|check|e2e]…

Parts: `check` (tools/check.py), `unit` (everything ctest knows: units, golden scripts, simulation),
`e2e` (tests/e2e/run.py against the built program). Exit 1 when anything failed.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


class Count:
    """What passed, failed, was skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_gtest(path):
    """The counts of one GoogleTest report; names what was skipped and what failed."""
    count = Count()
    for suite in json.loads(path.read_text()).get("testsuites", []):
        for test in suite.get("testsuite", []):
            name = f"{suite['name']}.{test['name']}"
            if test.get("failures"):
                count.failed += 1
                print(f"FAIL  {name}", flush=True)
            elif test.get("result") == "SKIPPED":
                count.skipped += 1
                why = " ".join(s.get("message", "") for s in test.get("skipped", [])).split("\n")[-1]
                print(f"skip  {name} {why}", flush=True)
            elif test.get("result") == "COMPLETED":
                count.passed += 1
    return count


def unit(build):
    reports = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    junit = reports / "ctest.xml"
    jobs = str(os.cpu_count() or 1)
    done = subprocess.run(["ctest", "--test-dir", str(build), "-j", jobs, "--output-on-failure", "--timeout", "900",
                           "--test-output-size-passed", "65536", "--output-junit", str(junit)],
                          env={**os.environ, "GTEST_OUTPUT": f"json:{reports}/"}, cwd=ROOT)
    count = Count()
    if not junit.exists():
        print("FAIL  ctest gave no report", flush=True)
        return Count(failed=1)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        failed = case.get("status") == "fail"
        report = reports / f"{case.get('name')}_test.json"
        mine = of_gtest(report) if report.exists() else Count()
        closing = CLOSING.findall(case.findtext("system-out") or "")
        if not report.exists() and closing:  # a runner of our own that counts
            mine = Count(*map(int, closing[-1]))
        elif not report.exists():
            skipped = case.get("status") in ("notrun", "disabled")
            mine = Count(int(not failed and not skipped), int(failed), int(skipped))
        if failed and mine.failed == 0:  # it crashed before its report
            mine.failed = 1
        print(f"{'FAIL ' if mine.failed else 'ok   '} {case.get('name')}: {mine}", flush=True)
        count += mine
    if done.returncode and count.failed == 0:
        count.failed = 1
    shutil.rmtree(reports, ignore_errors=True)
    return count


def script(*command):
    """Runs a script that closes with the counting line; adds what it counted."""
    process = subprocess.Popen([sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line.strip() or last
    code = process.wait()
    match = CLOSING.match(last)
    count = Count(*map(int, match.groups())) if match else Count(failed=1)
    if code and not count.failed:
        count.failed = 1
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--part", action="append", choices=["check", "unit", "e2e"])
    options = parser.parse_args()
    build = Path(options.build).resolve()
    parts = {"check": lambda: script("tools/check.py", "--build", build), "unit": lambda: unit(build),
             "e2e": lambda: script("tests/e2e/run.py", "--binary", build / "headrace")}
    total = Count()
    for name in options.part or parts:
        print(f"---- {name}", flush=True)
        total += parts[name]()
    print("----")
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
