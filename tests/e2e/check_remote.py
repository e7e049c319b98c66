"""Remote models: a model server that is slow, dead or hostile, our own as the real one, kill -9."""
import contextlib
import http.server
import json
import threading
import time

STUMP = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective=regression
feature_names=q
feature_infos=[0:9]

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=2.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=1 3
is_linear=0
shrinkage=1


end of trees
"""


class ModelServer:
    """Speaks the protocol, or what the mode says. Counts the calls."""

    def __init__(self, mode="good"):
        self.mode, self.calls, self.go_on = mode, 0, threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.calls += 1
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                q = request["inputs"][0]["data"][0]
                if outer.mode == "hang":
                    outer.go_on.wait(60)
                status, body = outer.answer(q)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, q):
        good = b'{"model_name":"m","outputs":[{"name":"score","datatype":"FP64","shape":[1,1],"data":[%d]}]}' % (q * 10)
        return {
            "shape": (200, good.replace(b"[1,1],\"data\":[", b"[1,2],\"data\":[7,")),
            "name": (200, good.replace(b'"score"', b'"other"').replace(b'"data":[', b'"data":[1,')),
            "nan": (200, good.replace(b'"data":[', b'"data":[NaN],"x":[')),
            "large": (200, good + b" " * (2 << 20)),
            "deep": (200, b"[" * 500_000),
            "text": (200, b"\xff\xfe not json"),
            "error": (500, b"{}"),
            "moved": (302, b""),
        }.get(self.mode, (200, good))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


def script(port, options="", name="m"):
    return f"""CREATE STREAM s (id TEXT, q BIGINT);
CREATE MODEL m INPUT (q BIGINT) OUTPUT (score DOUBLE PRECISION)
  WITH (url = 'http://127.0.0.1:{port}/v2/models/{name}', default = '-1'{options});
CREATE STREAM scored AS SELECT id, q, CASE WHEN q > 3 THEN PREDICT(m, q) END AS score FROM s;
CREATE STREAM plain AS SELECT id, q FROM s;
"""


def check_answers_decide_and_a_start_asks_for_none(program):
    with program.scratch() as d, ModelServer() as model:
        (d / "app.sql").write_text(script(model.port))
        lines = [json.dumps({"id": f"e{i}", "q": i % 8}) for i in range(200)]
        (d / "s.jsonl").write_text("\n".join(lines) + "\n")
        program.ok("run", d / "app.sql", "--data", d / "data", "--input", f"s={d}/s.jsonl", "--output",
                   f"scored={d}/scored.jsonl", "--once")
        rows = [json.loads(line) for line in (d / "scored.jsonl").read_text().splitlines()]
        assert len(rows) == 200 and model.calls == 100, (len(rows), model.calls)
        assert all(r["score"] == (r["q"] * 10 if r["q"] > 3 else None) for r in rows), rows[:9]
        before = (d / "scored.jsonl").read_bytes()
        program.ok("run", d / "app.sql", "--data", d / "data", "--input", f"s={d}/s.jsonl", "--output",
                   f"scored={d}/scored.jsonl", "--once")
        assert (d / "scored.jsonl").read_bytes() == before
        program.ok("verify", "--data", d / "data")
        shown = json.loads(program.ok("model", "show", "m", "--data", d / "data", "--json")[0])
        assert (shown["format"], shown["asked_by"], shown["queue"]) == ("open-inference-v2", ["scored"], 1000), shown
        assert f"127.0.0.1:{model.port}" in program.ok("model", "show", "m", "--data", d / "data")[0]
        program.ok("replay", "scored", "--data", d / "data", "--output", d / "again.jsonl")
        assert (d / "again.jsonl").read_bytes() == before
        assert model.calls == 100
        program.ok("log", "verify", "--data", d / "data")


def check_what_a_bad_server_says_is_the_default_with_why(program):
    statuses = {"shape": "invalid", "name": "invalid", "nan": "invalid", "large": "too_large", "deep": "invalid",
                "text": "invalid", "error": "refused", "moved": "refused"}
    for mode, status in statuses.items():
        with program.scratch() as d, ModelServer(mode) as model:
            (d / "app.sql").write_text(script(model.port))
            with program.serve(d / "data", d / "app.sql") as server:
                code, body = server.request("POST", "/api/v1/topics/s/events?return=scored", {"id": "a", "q": 5})
                assert code == 200 and body["rows"][0]["score"] == -1, (mode, body)
                code, why = server.request("GET", "/api/v1/decisions/scored:0:0")
                assert why["model"]["status"] == status and why["recomputed"], (mode, why)
                assert why["event"]["id"] == "a" and why["score"] == -1, why
                assert model.calls == 1
                server.stop()


def check_a_server_that_hangs_or_is_dead_holds_nobody_else(program):
    with program.scratch() as d, ModelServer("hang") as model:
        (d / "app.sql").write_text(script(model.port, ", timeout = '300 milliseconds', breaker_failures = 2, breaker_pause = '10 minutes'"))
        with program.serve(d / "data", d / "app.sql") as server:
            def send(q, stream):
                code, body = server.request("POST", f"/api/v1/topics/s/events?return={stream}", {"id": "x", "q": q})
                assert code == 200, body
                return body["rows"]

            answers = []
            slow = threading.Thread(target=lambda: answers.append(send(7, "scored")))
            slow.start()
            assert send(1, "scored")[0]["score"] is None and send(7, "plain")[0]["q"] == 7
            slow.join()
            assert answers[0][0]["score"] == -1
            # Two calls have ended in vain: nobody is called any more.
            while 'headrace_remote_breaker_open{model="m"} 1' not in server.request("GET", "/metrics")[1]:
                time.sleep(0.01)
            calls = model.calls
            assert send(7, "scored")[0]["score"] == -1
            assert model.calls == calls
            server.stop()


def check_our_own_server_is_asked_and_both_may_be_killed(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(STUMP)
        (d / "peer.sql").write_text("CREATE MODEL peer WITH (path = 'm.txt');")
        with program.serve(d / "peer", d / "peer.sql") as peer:
            (d / "app.sql").write_text(script(peer.port, ", timeout = '30 seconds'", "peer"))
            for life in range(3):
                with program.serve(d / "data", d / "app.sql") as server:
                    for i in range(4):
                        code, body = server.request("POST", "/api/v1/topics/s/events?return=scored", {"id": f"{life}.{i}", "q": 2 + i})
                        assert code == 200 and body["rows"][0]["score"] == (3 if 2 + i > 3 else None), body
                    server.kill()
            peer.kill()
        with program.serve(d / "data", d / "app.sql") as server:
            server.stop()
        program.ok("verify", "--data", d / "data")
        out, _ = program.ok("sql", "--data", d / "data", "--jsonl", "-c", "SELECT count(*), sum(score) FROM scored")
        assert json.loads(out)["rows"] == [[12, 18]], out


def check_a_kill_between_question_and_answer_loses_and_doubles_nothing(program):
    with program.scratch() as d, ModelServer("hang") as model:
        (d / "app.sql").write_text(script(model.port, ", timeout = '10 minutes', connections = 64"))
        with program.serve(d / "data", d / "app.sql") as server:
            for i in range(10):
                assert server.request("POST", "/api/v1/topics/s/events", {"id": f"e{i}", "q": i})[0] == 200
            while model.calls < 6:
                time.sleep(0.01)
            server.kill()
        model.mode = "good"
        with program.serve(d / "data", d / "app.sql") as server:
            deadline = time.monotonic() + 60
            while server.request("GET", "/api/v1/streams/scored/rows?limit=100")[1].count("\n") < 10:
                assert time.monotonic() < deadline, server.text()
                time.sleep(0.01)
            rows = [json.loads(line) for line in server.request("GET", "/api/v1/streams/scored/rows?limit=100")[1].splitlines()]
            server.stop()
        assert sorted((r["q"], r["score"]) for r in rows) == [(q, q * 10 if q > 3 else None) for q in range(10)], rows
        program.ok("verify", "--data", d / "data")
