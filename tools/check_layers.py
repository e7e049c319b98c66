#!/usr/bin/env python3
"""Refuses an #include that the module's headrace_module() call does not cover."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALL = re.compile(r"headrace_module\(\s*(\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
WORDS = {"LAYER", "HEADERS", "SOURCES", "DEPS", "EXTERNAL", "TESTS"}


class Module:
    """One folder of src/, as its CMakeLists.txt declares it."""

    def __init__(self, folder):
        text = re.sub(r"#[^\n]*", "", (folder / "CMakeLists.txt").read_text())
        call = CALL.search(text)
        self.folder, self.name = folder, folder.name
        # A folder that only makes the program may use every module.
        self.is_program = call is None
        lists, current = {word: [] for word in WORDS}, None
        for word in (call.group(2).split() if call else []):
            if word in WORDS:
                current = lists[word]
            elif current is not None:
                current.append(word)
        self.headers, self.deps = set(lists["HEADERS"]), set(lists["DEPS"])


def findings(module, modules):
    files = sorted(p for p in module.folder.rglob("*") if p.suffix in (".h", ".cc"))
    for path in files:
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            where = f"{path.relative_to(ROOT)}:{line}"
            owner, _, header = match.group(1).partition("/")
            if owner in ("headrace", module.name) and header:
                continue
            if owner not in modules:
                yield f'{where}: "{match.group(1)}" does not start at a module'
            elif not module.is_program and owner not in module.deps:
                known = ", ".join(sorted(module.deps))
                yield f"{where}: {module.name} does not declare {owner} in DEPS ({known})"
            elif header not in modules[owner].headers:
                yield f"{where}: {owner}/{header} is private to {owner} (not in its HEADERS)"


def main():
    folders = [p.parent for p in sorted(ROOT.glob("src/*/CMakeLists.txt"))]
    modules = {folder.name: Module(folder) for folder in folders}
    found = [line for module in modules.values() for line in findings(module, modules)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
