"""The figures of large state, for bench/run.py: what a snapshot of it costs those who decide meanwhile, and how soon a
start is ready with it. `--keys` and `--state-mb` say how large it is; a test runs it tiny."""
import http.client
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

# Five windows over each key; what an event leaves in them is about STATE_BYTES in a snapshot.
STATE_BYTES = 40
FIRST_SECOND = 1767225600
POSTED_EVENTS = 20_000  # in one request
STATE_SQL = """
CREATE STREAM payments (card TEXT NOT NULL, terminal TEXT NOT NULL, amount DECIMAL(12,2), lat DOUBLE PRECISION,
  lon DOUBLE PRECISION, speed DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts)
  PARTITION BY (card) WITH (timestamp_unit = 's');
CREATE STREAM features AS SELECT card, count(*) OVER a AS n_10m, sum(amount) OVER b AS sum_1h, avg(amount) OVER c AS avg_1d,
  max(speed) OVER d AS max_7d, stddev_samp(lat) OVER e AS lat_30d, stddev_samp(lon) OVER e AS lon_30d,
  count(DISTINCT terminal) OVER e AS terminals_30d FROM payments
WINDOW """ + ",\n".join(f"{name} AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '{reach}' PRECEDING AND CURRENT ROW)"
                        for name, reach in zip("abcde", ("10 minutes", "1 hour", "1 day", "7 days", "30 days"))) + ";"


def payment(number, keys):
    """The event of that number: each key once, then each again."""
    mixed = number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFF
    return (f'{{"card":"c{number % keys:07d}","terminal":"t{mixed % 99991:05d}","amount":{mixed % 9973 / 100:.2f},'
            f'"lat":{mixed % 1800017 / 1e4},"lon":{mixed % 3600011 / 1e4},"speed":{mixed % 1009 / 8},'
            f'"ts":{FIRST_SECOND + number * 43200 // keys}}}\n')


class State:
    """A data directory whose state grows to a wanted size. Snapshots hold about STATE_BYTES for each event."""

    def __init__(self, program, directory, keys):
        self.program, self.directory, self.keys, self.events = program, directory, keys, 0
        self.data, self.script = directory / "state", directory / "state.sql"
        self.script.write_text(STATE_SQL)

    def write_events(self, megabytes):
        """A file of the events that are missing to so many megabytes; each key as often as the others."""
        wanted = self.keys * max(1, math.ceil(megabytes * 1e6 / STATE_BYTES / self.keys))
        path = self.directory / f"state{self.events}.jsonl"
        with open(path, "w") as out:
            for number in range(self.events, max(wanted, self.events + self.keys)):
                out.write(payment(number, self.keys))
        self.events = max(wanted, self.events + self.keys)
        return path

    def take(self, path, run, kept=True):
        """Events per second; not `kept`: of a directory for the time being, which has no snapshots."""
        where = ["--data", self.data] if kept else []
        done = run([self.program, "run", self.script, "--input", f"payments={path}", "--once", *where])
        return float(done.summary()["events_per_second"])

    def megabytes(self):
        """What the newest snapshot stands for (docs/internals/snapshots.md)."""
        newest = max((self.data / "snapshots").glob("*.manifest"), key=lambda path: int(path.stem))
        manifest, at = newest.read_bytes(), 4

        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = manifest[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        varint()  # LSN
        total = varint()
        at += total  # the head
        for _ in range(varint()):
            *_, length = [varint() for _ in range(5)]
            at += 4  # CRC
            total += length
        return total / 1e6


class Server:
    """`headrace serve` over a data directory, and one connection to it."""

    def __init__(self, program, data):
        self.began = time.monotonic()
        self.process = subprocess.Popen([program, "serve", "--data", data, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, text=True)
        # What it has to say of the directory comes first.
        said = []
        while not said or "http://" not in said[-1]:
            said.append(self.process.stderr.readline())
            if not said[-1]:
                sys.exit("bench: headrace serve ended: " + "".join(said))
        port = int(re.search(r":(\d+)", said[-1].split("http://", 1)[1])[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def ready(self):
        """Seconds from its start until it was ready."""
        while True:
            self.connection.request("GET", "/readyz")
            answer = self.connection.getresponse()
            answer.read()
            if answer.status == 200:
                return time.monotonic() - self.began
            if self.process.poll() is not None:
                sys.exit("bench: headrace serve ended before it was ready")
            time.sleep(0.005)

    def post(self, path, body, kind="application/json"):
        """Seconds until it was answered."""
        began = time.perf_counter()
        self.connection.request("POST", path, body, {"Content-Type": kind})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"bench: {path}: {answer.status} {text[:300]}")
        return time.perf_counter() - began

    def cpu(self):
        """Seconds of it that the process has had: a busy machine does not show in them."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def measure(program, directory, wanted, sizes, tools):
    """`sizes`: keys, state_mb, seconds; `tools`: run (a class as bench/run.py has it), report, note."""
    state = State(program, directory, sizes.keys)
    events = state.write_events(sizes.state_mb)
    if wanted("snapshot.throughput_ratio"):
        throughput(state, events, tools)
    restarted = wanted("restart.1m_keys.ms", "restart.replay_1m.ms")
    beside = wanted("snapshot.state_mb", "snapshot.p999")
    if not restarted and not beside:
        return
    state.take(events, tools.run)
    events.unlink()
    if restarted:
        restarts(state, sizes, tools)
    if beside:
        events = state.write_events(2 * sizes.state_mb)
        state.take(events, tools.run)
        events.unlink()
        tools.report("snapshot.state_mb", state.megabytes(), "MB")
        latency_beside_snapshots(state, sizes, tools)


def throughput(state, events, tools):
    """With a snapshot every ten seconds against none: the same events into a new directory each time."""
    rates = {True: [], False: []}
    for kept in (False, True, True, False):
        rates[kept].append(state.take(events, tools.run, kept))
        shutil.rmtree(state.data, ignore_errors=True)
    tools.report("snapshot.throughput_ratio", sum(rates[True]) / sum(rates[False]), "ratio")


def start_thrice(state, name, tools):
    times = []
    for _ in range(3):
        server = Server(state.program, state.data)
        times.append((server.ready(), server.cpu()))
        server.kill()
    seconds, cpu = sorted(times)[1]
    tools.report(f"{name}.ms", seconds * 1000, "ms")
    tools.report(f"{name}.cpu_ms", cpu * 1000, "ms")


def restarts(state, sizes, tools):
    """Ready again behind a clean end; then with ten seconds of events at 100,000 a second behind the snapshot."""
    tools.report("restart.1m_keys.mb", state.megabytes(), "MB")
    start_thrice(state, "restart.1m_keys", tools)
    server = Server(state.program, state.data)
    server.ready()
    # As fast as they are taken: the first snapshot would be due ten seconds behind the start.
    replayed = min(1_000_000, sizes.keys)
    for first in range(0, replayed, POSTED_EVENTS):
        count = min(POSTED_EVENTS, replayed - first)
        body = "".join(payment(state.events + first + i, state.keys) for i in range(count))
        server.post("/api/v1/topics/payments/events", body, "application/x-ndjson")
    server.kill()
    tools.report("restart.replay_1m.events", replayed, "events")
    start_thrice(state, "restart.replay_1m", tools)


def latency_beside_snapshots(state, sizes, tools):
    """99.9% of decisions, one after the other, while a snapshot of everything is written, against those while none is."""
    server = Server(state.program, state.data)
    server.ready()
    latencies = {True: [], False: []}
    source = random.Random(7)
    second = FIRST_SECOND + state.events * 43200 // state.keys
    statements, written, deployed_at = 0, -1, 0.0
    end = time.monotonic() + sizes.seconds
    while time.monotonic() < end or (min(map(len, latencies.values())) == 0 and time.monotonic() < end + 60):
        # Behind other statements the next snapshot holds everything.
        if written != snapshots_written(state.data) and time.monotonic() - deployed_at > sizes.seconds / 8:
            written, deployed_at = snapshots_written(state.data), time.monotonic()
            statements += 1
            server.post("/api/v1/sql", f'{{"sql":"CREATE STREAM few{statements} AS SELECT card FROM payments WHERE amount < 0"}}')
        before = being_written(state.data)
        body = payment(source.randrange(state.keys), state.keys)
        body = re.sub(r'"ts":\d+', f'"ts":{second}', body)
        took = server.post("/api/v1/topics/payments/events?return=features", body)
        if before == being_written(state.data):  # otherwise it is neither
            latencies[before].append(took)
    server.kill()
    if min(map(len, latencies.values())) == 0:
        return tools.note("no snapshot was written, or always one was: no snapshot.p999_ratio")
    beside, quiet = (sorted(latencies[kind]) for kind in (True, False))
    tools.report("snapshot.decisions_beside", len(beside), "decisions")
    p999 = [one[len(one) * 999 // 1000] for one in (beside, quiet)]
    tools.report("snapshot.p999_ms", p999[0] * 1000, "ms")
    tools.report("snapshot.p999_ratio", p999[0] / p999[1], "ratio")


def being_written(data):
    names = os.listdir(data / "snapshots")
    return any(name.endswith(".pages") and name[:-5] + "manifest" not in names for name in names)


def snapshots_written(data):
    return max((int(name[:-9]) for name in os.listdir(data / "snapshots") if name.endswith(".manifest")), default=0)
