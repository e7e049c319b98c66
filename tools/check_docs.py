#!/usr/bin/env python3
"""Refuses documents that do not tell what is there.

- Files of this repository that a *.md names (backticked words with a folder, relative links) exist.
- Names in a table row of ARCHITECTURE.md stand in the file that the row names; its modules and layers are
  those of the CMakeLists.txt.
- docs/errors.md lists every error code of src/ and no other.
- docs/operations.md lists every metric of src/ and no other.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src/", "include/", "docs/", "tests/", "tools/", "examples/", "bench/", "cmake/")
TICKED = re.compile(r"`([\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
README_LINES = 150
CODE = re.compile(r"HR\d{4}")
METRIC = re.compile(r"\b(?:headrace|process)_[a-z]+_[a-z_]+\b")
LISTED = re.compile(r"^\| (HR\d{4}) \|", re.M)


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


def symbol_findings():
    for row in re.findall(r"^\|.*\|$", (ROOT / "ARCHITECTURE.md").read_text(), re.M):
        path = re.search(r"`(src/[\w./]+\.(?:cc|h))`", row)
        if path is None or not (ROOT / path.group(1)).exists():
            continue
        text = (ROOT / path.group(1)).read_text()
        for name in re.findall(r"`([A-Z]\w+)`", row):
            if not re.search(rf"\b{name}\(", text):
                yield f"ARCHITECTURE.md: no {name} in {path.group(1)}"


def module_findings():
    told = set(re.findall(r"^\| (\d) \| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.M))
    made = {re.search(r"headrace_module\((\w+) LAYER (\d)", path.read_text()).groups()[::-1]
            for path in ROOT.glob("src/*/CMakeLists.txt")}
    for layer, name in sorted(told ^ made):
        yield f"ARCHITECTURE.md: module {name} of layer {layer} is {'not listed' if (layer, name) in made else 'not so'}"


def sources():
    """(path, text without comments) of everything in src/ that is no test."""
    for path in sorted((ROOT / "src").rglob("*.cc")) + sorted((ROOT / "src").rglob("*.h")):
        if not re.search(r"(_test|_testing|_for_test)\.|test_", path.name):
            yield path.relative_to(ROOT), re.sub(r"//[^\n]*", "", path.read_text())


def metric_findings():
    listed = set(METRIC.findall((ROOT / "docs" / "operations.md").read_text()))
    given = {name for _, text in sources() for name in re.findall(r'Get(?:Counter|Gauge|Histogram)\(\s*"(\w+)"', text)}
    for name in sorted(listed ^ given):
        yield f"docs/operations.md: {name} is {'not listed' if name in given else 'no metric of src/'}"


def code_findings():
    used, listed = {}, LISTED.findall((ROOT / "docs" / "errors.md").read_text())
    for path, text in sources():
        for match in CODE.finditer(text):
            used.setdefault(match.group(), path)
    for code in sorted(used.keys() - set(listed)):
        yield f"docs/errors.md: no {code}, which {used[code]} gives"
    for code in listed:
        if code not in used or listed.count(code) > 1:
            yield f"docs/errors.md: {code} is given nowhere, or listed twice"


def main():
    paths = sorted(p for p in ROOT.rglob("*.md") if not any(part.startswith((".", "build")) for part in p.relative_to(ROOT).parts))
    found = [line for path in paths for line in findings(path)] + [*symbol_findings(), *module_findings(), *code_findings(), *metric_findings()]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
