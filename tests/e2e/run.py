#!/usr/bin/env python3
"""End-to-end checks against the built program. Python standard library only.

    tests/e2e/run.py --binary build/headrace [NAME…]

Every function `check_*` of the files check_*.py beside this one is a check: it takes a Program, and
may raise Skip. Closes with `N passed, N failed, N skipped`.
"""
import argparse
import importlib.util
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from program import Program, Skip  # noqa: E402


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(f"{path.stem[6:]}.{name[6:]}", getattr(module, name)) for name in vars(module)
            if name.startswith("check_")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/headrace")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    binary = Path(options.binary).resolve()
    checks = [check for path in sorted(HERE.glob("check_*.py")) for check in load(path)]
    checks = [c for c in checks if not options.names or any(c[0].startswith(n) for n in options.names)]
    passed = failed = skipped = 0
    for name, check in checks:
        start = time.monotonic()
        try:
            if not binary.exists():
                raise AssertionError(f"no program at {binary}: run make first")
            check(Program(binary))
            passed += 1
            print(f"ok    e2e.{name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skip  e2e.{name}: {reason}", flush=True)
        except Exception as error:  # every failure is reported, the others still run
            failed += 1
            trace = "" if isinstance(error, AssertionError) else traceback.format_exc(limit=-2)
            print(f"FAIL  e2e.{name}: {type(error).__name__}: {str(error)[:2000]} {trace}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
