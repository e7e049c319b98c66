"""`headrace serve`: the decision call, what is durable, clean ends."""
import json
import shutil
import socket
import subprocess

from program import ROOT


def app():
    return ROOT / "examples" / "fraud" / "app.sql"


def payment(i, **more):
    return {"tx_id": f"h{i}", "card": "c1", "terminal": "m1", "amount": 12.5, "ts": f"2026-03-02T00:00:{i:02d}Z", **more}


def check_a_decision_comes_back_in_the_answer_and_can_be_explained(program):
    with program.scratch() as d:
        with program.serve(d / "data", app()) as server:
            path = "/api/v1/topics/payments/events?return=decisions"
            for i in range(1, 4):
                status, answer = server.request("POST", path, payment(i))
                assert status == 200 and answer["rows"][0]["n_10m"] == i, (status, answer)
            row = answer["rows"][0]
            assert row["decision"] in ("approve", "review", "decline"), row
            status, answer = server.request("POST", path, [payment(5), {"nonsense": 1}])
            assert status == 200 and (answer["accepted"], len(answer["rejected"])) == (1, 1), answer
            status, problem = server.request("POST", path, "{", {"Content-Type": "application/json"})
            assert status == 400 and problem["code"].startswith("HR"), problem
            status, document = server.request("GET", f"/api/v1/decisions/{row['_id']}")
            assert status == 200 and document["recomputed"] is True, document
            status, answer = server.request("POST", "/api/v1/sql", {"sql": "SELECT count(*) FROM decisions"})
            assert status == 200 and int(answer["rows"][0][0]) == 4, answer
            assert "headrace_events_received_total" in server.request("GET", "/metrics")[1]
            server.stop()
        out, _ = program.ok("why", row["_id"], "--data", d / "data", "--json")
        assert json.loads(out)["features"]["n_10m"]["value"] == 3, out
        out, _ = program.ok("why", row["_id"], "--data", d / "data")
        assert "n_10m" in out and "the same bytes" in out, out
        program.ok("verify", "--data", d / "data")


def check_a_start_says_how_far_it_is(program):
    with program.scratch() as d:
        payments = d / "payments.jsonl"
        payments.write_text(program.ok("demo", "fraud", "--print-payments", "--events", "20000")[0])
        program.ok("run", app(), "--input", f"payments={payments}", "--data", d / "data")
        shutil.rmtree(d / "data" / "snapshots")
        server = program.serve(d / "data")
        seen = []
        server.watch = lambda: seen.append((server.request("GET", "/livez")[0], server.request("GET", "/startupz")))
        with server:
            for alive, (status, answer) in seen:
                assert alive == 200, seen
                assert status == 200 or answer["code"] == "HR8075" and 0 <= answer["percent"] <= 100, answer
            text = server.request("GET", "/metrics")[1]
            assert "headrace_recovery_estimated_seconds" in text, text
            server.stop()


def check_what_was_acknowledged_survives_kill_9(program):
    with program.scratch() as d:
        acknowledged = 0
        for life in range(3):
            with program.serve(d / "data", *([app()] if life == 0 else [])) as server:
                for i in range(20):
                    event = payment(i, tx_id=f"{life}-{i}")
                    acknowledged += server.request("POST", "/api/v1/topics/payments/events", event)[0] == 200
                server.kill()
        assert acknowledged == 60
        out, _ = program.ok("sql", "--jsonl", "--data", d / "data", "-c", "SELECT count(*) FROM decisions")
        assert int(json.loads(out)["rows"][0][0]) == 60, out


def check_an_address_in_use_is_said_and_ends_the_program(program):
    with program.scratch() as d:
        with program.serve(d / "one") as server:
            done = subprocess.run([program.binary, "serve", "--data", str(d / "two"), "--http",
                                   f"127.0.0.1:{server.port}"], capture_output=True, text=True, timeout=20)
            assert done.returncode not in (0, 70) and "HR" in done.stderr, done
        code, _, err = program.run("serve", "--data", d / "three", "--http", "0.0.0.0:0")
        assert code != 0 and "loopback" in err, err


def check_a_running_directory_is_backed_up_and_restored(program):
    with program.scratch() as d:
        with program.serve(d / "data", app()) as server:
            path = "/api/v1/topics/payments/events"
            for i in range(30):
                assert server.request("POST", path, payment(i))[0] == 200
            out, _ = program.ok("backup", d / "copy", "--data", d / "data", "--json")
            first = json.loads(out)[0]
            assert first["from_lsn"] == 0 and first["lsn"] > 0, first
            for i in range(30, 40):
                assert server.request("POST", path, payment(i))[0] == 200
            out, _ = program.ok("backup", d / "copy", "--data", d / "data", "--json")
            second = json.loads(out)[0]
            assert second["from_lsn"] == first["lsn"] < second["lsn"] and second["bytes"] < first["bytes"], second
            server.stop()
        program.ok("restore", d / "copy", "--data", d / "again")
        program.ok("log", "verify", "--data", d / "again")
        program.ok("verify", "--data", d / "again")
        question = ("sql", "--jsonl", "-c", "SELECT * FROM decisions")
        assert program.ok(*question, "--data", d / "again")[0] == program.ok(*question, "--data", d / "data")[0]
        code, _, err = program.run("restore", d / "copy", "--data", d / "again")
        assert code != 0 and "HR5405" in err, err
        (d / "full").mkdir()
        (d / "full" / "x").write_text("mine")
        code, _, err = program.run("backup", d / "full", "--data", d / "data")
        assert code != 0 and "HR5406" in err, err
        victim = next(p for p in sorted((d / "copy").rglob("*.segment")) if p.stat().st_size)
        damaged = bytearray(victim.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        victim.write_bytes(damaged)
        code, _, err = program.run("restore", d / "copy", "--data", d / "third")
        assert code != 0 and "HR52" in err and not (d / "third").exists(), (code, err)


def check_a_request_that_had_no_answer_is_sent_again_with_its_key(program):
    sql = ("CREATE STREAM payments (tx_id TEXT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);\n"
           "CREATE STREAM decisions AS SELECT tx_id, count(*) OVER (ORDER BY ts) AS n FROM payments;\n")
    path = "/api/v1/topics/payments/events?return=decisions"
    with program.scratch() as d:
        (d / "app.sql").write_text(sql)
        answers = {}
        for life in range(6):
            with program.serve(d / "data", *([d / "app.sql"] if life == 0 else [])) as server:
                for i in range(life * 5 + 5):
                    event = {"tx_id": f"t{i}", "ts": "2026-03-02T00:00:00Z"}
                    status, answer = server.request("POST", path, event, {"Idempotency-Key": f"k{i}"})
                    assert status == 200 and answers.setdefault(i, answer) == answer, (i, status, answer)
                # One more goes out, and nobody waits for its answer.
                body = json.dumps({"tx_id": f"t{life * 5 + 5}", "ts": "2026-03-02T00:00:00Z"})
                with socket.create_connection(("127.0.0.1", server.port)) as client:
                    client.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                    f"Idempotency-Key: k{life * 5 + 5}\r\nContent-Length: {len(body)}\r\n\r\n"
                                    f"{body}").encode())
                    server.kill()
        out, _ = program.ok("sql", "--jsonl", "--data", d / "data", "-c",
                            "SELECT count(*) AS n, count(DISTINCT tx_id) AS d FROM payments")
        events, different = json.loads(out)["rows"][0]
        assert events == different and events in (30, 31), out
        assert [answers[i]["rows"][0]["n"] for i in range(30)] == list(range(1, 31)), answers
        program.ok("verify", "--data", d / "data")
