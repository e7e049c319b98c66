"""Running the examples of a Markdown document.

Blocks are run in order, in one shell, in a scratch directory:
- ```sh: as it stands. `make` lines are left to the make that built the program, and port 7070 is
  replaced by a free one.
- ```sql: statements that CREATE run behind payments.sql over payments.jsonl, which an earlier block of
  the document wrote, and the stream created last is the output; anything else is asked of the data
  directory of the block before.
A ```text or ```json block right behind one is its standard output; `…` there stands for any text, a
line of only `…` for any lines.
"""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

from program import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
CREATED = re.compile(r"^CREATE (?:STREAM|MATERIALIZED VIEW) (\w+)", re.M)
END = "--- end of block"


def blocks(text):
    """(language, commands, output shown or None), in order."""
    found = [(m.group(1), m.group(2), m.start(), m.end()) for m in BLOCK.finditer(text)]
    for i, (language, body, _, end) in enumerate(found):
        if language not in ("sh", "sql"):
            continue
        shown = None
        if i + 1 < len(found) and found[i + 1][0] in ("text", "json") and not text[end:found[i + 1][2]].strip():
            shown = found[i + 1][1]
        yield language, body, shown


def pattern(shown):
    """A regular expression for the output shown."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n"
             for line in shown.rstrip("\n").split("\n")]
    return re.compile(r"\s*" + "".join(lines) + r"\s*")


def made(line, binary):
    """What a line comes to when the program is built already."""
    if line.startswith("export PATH="):
        return "true"
    if not line.startswith("make"):
        return line
    if line.split("#")[0].strip() == "make demo":
        recipe = (ROOT / "Makefile").read_text()
        assert re.search(r"^demo: build\n\t@\$\(BUILD\)/headrace demo fraud \$\(if \$\(LIVE\),,--once\)$", recipe, re.M)
        return f"'{binary}' demo fraud --once"
    return "true"


def command_of(language, body, number):
    """The shell commands of a block."""
    if language == "sh":
        return body
    name = f"example{number}.sql"
    write = f"cat > {name} <<'END_OF_SQL'\n{body}END_OF_SQL\n"
    created = CREATED.findall(body)
    if not created:
        return f'{write}headrace sql --data "$DATA" -f {name}'
    scripts = name if "payments" in created else f"payments.sql {name}"
    return f"{write}DATA=data{number}\nheadrace run {scripts} --input payments=payments.jsonl --output {created[-1]}=- --data $DATA"


class Shell:
    """One bash that lives through all blocks."""

    def __init__(self, directory, path):
        self.errors = open(directory.with_suffix(".err"), "w+")
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, start_new_session=True,
                                        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"})
        self.process.stdin.write("trap 'echo \"failed ($?): $BASH_COMMAND\" >&2; exit 1' ERR\n")

    def run(self, commands, where):
        """Standard output of the block; fails when a command does."""
        self.process.stdin.write(f"{commands}\nprintf '%s\\n' '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines)
            lines.append(line)
        self.errors.seek(0)
        raise AssertionError(f"{where}: {commands.strip()!r} failed: {self.errors.read()[-600:]}")

    def close(self):
        """Ends the shell and whatever it left running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.errors.close()


def wait_ready(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        time.sleep(0.01)
    raise AssertionError("the server of the document did not get ready")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def run_document(program, path):
    """Runs every example; (blocks run, outputs compared)."""
    ran, compared = 0, 0
    with program.scratch() as d:
        home = d / "home"
        home.mkdir()
        (home / "examples").symlink_to(ROOT / "examples")
        shell = Shell(home, os.path.dirname(program.binary) + os.pathsep + os.environ["PATH"])
        port = free_port()
        try:
            for number, (language, body, shown) in enumerate(blocks(path.read_text())):
                lines = [made(line, program.binary) for line in command_of(language, body, number).splitlines()]
                text = "\n".join(lines).replace("localhost:7070", f"localhost:{port}")
                text = text.replace("headrace serve ", f"headrace serve --http 127.0.0.1:{port} ")
                got = shell.run(text, path.name)
                ran += 1
                if "headrace serve" in text:
                    wait_ready(port)
                if shown is not None:
                    compared += 1
                    assert pattern(shown).fullmatch(got), f"{path.name} shows\n{shown}\nfor\n{body}\nbut it prints\n{got}"
        finally:
            shell.close()
    return ran, compared
