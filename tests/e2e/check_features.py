"""Features over HTTP as Feast's clients ask for them, and what is said of them."""
import json

from program import ROOT, Skip

RECORDED = ROOT.parent / "shared" / "data" / "models" / "feast"
# Definitions of the recorded repository as streams; the values of both first rows come from its CSV files.
REPOSITORY = """
CREATE STREAM driver_stats (driver_id BIGINT NOT NULL, event_timestamp TIMESTAMPTZ NOT NULL, created TIMESTAMPTZ,
  conv_rate DOUBLE PRECISION, acc_rate DOUBLE PRECISION, trips_today BIGINT, city TEXT, active BOOLEAN, last_trip_at TIMESTAMPTZ,
  a6 DOUBLE PRECISION, a7 DOUBLE PRECISION, a8 DOUBLE PRECISION, a9 BIGINT,
  WATERMARK FOR event_timestamp AS event_timestamp) PARTITION BY (driver_id) WITH (topic = 'stats_push');
CREATE STREAM driver_extra (driver_id BIGINT NOT NULL, event_timestamp TIMESTAMPTZ NOT NULL, created TIMESTAMPTZ,
  b0 DOUBLE PRECISION, b1 DOUBLE PRECISION, b2 DOUBLE PRECISION, b3 DOUBLE PRECISION, b4 DOUBLE PRECISION, b5 DOUBLE PRECISION,
  b6 DOUBLE PRECISION, b7 DOUBLE PRECISION, b8 DOUBLE PRECISION, b9 DOUBLE PRECISION,
  WATERMARK FOR event_timestamp AS event_timestamp) PARTITION BY (driver_id) WITH (topic = 'driver_extra');
"""
APP = """
CREATE STREAM payments (tx BIGINT NOT NULL, card TEXT NOT NULL, shop TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (card) WITH (topic = 'payments');
CREATE STREAM scored AS SELECT tx, card, shop, ts, amount,
  count(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n_card,
  avg(amount) OVER (PARTITION BY shop ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS avg_shop,
  amount / nullif(n_card, 0) AS share
FROM payments;
CREATE MATERIALIZED VIEW by_shop AS SELECT window_start, shop, count(*) AS n, sum(amount) AS total
FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start, shop;
"""


def read(server, features, entities, **more):
    status, answer = server.request("POST", "/get-online-features", {"features": features, "entities": entities, **more})
    assert status == 200, (status, answer)
    return {name: column for name, column in zip(answer["metadata"]["feature_names"], answer["results"])}


def values(server, features, entities):
    return {name: column["values"] for name, column in read(server, features, entities).items() if name not in entities}


def pay(server, tx, card, shop, amount, minute):
    status, answer = server.request("POST", "/api/v1/topics/payments/events", {
        "tx": tx, "card": card, "shop": shop, "amount": amount, "ts": f"2026-03-02T10:{minute:02d}:00Z"})
    assert status == 200 and answer["accepted"] == 1, answer


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and abs(a - b) <= 1e-7 * max(1, abs(a))
    return a == b


def check_recorded_exchanges_of_feast_get_the_same_answers(program):
    if not RECORDED.exists():
        raise Skip("no ../shared/data")
    recorded = json.loads((RECORDED / "server_exchanges.json").read_text())
    known = {e["name"]: e for e in recorded}
    with program.scratch() as d:
        (d / "app.sql").write_text(REPOSITORY)
        with program.serve(d / "data", d / "app.sql") as server:
            # The rows that the recorded answers speak of, pushed as their client would.
            for view in ("driver_stats", "driver_extra"):
                header, *lines = (RECORDED / f"{view}_first20.csv").read_text().splitlines()
                frame = {name: [] for name in header.split(",")}
                for line in lines:
                    for name, cell in zip(frame, line.split(",")):
                        text = name in ("city", "event_timestamp", "created", "last_trip_at")
                        frame[name].append(None if cell == "" else cell if text else json.loads(cell.lower()))
                status, answer = server.request("POST", "/write-to-online-store", {"feature_view_name": view, "df": frame})
                assert (status, answer) == (200, None), (status, answer)
            pushed = dict(known["push"]["request"], push_source_name="driver_stats")
            compared = 0
            for e in recorded:
                if e["name"] in ("feature_service", "one_view_has_no_row"):  # a service of its own; a row that is not in the files
                    continue
                request = e["request"]
                if e["name"].startswith("push") and e["name"] != "push_unknown_source":
                    request = dict(request, push_source_name="driver_stats")
                status, answer = server.request(e["method"], e["path"], request)
                assert status == e["status"], (e["name"], status, answer)
                if "results" not in (e["response_text"] or ""):
                    continue
                want = json.loads(e["response_text"])
                want = dict(zip(want["metadata"]["feature_names"], want["results"]))
                got = dict(zip(answer["metadata"]["feature_names"], answer["results"]))
                assert set(got) == set(want), (e["name"], list(got), list(want))
                for name in want:
                    assert got[name]["statuses"] == want[name]["statuses"], (e["name"], name, got[name], want[name])
                    assert got[name]["event_timestamps"] == want[name]["event_timestamps"], (e["name"], name, got[name], want[name])
                    for a, b in zip(got[name]["values"], want[name]["values"], strict=True):
                        assert same(a, b), (e["name"], name, a, b)
                        compared += 1
            assert compared > 60 and pushed, compared


def check_features_are_those_of_the_latest_durable_row_of_their_entity(program):
    with program.scratch() as d:
        (d / "app.sql").write_text(APP)
        with program.serve(d / "data", d / "app.sql") as server:
            pay(server, 1, "c1", "s1", 10, 1)
            pay(server, 2, "c2", "s1", 30, 2)
            assert values(server, ["scored:n_card", "scored:share"], {"card": ["c1", "c2", "c9"]}) == {
                "n_card": [1, 1, None], "share": [10, 30, None]}
            # A feature of the shop is asked by the shop, whoever paid there last.
            assert values(server, ["scored:avg_shop", "scored:n_card"], {"shop": ["s1"], "card": ["c1"]}) == {
                "avg_shop": [20], "n_card": [1]}
            pay(server, 3, "c1", "s2", 5, 3)
            got = read(server, ["scored:n_card", "by_shop:total"], {"card": ["c1"], "shop": ["s1"]}, full_feature_names=True)
            assert got["scored__n_card"] == {"values": [2], "statuses": ["PRESENT"], "event_timestamps": ["2026-03-02T10:03:00Z"]}, got
            assert got["by_shop__total"]["values"] == [10], got
            for features, entities, status, said in (
                    (["scored:nope"], {"card": ["c1"]}, 500, "HR1104"), (["none:x"], {"card": ["c1"]}, 404, "FeatureViewNotFound"),
                    (["scored:n_card"], {"shop": ["s1"]}, 500, "HR4091"), (["payments:tx"], {"tx": ["1"]}, 500, "HR4091"),
                    (["scored:n_card", "scored:n_card"], {"card": ["c1"]}, 500, "NameCollision"),
                    ([":x"], {"card": ["c1"]}, 500, "Invalid feature reference"), (["scored:n_card"], {"card": "c1"}, 422, "list"),
                    (["scored:n_card"], {"card": [{}]}, 500, "no scalar"), (["scored.dead:code"], {"card": ["c1"]}, 404, "HR1204")):
                got, answer = server.request("POST", "/get-online-features", {"features": features, "entities": entities})
                assert got == status and said in json.dumps(answer), (features, got, answer)
            server.kill()
        with program.serve(d / "data") as server:
            assert values(server, ["scored:n_card", "scored:share"], {"card": ["c1", "c2"]}) == {"n_card": [2, 1], "share": [2.5, 30]}
            pay(server, 4, "c1", "s1", 8, 4)
            assert values(server, ["scored:n_card"], {"card": ["c1"]}) == {"n_card": [3]}


def check_what_was_pushed_is_durable_before_the_answer(program):
    with program.scratch() as d:
        (d / "app.sql").write_text(APP)
        frame = {"tx": [1, 2], "card": ["a", "b"], "shop": ["s", "s"], "amount": [1.5, 2], "ts": ["2026-03-02 10:00:00", 1772445660]}
        with program.serve(d / "data", d / "app.sql") as server:
            assert server.request("POST", "/push", {"push_source_name": "payments", "df": frame, "to": "online"}) == (200, "")
            bad = dict(frame, card=["a", None])
            status, answer = server.request("POST", "/push", {"push_source_name": "payments", "df": bad})
            assert status == 422 and "HR2205" in answer and "row 1" in answer, (status, answer)
            for wrong in ({"push_source_name": "payments", "df": dict(frame, tx=[1])}, {"push_source_name": "payments"},
                          {"push_source_name": "payments", "df": []}, {"push_source_name": "scored.dead", "df": frame},
                          {"push_source_name": "scored", "df": frame}):
                status, answer = server.request("POST", "/push", wrong)
                assert status in (404, 422), (wrong, status, answer)
            server.kill()
        with program.serve(d / "data") as server:
            assert values(server, ["scored:n_card", "scored:amount"], {"card": ["a", "b"]}) == {"n_card": [1, 1], "amount": [1.5, 2]}
            assert read(server, ["scored:n_card"], {"card": ["b"]})["n_card"]["event_timestamps"] == ["2026-03-02T10:01:00Z"]
            server.stop()
        out, _ = program.ok("sql", "--jsonl", "--data", d / "data", "-c", "SELECT count(*) FROM payments")
        assert json.loads(out)["rows"] == [[2]], out


def check_features_are_listed_with_their_lineage(program):
    with program.scratch() as d:
        (d / "app.sql").write_text(APP + "CREATE STREAM late AS SELECT tx, n_card + 1 AS next FROM scored;\n")
        with program.serve(d / "data", d / "app.sql") as server:
            for i in range(4):
                pay(server, i, f"c{i % 2}", "s1", None if i == 3 else 2, i)
            url = f"http://127.0.0.1:{server.port}"
            out, _ = program.ok("feature", "ls", "--url", url, "--json")
            listed = {f["feature"]: f for f in json.loads(out)}
            assert set(listed) == {"scored:n_card", "scored:avg_shop", "scored:share", "by_shop:n", "by_shop:total"}, listed
            assert (listed["scored:share"]["entity"], listed["scored:avg_shop"]["entity"]) == ("card", "shop"), listed
            out, _ = program.ok("feature", "show", "scored:share", "--url", url, "--json")
            (one,) = json.loads(out)["features"]
            assert one["null_rows"] == 1 and one["sampled_rows"] == 4 and one["null_rate"] == 0.25, one
            assert one["newest_event_time"] == "2026-03-02T10:03:00Z" and one["age_seconds"] >= 0, one
            assert "nullif" in one["definition"] and one["inputs"] == ["payments"] and "1 hour" in one["windows"][0]["window"], one
            out, _ = program.ok("feature", "get", "scored:n_card", "card=c1", "--url", url)
            assert out == "2\n", out
            status, document = server.request("GET", "/api/v1/features?name=scored:nope")
            assert status == 404 and document["code"] == "HR4092", document
            server.stop()
        text, _ = program.ok("feature", "show", "scored:n_card", "--data", d / "data")
        assert "read by    late" in text and "of         card" in text, text
        out, _ = program.ok("feature", "get", "scored:avg_shop", "shop=s1", "--data", d / "data", "--json")
        assert json.loads(out)["values"][0]["status"] == "present", out
        assert program.run("feature", "get", "scored:avg_shop", "--data", d / "data")[0] != 0
        assert program.run("feature", "ls")[0] == 2
