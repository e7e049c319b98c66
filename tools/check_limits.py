#!/usr/bin/env python3
"""Refuses sources past the limits that keep one file one idea.

Lines of a header, a source, a function; parameters; nesting of blocks inside a function; columns.
Reads C++ with a small scanner: comments, literals and preprocessor lines are blanked, then braces
are followed.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER, SOURCE, FUNCTION, PARAMETERS, NESTING, COLUMNS = 300, 600, 70, 6, 4, 100

# (path, limit) or (path, limit, function): the reason.
EXEMPT = {}

CONTROL = {"if", "for", "while", "switch", "catch"}
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:\\\n|[^\n])*',
    re.S | re.M)


def blanked(text):
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def matching_open(text, close):
    """The index of the parenthesis that text[close] closes, or -1."""
    depth = 0
    for i in range(close, -1, -1):
        depth += {")": 1, "(": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return -1


def parameters(inside):
    """How many parameters a list has; commas inside <>, (), [], {} do not count."""
    if inside.strip() in ("", "void"):
        return 0
    depth = commas = 0
    for c in inside:
        depth += {"(": 1, "[": 1, "{": 1, "<": 1, ")": -1, "]": -1, "}": -1, ">": -1}.get(c, 0)
        commas += c == "," and depth == 0
    return commas + 1


TAIL = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|try|&&?)\s*)*(?:->\s*[\w:<>,&*\s]+)?$")


def kind_of_block(head):
    """What the text in front of a `{` opens: (kind, name, parameter count)."""
    head = head.strip()
    if re.search(r"(^|\s)(else|do|try)$", head):
        return "block", "", 0
    if re.match(r"(?:inline\s+|export\s+)?namespace\b|extern\b\s*$", head):
        return "scope", "", 0
    if re.match(r"(?:template\s*<.*>\s*)?(?:class|struct|union|enum)\b", head, re.S) and not TAIL.search(head):
        return "scope", "", 0
    tail = TAIL.search(head)
    if tail:
        opening = matching_open(head, tail.start())
        before = head[:opening].rstrip()
        word = re.search(r"([\w~:]+|operator\s*\S+|\])$", before)
        name = word.group() if word else ""
        if name in CONTROL or name == "constexpr":
            return "block", "", 0
        if name == "]":
            return "lambda", "lambda", parameters(head[opening + 1:tail.start()])
        return "function", name, parameters(head[opening + 1:tail.start()])
    if head.endswith("]") or re.search(r"\]\s*(?:mutable)?$", head):
        return "lambda", "lambda", 0
    if head == "" or head.endswith(":"):
        return "block", "", 0
    return "value", "", 0


def initializer_list_function(head):
    """A constructor's `: a_(x), b_{y}` in front of its body: (name, parameter count) or None."""
    match = re.search(r"([\w~:]+)\s*\(", head)
    if not match or not re.search(r"\)\s*(?:noexcept\s*)?:[^:]", head):
        return None
    depth, start = 0, match.end() - 1
    for i in range(start, len(head)):
        depth += {"(": 1, ")": -1}.get(head[i], 0)
        if depth == 0:
            return match.group(1), parameters(head[start + 1:i])
    return None


class Scan:
    """Follows the braces of one blanked source and reports what goes past a limit."""

    def __init__(self, text):
        self.text, self.stack, self.found = text, [], []

    def function_depth(self):
        return next((i for i, b in enumerate(self.stack) if b["kind"] == "function"), None)

    def open(self, at, head_start):
        head = self.text[head_start:at]
        kind, name, count = kind_of_block(head)
        inside = self.function_depth() is not None
        if not inside and kind in ("function", "value", "lambda"):
            made = initializer_list_function(head)
            if made:
                if head.rstrip()[-1:] not in ")}":
                    kind = "value"  # the braces of a member: `: a_{x}`
                else:
                    kind, (name, count) = "function", made
        if inside and kind in ("function", "scope"):
            kind = "block" if kind == "function" else "value"
        lead = len(head) - len(head.lstrip())
        self.stack.append({"kind": kind, "name": name, "count": count, "start": head_start + lead})
        if inside and kind in ("block", "lambda"):
            first = self.function_depth()
            level = sum(b["kind"] in ("block", "lambda") for b in self.stack[first + 1:])
            owner = self.stack[first]
            owner["nesting"] = max(owner.get("nesting", 0), level)
        return kind

    def close(self, at):
        if not self.stack:
            return "scope"
        block = self.stack.pop()
        if block["kind"] == "function":
            line = self.text.count("\n", 0, block["start"]) + 1
            lines = self.text.count("\n", block["start"], at) + 1
            for limit, value, top in (("function", lines, FUNCTION), ("parameters", block["count"], PARAMETERS),
                                      ("nesting", block.get("nesting", 0), NESTING)):
                if value > top:
                    self.found.append((line, limit, block["name"], value, top))
        return block["kind"]

    def run(self):
        head_start, round_depth = 0, 0
        saved = []
        for i, c in enumerate(self.text):
            if c == "(":
                round_depth += 1
            elif c == ")":
                round_depth = max(0, round_depth - 1)
            elif c == ";" and round_depth == 0:
                head_start = i + 1
            elif c == "{":
                kind = self.open(i, head_start)
                saved.append((round_depth, head_start))
                if kind != "value":
                    round_depth, head_start = 0, i + 1
            elif c == "}":
                kind = self.close(i)
                if saved:
                    depth, start = saved.pop()
                    round_depth = depth
                    head_start = start if kind in ("value", "lambda") else i + 1
        return self.found


def findings(path):
    name, text = str(path.relative_to(ROOT)), path.read_text()
    lines = text.split("\n")
    limit, top = ("header", HEADER) if path.suffix == ".h" else ("source", SOURCE)
    count = len(lines) - (lines[-1] == "")
    if count > top and (name, limit) not in EXEMPT:
        yield f"{name}: {count} lines, a {limit} has at most {top}"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and (name, "columns") not in EXEMPT and not re.search(r'https?://|R"', line):
            yield f"{name}:{number}: {len(line)} columns, at most {COLUMNS}"
    for line, kind, function, value, most in Scan(blanked(text)).run():
        if (name, kind, function) not in EXEMPT and not (kind == "function" and path.name.endswith("_test.cc")):
            yield f"{name}:{line}: {function}: {kind} {value}, at most {most}"


def main():
    paths = sorted(p for folder in ("include", "src", "tests") for p in (ROOT / folder).rglob("*")
                   if p.suffix in (".h", ".cc"))
    found = [line for path in paths for line in findings(path)]
    stale = [key for key in EXEMPT if not (ROOT / key[0]).exists()]
    found += [f"tools/check_limits.py: the exemption {key} names no file" for key in stale]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
