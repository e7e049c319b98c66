"""`headrace run`: formats, dead letters, crashes, signals."""
import gzip
import json
import random
import signal
import subprocess
import time

SQL = """
CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (card) WITH (topic = 'payments', format = 'json');
CREATE STREAM features AS
SELECT tx_id, card, ts, count(*) OVER w AS n, sum(amount) OVER w AS total FROM payments
WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
"""


def payments(count, seed=1):
    draw = random.Random(seed)
    for i in range(count):
        minute, second = divmod(i // 20, 60)
        yield {"tx_id": f"t{i}", "card": f"c{draw.randrange(50)}", "amount": draw.randrange(100, 99999) / 100,
               "ts": f"2026-01-01T{minute // 60 % 24:02d}:{minute % 60:02d}:{second:02d}Z"}


def prepare(d, count):
    (d / "app.sql").write_text(SQL)
    text = "".join(json.dumps(p) + "\n" for p in payments(count))
    (d / "p.jsonl").write_text(text)
    return text


def summary(err):
    return dict(pair.split("=") for pair in err.strip().splitlines()[-1].split())


def check_files_pipes_and_compression_carry_the_same_rows(program):
    with program.scratch() as d:
        text = prepare(d, 3000)
        run = lambda source, target, **o: program.ok("run", d / "app.sql", "--input", f"payments={source}", "--output",
                                                     f"features={target}", "--once", **o)
        _, err = run(d / "p.jsonl", d / "out.jsonl")
        want = (d / "out.jsonl").read_text()
        assert want.count("\n") == 3000 and summary(err)["events"] == "3000", err
        with gzip.open(d / "p.jsonl.gz", "wt") as f:
            f.write(text)
        run(d / "p.jsonl.gz", d / "gz.jsonl")
        assert (d / "gz.jsonl").read_text() == want
        (d / "p.csv").write_text("ts,card,amount,tx_id,ignored\n" + "".join(
            f"{p['ts']},{p['card']},{p['amount']},{p['tx_id']},x\n" for p in payments(3000)))
        run(d / "p.csv", d / "csv.jsonl")
        assert (d / "csv.jsonl").read_text() == want
        out, _ = run("-", "-", stdin=text)
        assert out == want


def check_a_bare_script_means_run(program):
    with program.scratch() as d:
        text = prepare(d, 10)
        out, _ = program.ok(d / "app.sql", "--input", "payments=-", "--output", "features=-", stdin=text)
        assert out.count("\n") == 10


def check_a_stream_has_one_output(program):
    with program.scratch() as d:
        prepare(d, 10)
        code, _, err = program.run(d / "app.sql", "--output", "features=-", "--output", f"features={d / 'o.csv'}")
        assert code == 2 and "HR9001" in err and "features" in err, (code, err)


def check_bad_events_are_kept_counted_and_forbidden_by_strict(program):
    with program.scratch() as d:
        text = prepare(d, 100)
        (d / "p.jsonl").write_text(text + '{"tx_id":\n[1]\n{"tx_id":"x","card":"c"}\n')
        arguments = ["run", d / "app.sql", "--input", f"payments={d / 'p.jsonl'}", "--output",
                     f"features={d / 'out.jsonl'}", "--once"]
        _, err = program.ok(*arguments, "--data", d / "data")
        assert summary(err)["dead"] == "3", err
        assert program.run(*arguments, "--strict")[0] == 65
        out, _ = program.ok("dlq", "ls", "--data", d / "data", "--json")
        assert json.loads(out) == [{"topic": "payments.dead", "events": 3}], out
        out, _ = program.ok("dlq", "show", "payments", "--data", d / "data")
        rows = [json.loads(line) for line in out.splitlines()]
        assert len(rows) == 3 and all(r["code"].startswith("HR") and r["reason"] for r in rows), out


def check_killed_runs_end_with_the_same_bytes(program):
    with program.scratch() as d:
        prepare(d, 60_000)
        command = lambda name: [program.binary, "run", str(d / "app.sql"), "--input", f"payments={d / 'p.jsonl'}",
                                "--output", f"features={d / name}.jsonl", "--once", "--data", str(d / name)]
        start = time.monotonic()
        subprocess.run(command("calm"), check=True, capture_output=True, timeout=120)
        calm, draw = time.monotonic() - start, random.Random(7)
        for _ in range(6):
            process = subprocess.Popen(command("rough"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=draw.uniform(0.02, max(0.1, calm * 0.6)))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        done = subprocess.run(command("rough"), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-500:]
        assert (d / "rough.jsonl").read_bytes() == (d / "calm.jsonl").read_bytes(), "bytes differ"
        program.ok("log", "verify", "--data", d / "rough")
        program.ok("verify", "--data", d / "rough")


def check_an_interrupted_run_goes_on_where_it_stopped(program):
    with program.scratch() as d:
        prepare(d, 1000)
        command = [program.binary, "run", str(d / "app.sql"), "--input", f"payments={d / 'p.jsonl'}", "--output",
                   f"features={d / 'out.jsonl'}", "--data", str(d / "data")]
        process = subprocess.Popen([*command, "--follow"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not ((d / "out.jsonl").exists() and
                                                   (d / "out.jsonl").read_text().count("\n") == 1000):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130 and summary(err)["events"] == "1000", err
        done = subprocess.run([*command, "--once"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and summary(done.stderr)["events"] == "0", done.stderr
        assert (d / "out.jsonl").read_text().count("\n") == 1000
