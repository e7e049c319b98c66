#!/usr/bin/env python3
"""Refuses a document that names a file of this repository which is not there.

Looks at backticked words with a slash and an ending, and at relative links, in every *.md.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src/", "include/", "docs/", "tests/", "tools/", "examples/", "bench/", "cmake/")
TICKED = re.compile(r"`([\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
README_LINES = 150


def prose(text):
    """The text without fenced blocks."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text, flags=re.S | re.M)


def findings(path):
    name, text = path.relative_to(ROOT), prose(path.read_text())
    for match in TICKED.finditer(text):
        if match.group(1).startswith(FOLDERS) and not (ROOT / match.group(1)).exists():
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: no {match.group(1)}"
    for match in LINK.finditer(text):
        if not (path.parent / match.group(1)).exists():
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: link to {match.group(1)}, which is not there"
    if str(name) == "README.md" and path.read_text().count("\n") > README_LINES:
        yield f"{name}: more than {README_LINES} lines"


def main():
    paths = sorted(p for p in ROOT.rglob("*.md") if not any(part.startswith((".", "build")) for part in p.relative_to(ROOT).parts))
    found = [line for path in paths for line in findings(path)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
