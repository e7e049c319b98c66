"""Several partitions of a stream give the rows of one, in the order of the events, killed or not."""
import json
import random
import subprocess
import time

SQL = """
CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (card) WITH (partitions = %d);
CREATE STREAM features AS
SELECT tx_id, card, ts, count(*) OVER w AS n, sum(amount) OVER w AS total FROM payments
WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
CREATE STREAM by_minute AS
SELECT window_start, count(*) AS n, sum(amount) AS total
FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start;
"""


def payments(count):
    draw = random.Random(5)
    for i in range(count):
        second = i // 20
        yield {"tx_id": f"t{i}", "card": f"c{draw.randrange(200)}", "amount": draw.randrange(100, 9999) / 100,
               "ts": f"2026-01-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"}


def check_four_partitions_give_the_bytes_of_one_whatever_is_killed(program):
    with program.scratch() as d:
        (d / "p.jsonl").write_text("".join(json.dumps(p) + "\n" for p in payments(60_000)))

        def command(name, partitions):
            (d / f"{partitions}.sql").write_text(SQL % partitions)
            return [program.binary, "run", str(d / f"{partitions}.sql"), "--input", f"payments={d / 'p.jsonl'}", "--output",
                    f"features={d / name}.jsonl", "--output", f"by_minute={d / name}.m.jsonl", "--data", str(d / name)]

        start = time.monotonic()
        subprocess.run(command("one", 1), check=True, capture_output=True, timeout=120)
        calm, draw = time.monotonic() - start, random.Random(7)
        for _ in range(5):
            process = subprocess.Popen(command("four", 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=draw.uniform(0.02, max(0.1, calm * 0.6)))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        subprocess.run(command("four", 4), check=True, capture_output=True, timeout=120)
        for end in ("jsonl", "m.jsonl"):
            assert (d / f"four.{end}").read_bytes() == (d / f"one.{end}").read_bytes(), f"{end} differs"
        program.ok("verify", "--data", d / "four")


def check_topic_show_says_which_partition_holds_the_watermark_back(program):
    with program.scratch() as d:
        (d / "app.sql").write_text(SQL % 2)
        with program.serve(d / "data", d / "app.sql") as server:
            path = "/api/v1/topics/payments/events"
            for card, time_of_day in (("c1", "00:00:10"), ("c2", "00:00:20"), ("c3", "00:00:30"), ("c4", "00:00:40"),
                                      ("c5", "00:00:50"), ("c6", "00:01:00"), ("c7", "00:01:10"), ("c8", "00:01:20")):
                event = {"tx_id": card, "card": card, "amount": 1, "ts": f"2026-01-01T{time_of_day}Z"}
                assert server.request("POST", path, event)[0] == 200
            text = server.request("GET", "/metrics")[1]
            held = text.split('headrace_watermark_holding_partition{stream="payments"} ')[1].split("\n")[0]
            assert 'headrace_watermark_delay_seconds{stream="payments"} ' in text, text
            assert 'headrace_source_idle{stream="payments"} 0' in text, text
            server.stop()
        partitions = json.loads(program.ok("topic", "show", "payments", "--data", d / "data", "--json")[0])
        lowest = min(partitions, key=lambda p: p["watermark"])
        assert [p["time"] for p in partitions] == ["active", "active"], partitions
        assert lowest["holds_back"] == "yes" and lowest["partition"] == int(held), (partitions, held)
        assert sorted(p["holds_back"] for p in partitions) == ["no", "yes"], partitions
        (d / "none.jsonl").write_text("")
        program.ok("run", d / "app.sql", "--input", f"payments={d / 'none.jsonl'}", "--data", d / "data")
        partitions = json.loads(program.ok("topic", "show", "payments", "--data", d / "data", "--json")[0])
        assert [p["time"] for p in partitions] == ["finished", "finished"], partitions
        partitions = json.loads(program.ok("topic", "show", "features", "--data", d / "data", "--json")[0])
        assert "watermark" not in partitions[0], partitions
