#!/usr/bin/env python3
"""The benchmarks: each line `name value unit`, on standard output and nothing else there.

    bench/run.py [--build DIR] [ONLY]      ONLY: names that begin so, for example `decide` or `start.idle_mb`

What needs one process is `headrace bench NAME`; what is about whole processes (throughput, CPU,
memory, start) is measured here from outside. Data beside the repository (../shared) is used when it
is there; without it the demo's generator gives the payments and what needs more is left out, with a
word on standard error.
"""
import argparse
import hashlib
import http.client
import importlib.util
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import state_bench

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# How much is measured with: each an option, or BENCH_KEYS and so on in the environment.
SIZE_OPTIONS = {"payments": (2_000_000, "events of the fraud pipeline"), "keys": (1_000_000, "keys of large state"),
                "state_mb": (500, "megabytes of state at a restart; half of what latency is measured beside"),
                "spill_events": (0, "events over state beyond memory; 0: three a key"),
                "seconds": (60, "for which decisions are timed beside snapshots")}
SIZES = argparse.Namespace()
INSIDE = {"score": ("score.", "shap."), "train": ("train.",), "learn": ("learn.",), "choose": ("choose.",), "detect": ("detect.",),
          "watch": ("watch.",), "disk": ("disk.",),
          "journal.append": ("journal.append.",), "decide.compute": ("decide.compute.",),
          "decide.http": ("decide.http.",), "backfill": ("backfill.",),
          "trainingset": ("trainingset.",), "model.swap": ("model.swap.",), "shadow": ("shadow.",)}

PEERS_SQL = """
CREATE STREAM payments (
  tx_id TEXT NOT NULL, card TEXT NOT NULL, terminal TEXT NOT NULL, amount DECIMAL(12,2) NOT NULL, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
) PARTITION BY (card) WITH (topic = 'payments', format = 'json', timestamp_unit = 'ms');
CREATE MODEL fraud WITH (path = '%s');
CREATE STREAM decisions AS
SELECT tx_id, card, terminal, amount, ts, count(*) OVER m10 AS n_10m, sum(amount) OVER h1 AS sum_1h,
  CAST(amount AS DOUBLE PRECISION) / (CAST(sum(amount) OVER d7 AS DOUBLE PRECISION) / count(*) OVER d7) AS vs_week,
  count(DISTINCT terminal) OVER d1 AS terminals_1d, PREDICT(fraud) AS risk,
  CASE WHEN risk > 0.95 THEN 'decline' WHEN risk > 0.7 THEN 'review' ELSE 'approve' END AS decision
FROM payments
WINDOW m10 AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
       h1  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
       d1  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW),
       d7  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW);
"""

DAYS = {1: ("23:59:59.999999", "7 days 23:59:59.999999"), 7: ("6 days 23:59:59.999999", "13 days 23:59:59.999999"),
        30: ("29 days 23:59:59.999999", "36 days 23:59:59.999999")}


def handbook_sql(model):
    columns = "".join(f"""
  count(*) OVER c{n} AS customer_id_nb_tx_{n}day_window, avg(amount) OVER c{n} AS customer_id_avg_amount_{n}day_window,
  count(*) OVER t{n} AS terminal_id_nb_tx_{n}day_window,
  coalesce(CAST(sum(is_fraud) OVER t{n} AS DOUBLE PRECISION) / nullif(terminal_id_nb_tx_{n}day_window, 0), 0)
    AS terminal_id_risk_{n}day_window,""" for n in DAYS)
    windows = ",\n".join(f"""c{n} AS (PARTITION BY customer_id ORDER BY ts
  RANGE BETWEEN INTERVAL '{customer}' PRECEDING AND CURRENT ROW),
t{n} AS (PARTITION BY terminal_id ORDER BY ts
  RANGE BETWEEN INTERVAL '{terminal}' PRECEDING AND INTERVAL '7 days' PRECEDING)""" for n, (customer, terminal) in DAYS.items())
    return f"""
CREATE STREAM tx (tx_id BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, customer_id BIGINT NOT NULL, terminal_id BIGINT NOT NULL,
  amount DECIMAL(12,2), is_fraud BIGINT, WATERMARK FOR ts AS ts)
  PARTITION BY (customer_id) WITH (topic = 'tx', format = 'json');
CREATE MODEL fraud WITH (path = '{model}');
CREATE STREAM scored AS SELECT tx_id, amount,
  CASE WHEN extract(isodow FROM ts) >= 6 THEN 1 ELSE 0 END AS tx_during_weekend,
  CASE WHEN extract(hour FROM ts) <= 6 THEN 1 ELSE 0 END AS tx_during_night,{columns}
  PREDICT(fraud) AS score FROM tx WINDOW {windows};
"""


class Run:
    """One finished process: its time, CPU, memory and what it wrote to the disk."""

    def __init__(self, command):
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=errors)
            # wchar, not write_bytes: the kernel counts a whole large folio for each page that is dirtied.
            self.written = 0
            while True:
                try:
                    self.written = int(re.search(r"^wchar: (\d+)", Path(f"/proc/{process.pid}/io").read_text(), re.M)[1])
                except (OSError, TypeError):
                    pass
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                time.sleep(0.01)
            process.returncode = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            self.errors = errors.read()
        self.seconds = time.monotonic() - start
        self.cpu, self.rss = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{self.errors[-600:]}")

    def summary(self):
        return dict(pair.split("=", 1) for pair in self.errors.strip().splitlines()[-1].split())


def report(name, value, unit):
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 3
    print(f"{name} {value:.{digits}f} {unit}", flush=True)


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def make_payments(program, directory):
    """(script, payments, model) of the fraud pipeline."""
    model, generator = SHARED / "peers" / "model" / "fraud.lgb.txt", SHARED / "peers" / "gen.cpp"
    if generator.exists() and model.exists() and shutil.which("g++"):
        subprocess.run(["g++", "-O2", "-std=c++20", "-o", directory / "gen", generator], check=True)
        subprocess.run([directory / "gen", str(SIZES.payments), "42", directory], check=True, stdout=subprocess.DEVNULL)
        (directory / "app.sql").write_text(PEERS_SQL % model)
        return directory / "app.sql", directory / "payments.jsonl"
    note("no ../shared/peers: the demo's payments and statements instead")
    with open(directory / "payments.jsonl", "w") as out:
        subprocess.run([program, "demo", "fraud", "--print-payments", "--events", str(SIZES.payments)], check=True, stdout=out)
    for name in ("app.sql", "fraud.lgb.txt"):
        shutil.copy(ROOT / "examples" / "fraud" / name, directory)
    return directory / "app.sql", directory / "payments.jsonl"


def pipeline(program, directory, wanted):
    script, payments = make_payments(program, directory)
    data = directory / "data"
    command = [program, "run", script, "--input", f"payments={payments}", "--output",
               f"decisions={directory / 'out.jsonl'}", "--once", "--data", data]
    run = Run(command)
    events, live = int(run.summary()["events"]), float(run.summary()["events_per_second"])
    report("pipeline.fraud.events_per_second", live, "events/s")
    report("pipeline.fraud.cpu_us_per_event", run.cpu / events * 1e6, "us")
    report("pipeline.fraud.peak_rss_mb", run.rss / 1024, "MB")
    output = (directory / "out.jsonl").stat().st_size
    report("write_amplification", (run.written - output) / (payments.stat().st_size + output), "ratio")
    if wanted("restart.replay.ratio", "restart.replay.seconds"):
        again = Run(command)  # rebuilds its state from the log, and finds nothing new to read
        report("restart.replay.seconds", again.seconds, "s")
        report("restart.replay.ratio", events / again.seconds / live, "ratio")


def handbook(program, directory, wanted):
    folder = SHARED / "data" / "fraud"
    if not (folder / "transactions.csv.gz").exists():
        return note("no ../shared/data: handbook is left out")
    (directory / "app.sql").write_text(handbook_sql(folder / "fraud.lgb.txt"))
    run = Run([program, "run", directory / "app.sql", "--input", f"tx={folder / 'transactions.csv.gz'}", "--output",
               f"scored={directory / 'out.jsonl'}", "--once", "--data", directory / "data"])
    report("handbook.events_per_second", float(run.summary()["events_per_second"]), "events/s")
    report("handbook.peak_rss_mb", run.rss / 1024, "MB")
    if wanted("replay.handbook.seconds"):
        replay_handbook(program, directory, folder / "fraud.lgb.txt")


def replay_handbook(program, directory, model):
    """The same events once more with another model, every row compared with the one in the log."""
    first = re.compile(r"^leaf_value=(.*)$", re.M)
    other = directory / "other.lgb.txt"
    other.write_text(first.sub(lambda m: "leaf_value=" + " ".join(str(-float(v)) for v in m[1].split()), model.read_text(), 1))
    run = Run([program, "replay", "scored", "--set", f"fraud={other}", "--diff", "--data", directory / "data"])
    report("replay.handbook.seconds", run.seconds, "s")
    report("replay.handbook.events_per_second", float(run.summary()["events_per_second"]), "events/s")


KEYS_SQL = """
CREATE STREAM payments (card TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts)
  PARTITION BY (card) WITH (timestamp_unit = 's');
CREATE STREAM features AS SELECT card, count(*) OVER a AS n_10m, sum(amount) OVER b AS sum_1h, avg(amount) OVER c AS avg_1d,
  max(amount) OVER d AS max_7d, stddev_samp(CAST(amount AS DOUBLE PRECISION)) OVER e AS sd_30d FROM payments
WINDOW """ + ",\n".join(f"{name} AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '{reach}' PRECEDING AND CURRENT ROW)"
                        for name, reach in zip("abcde", ("10 minutes", "1 hour", "1 day", "7 days", "30 days"))) + ";"


class Tools:
    """What bench/state_bench.py is given of this program."""
    run, report, note = Run, staticmethod(report), staticmethod(note)


def snapshots(program, directory, wanted):
    state_bench.measure(program, directory, wanted, SIZES, Tools)


def write_spill_events(path, zipfian):
    """`spill_events` payments over `keys` keys; zipfian: key of rank r as often as 1 / r^0.99, otherwise all alike."""
    source = random.Random(7)
    weights = list(itertools.accumulate((rank + 1) ** -0.99 if zipfian else 1 for rank in range(SIZES.keys)))
    names = list(range(SIZES.keys))
    source.shuffle(names)  # the first keys are not the frequent ones
    with open(path, "w") as out:
        for i, card in enumerate(source.choices(names, cum_weights=weights, k=SIZES.spill_events)):
            out.write(f'{{"card":"c{card:07d}","amount":{i % 9973 / 100:.2f},"ts":{1767225600 + i * 86400 // SIZES.spill_events}}}\n')


def spill(program, directory, wanted):
    """State four times as large as what --memory leaves for it, against all of it in memory; the same rows."""
    (directory / "keys.sql").write_text(KEYS_SQL)
    events, rows = directory / "events.jsonl", directory / "rows.jsonl"

    def run(memory=None):
        limit = ["--memory", str(memory)] if memory else []
        done = Run([program, "run", directory / "keys.sql", "--input", f"payments={events}", "--output", f"features={rows}",
                    "--once", "--workers", "1", *limit])
        with open(rows, "rb") as text:
            done.rows = hashlib.file_digest(text, "sha256").hexdigest()
        return done

    for name, zipfian in (("spill.4x", True), ("spill.4x.uniform", False)):
        if not wanted(f"{name}.ratio"):
            continue
        write_spill_events(events, zipfian)
        with open(events) as text:
            few = list(itertools.islice(text, 1000))
        whole = run()
        all_events = events.rename(directory / "all.jsonl")
        with open(events, "w") as out:
            out.writelines(few * (SIZES.spill_events // 10_000))  # so much that buffers are what they are
        rest = run().rss
        all_events.rename(events)
        memory = max((rest + (whole.rss - rest) // 4) * 1024, 96 << 20)
        report(f"{name}.state_mb", (whole.rss - rest) / 1024, "MB")
        report(f"{name}.limit_mb", memory / (1 << 20), "MB")
        rates, peak = {True: [], False: []}, 0
        for spilled in (True, False, False, True):
            done = run(memory if spilled else None)
            if done.rows != whole.rows:
                sys.exit(f"bench: {name}: other rows with --memory {memory}")
            rates[spilled].append(float(done.summary()["events_per_second"]))
            peak = max(peak, done.rss) if spilled else peak
        report(f"{name}.peak_rss_mb", peak / 1024, "MB")
        report(f"{name}.events_per_second", sum(rates[True]) / 2, "events/s")
        report(f"{name}.ratio", sum(rates[True]) / sum(rates[False]), "ratio")


def workers(program, directory, _):
    """The pipeline over JSON with two workers against one: of the same cores, and of one core.

    One worker does not live on one core: reading, decoding, the journal and the file of rows have threads of their
    own. So the first ratio cannot reach two on two cores; the second says what twice the machine is worth.
    """
    script, payments = make_payments(program, directory)
    all_cores = os.sched_getaffinity(0)
    two = set(sorted(all_cores)[:2])
    runs = {"one core": (1, set(sorted(two)[:1])), "one": (1, two), "two": (2, two)}
    rates = {name: [] for name in runs}
    for name in ("one", "two", "one core", "one core", "two", "one", "one", "one core", "two"):
        count, cores = runs[name]
        os.sched_setaffinity(0, cores)
        done = Run([program, "run", script, "--input", f"payments={payments}", "--output",
                    f"decisions={directory / 'out.jsonl'}", "--once", "--workers", str(count)])
        os.sched_setaffinity(0, all_cores)
        rates[name].append(float(done.summary()["events_per_second"]))
    middle = {name: sorted(of)[1] for name, of in rates.items()}
    report("workers.2.ratio", middle["two"] / middle["one"], "ratio")
    report("workers.2.cores.ratio", middle["two"] / middle["one core"], "ratio")


def ready_after(program, data, end=signal.SIGTERM):
    """(milliseconds to the first 200 of /readyz, resident MB then); `end`: how it is stopped afterwards"""
    start = time.monotonic()
    process = subprocess.Popen([program, "serve", "--data", data, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    port = int(re.search(r":(\d+)", process.stderr.readline().split("http://", 1)[1])[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    ready = (time.monotonic() - start) * 1000
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024
    process.send_signal(end)
    process.wait()
    return ready, resident


def start(program, directory, _):
    samples = [ready_after(program, directory / f"data{i}") for i in range(5)]
    report("start.ready_ms", sorted(s[0] for s in samples)[2], "ms")
    report("start.idle_mb", sorted(s[1] for s in samples)[2], "MB")
    report("binary.mb", Path(program).stat().st_size / (1 << 20), "MB")


def library_of(package, pattern, environment):
    """(path, version) of the newest file of that pattern in a package of the bench's own environment or of Python's."""
    places = sorted(environment.glob(f"lib/python*/site-packages/{package}"))
    found = importlib.util.find_spec(package)
    places += [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    for place in places:
        for path in sorted(place.glob(pattern), reverse=True):
            version = [re.search(r"-([^-]+)\.dist-info", i.name)[1] for i in place.parent.glob(f"{package}-*.dist-info")]
            return path, (version or ["of unknown version"])[0]
    return None, None


def peers_beside_ours(build):
    """The single-row and block calls of LightGBM and ONNX Runtime on our models and rows; only where they are installed."""
    options = []
    for name, package, pattern in (("LightGBM", "lightgbm", "lib/lib_lightgbm.so"),
                                   ("ONNX Runtime", "onnxruntime", "capi/libonnxruntime.so.*")):
        path, version = library_of(package, pattern, build / "peers")
        if path is None:
            note(f"{name} is not installed, so it has no lines: `make bench PEERS=1` installs it under {build}")
            continue
        note(f"{name} {version}, one thread, C interface: {path}")
        options += [f"--{package}", path]
    program = build / "score_peers"
    if options and not program.exists():
        return note(f"no {program}, so no lines of others: `ninja -C {build} score_peers` builds it")
    if options and subprocess.run([program, *options], env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode:
        sys.exit("bench: score_peers failed")


def trainers_beside_ours(build):
    """LightGBM learning from the rows of `headrace bench train`, on the same threads; only where it is installed."""
    path, version = library_of("lightgbm", "lib/lib_lightgbm.so", build / "peers")
    if path is None:
        return note(f"LightGBM is not installed, so it has no lines: `make bench PEERS=1` installs it under {build}")
    program = build / "train_peers"
    if not program.exists():
        return note(f"no {program}, so no lines of others: `ninja -C {build} train_peers` builds it")
    note(f"LightGBM {version}, its defaults, all cores, C interface: {path}")
    if subprocess.run([program, "--lightgbm", path]).returncode:
        sys.exit("bench: train_peers failed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("only", nargs="?", default="")
    for name, (standard, help_text) in SIZE_OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"{help_text} ({standard})",
                            default=int(os.environ.get(f"BENCH_{name.upper()}", standard)))
    options = parser.parse_args(namespace=SIZES)
    options.spill_events = options.spill_events or 3 * options.keys
    program = str((Path(options.build) / "headrace").resolve())
    wanted = lambda *prefixes: not options.only or any(
        options.only.startswith(p) or p.startswith(options.only) for p in prefixes)
    for name, prefixes in INSIDE.items():
        if not wanted(*prefixes):
            continue
        subprocess.run([program, "bench", name], check=True)
        if name == "score":
            peers_beside_ours(Path(options.build))
        if name == "train":
            trainers_beside_ours(Path(options.build))
    outside = [(start, ("start.", "binary.")), (pipeline, ("pipeline.", "write_amplification", "restart.replay.ratio", "restart.replay.seconds")),
               (handbook, ("handbook.", "replay.handbook")), (snapshots, ("snapshot.", "restart.1m_keys", "restart.replay_")),
               (spill, ("spill.",)), (workers, ("workers.",))]
    for measure, prefixes in outside:
        if wanted(*prefixes):
            with tempfile.TemporaryDirectory(prefix="headrace-bench-") as directory:
                measure(program, Path(directory), wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
