"""Faults from outside: slow clients, too much traffic, no file descriptors, a file system that turns read-only, SIGTERM."""
import contextlib
import http.client
import json
import os
import resource
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from program import Skip

SQL = ("CREATE STREAM s (id BIGINT NOT NULL, filler TEXT);\n"
       "CREATE STREAM o AS SELECT id FROM s;\n")
PATH = "/api/v1/topics/s/events"


def start(directory):
    (directory / "app.sql").write_text(SQL)
    return directory / "app.sql"


def rows(server):
    status, answer = server.request("POST", "/api/v1/sql", {"sql": "SELECT count(*) AS n, count(DISTINCT id) AS d FROM o"})
    assert status == 200, answer
    return [int(n) for n in answer["rows"][0]]


def check_clients_that_send_a_byte_at_a_time_hold_nobody_up(program):
    with program.scratch() as d, program.serve(d / "data", start(d)) as server, contextlib.ExitStack() as stack:
        body = b'{"id": 1000}'
        head = (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(50)]
        sent = 0
        for i in range(100):
            # A byte of each slow one, then a whole request of another: it is answered meanwhile.
            if sent < len(head + body) - 1:
                for connection in slow:
                    connection.sendall((head + body)[sent:sent + 1])
                sent += 1
            status, answer = server.request("POST", PATH, {"id": i})
            assert status == 200, answer
        assert rows(server) == [100, 100]
        for connection in slow:
            connection.sendall((head + body)[sent:])
        for connection in slow:
            connection.settimeout(30)
            assert connection.recv(15).startswith(b"HTTP/1.1 200"), "a slow request is answered when it is whole"
        assert rows(server) == [150, 101]
        server.stop()


def check_ten_times_too_much_is_refused_and_nothing_that_was_accepted_is_lost(program):
    """So many at once that the queue of 64 MiB overflows: 429 or 503 with Retry-After, then everything is as before."""
    filler = "x" * 1000
    batch = 4000
    with program.scratch() as d, program.serve(d / "data", start(d)) as server:
        accepted, refused, wrong = [], [], []

        def produce(number):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            for part in range(2):
                first = (number * 2 + part) * batch
                lines = "\n".join(f'{{"id":{first + i},"filler":"{filler}"}}' for i in range(batch))
                connection.request("POST", PATH, body=lines, headers={"Content-Type": "application/x-ndjson"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    accepted.append(json.loads(text)["accepted"])
                elif answer.status in (429, 503) and answer.headers.get("Retry-After") and b"HR" in text:
                    refused.append(answer.status)
                else:
                    wrong.append((answer.status, text[:200]))
            connection.close()

        producers = [threading.Thread(target=produce, args=(n,)) for n in range(24)]
        for producer in producers:
            producer.start()
        while any(producer.is_alive() for producer in producers):
            assert server.request("GET", "/livez")[0] == 200
            for producer in producers:
                producer.join(0.02)
        assert not wrong, wrong[:3]
        assert len(accepted) + len(refused) == 48 and accepted, (len(accepted), len(refused))
        assert rows(server) == [sum(accepted)] * 2
        assert server.request("POST", PATH, {"id": 10 ** 9})[0] == 200
        server.stop()
        program.ok("log", "verify", "--data", d / "data")


def check_without_file_descriptors_it_says_so_and_goes_on_when_there_are_some(program):
    with program.scratch() as d, program.serve(d / "data", start(d)) as server:
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        assert server.request("POST", PATH, {"id": 1})[0] == 200
        used = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 4, limits[1]))
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                with contextlib.suppress(OSError):
                    connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=1))
                    connection.sendall(b"GET /livez HTTP/1.1\r\n")
            assert server.process.poll() is None, server.text()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
        for i in range(2, 20):
            assert server.request("POST", PATH, {"id": i})[0] == 200
        assert rows(server) == [19, 19]
        server.stop()
        program.ok("verify", "--data", d / "data")


# What the C library is asked for, as a file system answers that was remounted read-only: from when the file is there.
READ_ONLY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static int on(void) { return access(getenv("READ_ONLY_WHEN"), F_OK) == 0; }
static int refuse(void) { errno = EROFS; return -1; }
#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))
ssize_t pwrite(int f, const void* b, size_t n, off_t at) {
  return on() ? refuse() : NEXT(ssize_t (*)(int, const void*, size_t, off_t), "pwrite")(f, b, n, at);
}
ssize_t pwrite64(int f, const void* b, size_t n, off64_t at) {
  return on() ? refuse() : NEXT(ssize_t (*)(int, const void*, size_t, off64_t), "pwrite64")(f, b, n, at);
}
int fdatasync(int f) { return on() ? refuse() : NEXT(int (*)(int), "fdatasync")(f); }
static int opened(const char* name, const char* path, int flags, mode_t mode) {
  const int writes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0 && strncmp(path, "/dev", 4) != 0;
  return on() && writes ? refuse() : NEXT(int (*)(const char*, int, ...), name)(path, flags, mode);
}
#define OPEN(name) int name(const char* path, int flags, ...) { \
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
  return opened(#name, path, flags, mode); }
OPEN(open)
OPEN(open64)
"""


def check_a_file_system_that_turns_read_only_is_told_and_a_start_goes_on(program):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Skip("no C compiler for the library that refuses writes")
    with program.scratch() as d:
        (d / "read_only.c").write_text(READ_ONLY)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", d / "read_only.so", d / "read_only.c", "-ldl"], check=True)
        app = start(d)
        with environment(LD_PRELOAD=d / "read_only.so", READ_ONLY_WHEN=d / "now"):
            server = program.serve(d / "data", app).__enter__()
        try:
            for i in range(5):
                assert server.request("POST", PATH, {"id": i})[0] == 200
            (d / "now").touch()
            for _ in range(2):  # the one that meets it, and one that comes later
                status, problem = server.request("POST", PATH, {"id": 5})
                assert status == 503 and problem["code"].startswith("HR"), (status, problem)
            assert rows(server) == [5, 5], "what is durable can be read"
            assert server.request("GET", "/livez")[0] == 200 and server.request("GET", "/readyz")[0] == 503
        finally:
            server.__exit__()
        with program.serve(d / "data") as again:
            # The answer was an error, so it may be there or not.
            count = rows(again)
            assert count in ([5, 5], [6, 6]), count
            assert again.request("POST", PATH, {"id": 6})[0] == 200
            again.stop()
        program.ok("verify", "--data", d / "data")


@contextlib.contextmanager
def environment(**more):
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in more.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def check_sigterm_under_load_answers_or_refuses_and_loses_nothing(program):
    with program.scratch() as d:
        answered = []
        with program.serve(d / "data", start(d)) as server:
            def produce(number):
                for i in range(100_000):
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        if server.request("POST", PATH, {"id": number * 1_000_000 + i})[0] == 200:
                            answered.append(number * 1_000_000 + i)
                            continue
                    return

            producers = [threading.Thread(target=produce, args=(n,)) for n in range(4)]
            for producer in producers:
                producer.start()
            while len(answered) < 40:
                producers[0].join(0.01)
            server.stop()
            for producer in producers:
                producer.join()
        out, _ = program.ok("sql", "--jsonl", "--data", d / "data", "-c", "SELECT id FROM o")
        stored = {int(row[0]) for row in json.loads(out)["rows"]}
        assert set(answered) <= stored, sorted(set(answered) - stored)[:5]
        assert Path(d / "data" / "snapshots").exists()
