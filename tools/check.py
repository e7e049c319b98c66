#!/usr/bin/env python3
"""The static checks: format, layers, limits, docs, and clang-tidy when asked.

    tools/check.py [--build DIR] [--tidy [all]] [--fix-format]

Closes with `N passed, N failed, N skipped`. clang-tidy looks at the files that differ from the
commit before last push (HEAD~1 and the working tree), or at all with `--tidy all`.
"""
import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORMATTER, TIDY = "clang-format-19", "clang-tidy-19"


class Skip(Exception):
    """A check that cannot run here; says why."""


def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"], cwd=ROOT,
                            capture_output=True, text=True).stdout.split()
    if not listed:  # a source tree without its history
        listed = [str(p.relative_to(ROOT)) for d in ("include", "src", "tests") for p in (ROOT / d).rglob("*")
                  if p.suffix in (".h", ".cc")]
    return [name for name in listed if (ROOT / name).exists()]


def program(name):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed (apt-get install {name})")
    return name


def run(*command):
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def check_format():
    return run(program(FORMATTER), "--dry-run", "--Werror", "--style=file", *sources())


def check_layers():
    return run(sys.executable, "tools/check_layers.py")


def check_limits():
    return run(sys.executable, "tools/check_limits.py")


def check_docs():
    return run(sys.executable, "tools/check_docs.py")


def changed():
    names = set(sources())
    since = [run("git", "diff", "--name-only", base)[1].split() for base in ("HEAD~1", "HEAD")]
    return sorted(names & {name for part in since for name in part})


def check_tidy(build, everything):
    program(TIDY)
    if not (ROOT / build / "compile_commands.json").exists():
        raise Skip(f"no {build}/compile_commands.json: run make first")
    names = [n for n in (sources() if everything else changed()) if n.endswith(".cc") and n.startswith("src/")]
    failed = []
    for name in names:
        code, text = run(TIDY, "-p", build, "--quiet", name)
        if code:
            failed.append(text)
    return (1 if failed else 0), "\n".join(failed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--tidy", nargs="?", const="changed", choices=["changed", "all"])
    parser.add_argument("--fix-format", action="store_true")
    options = parser.parse_args()
    if options.fix_format:
        return run(program(FORMATTER), "-i", "--style=file", *sources())[0]
    checks = [("format", check_format), ("layers", check_layers), ("limits", check_limits), ("docs", check_docs)]
    if options.tidy:
        checks.append(("tidy", lambda: check_tidy(options.build, options.tidy == "all")))
    passed = failed = skipped = 0
    for name, check in checks:
        try:
            code, text = check()
        except Skip as reason:
            skipped += 1
            print(f"skip  check.{name}: {reason}", flush=True)
            continue
        passed, failed = passed + (code == 0), failed + (code != 0)
        print(f"ok    check.{name}" if code == 0 else f"FAIL  check.{name}\n{text[-6000:]}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
