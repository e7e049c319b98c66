#!/usr/bin/env python3
"""Writes a source file with a bug in it: planted/NAME.bug says which lines become which.

    tests/sim/plant.py BUG ROOT OUTPUT

A .bug file: a sentence, `file PATH`, `seeds N` (within so many the simulator must find it), then pieces of the file
between <<<< and ====, and what stands there instead until >>>>. Each piece must be there once: who changes such lines
sees to the bug, too. Nothing of it is in the sources or in a program that is shipped.
"""
import re
import sys
from pathlib import Path

PIECE = re.compile(r"^<<<<\n(.*?\n)====\n(.*?)>>>>$", re.M | re.S)


def read(path):
    """(sentence, file, seeds, pieces)"""
    text = Path(path).read_text()
    file = re.search(r"^file (.+)$", text, re.M).group(1)
    seeds = int(re.search(r"^seeds (\d+)$", text, re.M).group(1))
    return text.split("\n", 1)[0], file, seeds, PIECE.findall(text)


def main():
    bug, root, output = sys.argv[1:]
    _, file, _, pieces = read(bug)
    source = Path(root, file).read_text() + "\n"
    for before, after in pieces:
        # The last line of a piece may end within one of the file.
        before, after = before[:-1], after[:-1]
        if source.count(before) != 1:
            sys.exit(f"{bug}: {file} has this {source.count(before)} times, not once:\n{before}")
        source = source.replace(before, after)
    Path(output).write_text(source)


if __name__ == "__main__":
    main()
