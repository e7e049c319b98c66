"""README.md tells the truth: its commands run as they stand, and print what it shows.

Every ```sh block is run, in order, in one shell in a scratch directory. A ```text or ```json block
right behind it is its standard output; `…` there stands for any text, a line of only `…` for any
lines. Two things are put in its way: the built program for `make`, a free port for 7070.
"""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

from program import ROOT, Skip

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
END = "--- end of block"


def blocks(text):
    """(commands, output shown or None), in order."""
    found = [(m.group(1), m.group(2), m.start(), m.end()) for m in BLOCK.finditer(text)]
    for i, (language, body, _, end) in enumerate(found):
        if language != "sh":
            continue
        shown = None
        if i + 1 < len(found) and found[i + 1][0] in ("text", "json") and not text[end:found[i + 1][2]].strip():
            shown = found[i + 1][1]
        yield body, shown


def pattern(shown):
    """A regular expression for the output shown."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n"
             for line in shown.rstrip("\n").split("\n")]
    return re.compile(r"\s*" + "".join(lines) + r"\s*")


def made(command, binary):
    """What a `make` line comes to when the program is built already."""
    if command == "make demo":
        recipe = (ROOT / "Makefile").read_text()
        assert re.search(r"^demo: build\n\t@\$\(BUILD\)/headrace demo fraud \$\(if \$\(LIVE\),,--once\)$", recipe, re.M)
        return f"'{binary}' demo fraud --once"
    return "true"


class Shell:
    """One bash that lives through all blocks."""

    def __init__(self, directory, path):
        self.errors = open(directory.with_suffix(".err"), "w+")
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, start_new_session=True,
                                        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"})
        self.process.stdin.write("trap 'echo \"failed ($?): $BASH_COMMAND\" >&2; exit 1' ERR\n")

    def run(self, commands):
        """Standard output of the block; fails when a command does."""
        self.process.stdin.write(f"{commands}\nprintf '%s\\n' '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines)
            lines.append(line)
        self.errors.seek(0)
        raise AssertionError(f"README: {commands.strip()!r} failed: {self.errors.read()[-600:]}")

    def close(self):
        """Ends the shell and whatever it left running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.errors.close()


def wait_ready(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise AssertionError("README: the server did not get ready")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def check_the_commands_of_the_readme_print_what_it_shows(program):
    readme = ROOT / "README.md"
    if not readme.exists():
        raise Skip("no README.md")
    port, ran, compared = free_port(), 0, 0
    with program.scratch() as d:
        home = d / "home"
        home.mkdir()
        (home / "examples").symlink_to(ROOT / "examples")
        shell = Shell(home, os.path.dirname(program.binary) + os.pathsep + os.environ["PATH"])
        try:
            for commands, shown in blocks(readme.read_text()):
                lines = [made(line.split("#")[0].strip(), program.binary) if line.startswith("make") else line
                         for line in commands.splitlines() if not line.startswith("export PATH=")]
                text = "\n".join(lines).replace("localhost:7070", f"localhost:{port}")
                text = text.replace("headrace serve ", f"headrace serve --http 127.0.0.1:{port} ")
                got = shell.run(text)
                ran += 1
                if "headrace serve" in text:
                    wait_ready(port)
                if shown is not None:
                    compared += 1
                    assert pattern(shown).fullmatch(got), f"README shows\n{shown}\nfor {commands}\nbut it prints\n{got}"
        finally:
            shell.close()
    assert ran >= 5 and compared >= 4, f"only {ran} blocks run, {compared} compared"
