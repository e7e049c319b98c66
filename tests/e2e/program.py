"""Running the built program from outside."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Skip(Exception):
    """The check cannot run here; says why."""


class Server:
    """`headrace serve` on a free loopback port, until the context ends."""

    def __init__(self, program, data, *arguments):
        self.program, self.data, self.arguments = program, data, arguments
        self.watch = lambda: None  # called now and then until it is ready
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        command = [self.program.binary, "serve", *map(str, self.arguments), "--data", str(self.data), "--http",
                   f"127.0.0.1:{self.port}"]
        self.log = open(f"{self.data}.serve-{self.port}.log", "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.watch()
                if self.request("GET", "/readyz")[0] == 200:
                    return self
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"serve did not get ready: {self.text()}")

    def __exit__(self, *_):
        self.kill()
        self.log.close()

    def text(self):
        return Path(self.log.name).read_text()[-800:]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        assert code == 0, f"SIGTERM: exit {code}: {self.text()}"

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            is_document = "json" in answer.headers.get("Content-Type", "") and text
            return answer.status, json.loads(text) if is_document and "\n{" not in text else text
        finally:
            connection.close()


class Program:
    """The binary under test."""

    def __init__(self, binary):
        self.binary = str(binary)

    def run(self, *arguments, stdin=None, timeout=120, cwd=None):
        """(exit code, stdout, stderr)"""
        done = subprocess.run([self.binary, *map(str, arguments)], input=stdin, capture_output=True, text=True,
                              timeout=timeout, cwd=cwd or ROOT)
        return done.returncode, done.stdout, done.stderr

    def ok(self, *arguments, **options):
        """(stdout, stderr) of a run that must succeed."""
        code, out, err = self.run(*arguments, **options)
        assert code == 0, f"headrace {' '.join(map(str, arguments))}: exit {code}: {err[-800:]}"
        return out, err

    def has(self, command):
        return self.run(command, "--help")[0] == 0

    def need(self, *commands):
        for command in commands:
            if not self.has(command):
                raise Skip(f"this build has no `{command}`")

    def serve(self, data, *arguments):
        return Server(self, data, *arguments)

    @staticmethod
    @contextlib.contextmanager
    def scratch():
        directory = Path(tempfile.mkdtemp(prefix="headrace-e2e-"))
        try:
            yield directory
        finally:
            if not os.environ.get("KEEP"):
                shutil.rmtree(directory, ignore_errors=True)
