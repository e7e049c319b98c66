#!/usr/bin/env python3
"""Long searches: unit and simulation tests over many seeds, the determinism gate by clang, fuzzers, kill loops.

    tools/soak.py [--build DIR] [--seeds N] [--fuzz-seconds N]

Simulation and generated cases read HEADRACE_SEEDS. Fuzzers run when build-fuzz has been built (make fuzz); what
they find stays in build-fuzz/findings. Closes with `N passed, N failed, N skipped`.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def report(name, code, text=""):
    print(f"{'ok   ' if code == 0 else 'FAIL '} soak.{name}\n{text[-3000:] if code else ''}".rstrip(), flush=True)
    return code == 0


def units(build, seeds):
    done = subprocess.run(["ctest", "--test-dir", str(build), "--output-on-failure", "--no-tests=ignore", "-E", "^sim$"],
                          env={**os.environ, "HEADRACE_SEEDS": str(seeds)}, capture_output=True, text=True)
    return report(f"units ({seeds} seeds)", done.returncode, done.stdout)


def simulation(build, seeds):
    """Shows how far it is: seeds done, simulated crashes."""
    process = subprocess.Popen([build / "tests" / "sim" / "sim_test"], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                               env={**os.environ, "HEADRACE_SEEDS": str(seeds)})
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("sim: "):
            print(line, end="", flush=True)
    return report(f"simulation ({seeds} seeds)", process.wait(), text)


def gate():
    """The determinism gate in a build by clang: the same hashes as g++'s, or None without clang."""
    if shutil.which("clang++-19") is None:
        return None
    for command in (["cmake", "--preset", "clang", "-G", "Ninja"], ["ninja", "-C", "build-clang", "gate_test"],
                    ["build-clang/tests/sim/gate_test"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            break
    return report("determinism gate, clang", done.returncode, done.stdout + done.stderr)


def kill_loops(build, rounds):
    runner = [sys.executable, "tests/e2e/run.py", "--binary", str(build / "headrace"), "run.killed", "serve.what"]
    for i in range(rounds):
        done = subprocess.run(runner, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            return report(f"kill loop {i}", done.returncode, done.stdout)
    return report(f"kill loops ({rounds})", 0)


def torture(build, minutes):
    """Its directory stays when something was found."""
    directory = Path(tempfile.mkdtemp(prefix="torture-", dir=build))
    done = subprocess.run([build / "headrace", "doctor", "--torture", directory, "--minutes", str(minutes)],
                          capture_output=True, text=True)
    if done.returncode == 0:
        directory.rmdir()
    return report(f"torture ({minutes} minutes)", done.returncode, done.stdout + done.stderr)


def fuzz(seconds):
    programs = sorted(p for p in (ROOT / "build-fuzz" / "tests" / "fuzz").glob("*_fuzz") if p.is_file())
    findings = ROOT / "build-fuzz" / "findings"
    for program in programs:
        corpus = ROOT / "build-fuzz" / "corpus" / program.name
        corpus.mkdir(parents=True, exist_ok=True)
        findings.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([program, f"-max_total_time={seconds}", "-max_len=65536", "-rss_limit_mb=2048",
                               f"-artifact_prefix={findings}/{program.name}-", corpus], capture_output=True, text=True)
        yield report(program.name, done.returncode, done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--fuzz-seconds", type=int, default=60)
    options = parser.parse_args()
    build = Path(options.build).resolve()
    results = [units(build, options.seeds), simulation(build, options.seeds),
               kill_loops(build, max(1, options.seeds // 20)), torture(build, max(0.1, options.seeds / 200))]
    same = gate()
    if same is None:
        print("skip  soak.determinism gate, clang: clang++-19 is not installed")
    else:
        results.append(same)
    fuzzed = list(fuzz(options.fuzz_seconds))
    if not fuzzed:
        print("skip  soak.fuzz: no fuzzers are built; `make fuzz` builds them with clang")
    results += fuzzed
    skipped = (same is None) + (not fuzzed)
    print(f"{sum(results)} passed, {results.count(False)} failed, {skipped} skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
