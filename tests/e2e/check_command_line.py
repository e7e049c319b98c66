"""What the program says of itself, and its exit codes."""
import json
import os
import re
import subprocess


def check_help_lists_every_command_and_each_explains_itself(program):
    out, _ = program.ok("--help")
    names = re.findall(r"^  ([a-z]+(?: [a-z]+)?) {2,}\S", out, re.M)
    assert {"run", "serve", "demo", "sql", "why"} <= set(names), names
    for name in names:
        text, err = program.ok(*name.split(), "--help")
        assert name in text and not err, name


def check_an_unknown_word_is_a_usage_error_with_a_suggestion(program):
    for word, meant in (("serv", "serve"), ("verfy", "verify")):
        code, out, err = program.run(word)
        assert (code, out) == (2, "") and meant in err, (code, err)
    code, out, err = program.run("run", "a.sql", "--inptu", "x=y")
    assert (code, out) == (2, "") and "--input" in err, (code, err)
    assert program.run()[0] == 2


def check_exit_codes_tell_what_went_wrong(program):
    with program.scratch() as d:
        (d / "bad.sql").write_text("SELECT 1 +;")
        assert program.run("run", d / "bad.sql")[0] == 78
        assert program.run("run", d / "absent.sql")[0] == 66
        assert program.run("why", "a:0:0", "--data", d / "absent")[0] == 66
        assert program.run("why", "a:0:0")[0] == 2
        (d / "not-a-model").write_text("tree of life\n")
        assert program.run("model", "score", d / "not-a-model", "--input", d / "bad.sql")[0] in (65, 78)


def check_sql_answers_with_a_table_or_a_document_a_statement(program):
    out, _ = program.ok("sql", "-c", "SELECT 1 + 1 AS two, 'x' AS word")
    assert out.split() == ["two", "word", "2", "x"], out
    out, _ = program.ok("sql", "--jsonl", "-c", "SELECT 1 AS one; SELECT NULL AS none")
    first, second = map(json.loads, out.splitlines())
    assert first["columns"][0]["name"] == "one" and first["rows"] == [[1]] and second["rows"] == [[None]], out


def check_sql_keeps_going_and_keeps_places(program):
    with program.scratch() as d:
        (d / "q.sql").write_text("SELECT 1;\n-- a comment; with a semicolon\n\n  SELECT nope;\nSELECT ';';\n")
        code, out, _ = program.run("sql", "--jsonl", "--keep-going", "-f", d / "q.sql")
        answers = [json.loads(line) for line in out.splitlines()]
        assert code == 78 and len(answers) == 3, (code, out)
        assert answers[0]["rows"] == [[1]] and answers[2]["rows"] == [[";"]], out
        error = answers[1]["error"]
        assert (error["line"], error["column"]) == (4, 10) and error["code"].startswith("HR"), error


def check_a_closed_pipe_is_no_crash(program):
    command = f"'{program.binary}' demo fraud --print-payments --events 200000 | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith('{"tx_id"') and "abort" not in done.stderr.lower()


def check_doctor_examines_the_machine(program):
    out, _ = program.ok("doctor", "--json")
    assert {"clock", "free space", "durable write"} <= {c["check"] for c in json.loads(out)}, out
    assert os.path.exists(program.binary)


def check_doctor_tells_the_disk_budget_of_a_directory(program):
    with program.scratch() as d:
        (d / "app.sql").write_text("CREATE STREAM s (k TEXT) WITH (retention_bytes = '10 MB');")
        (d / "s.jsonl").write_text('{"k":"a"}\n' * 100)
        program.ok("run", d / "app.sql", "--input", f"s={d / 's.jsonl'}", "--data", d / "data", "--once")
        out, _ = program.ok("doctor", "--data", d / "data", "--json")
        found = {c["check"]: c for c in json.loads(out)}
        assert found["topic s"]["bytes"] > 0 and found["topic s"]["bytes_most"] >= 10_000_000, out
        assert found["topic s"]["bytes_per_day"] is None, "a moment tells nothing"
        budget = found["disk budget"]
        assert budget["status"] == "ok" and budget["full_in_seconds"] is None and budget["bytes"] > 0, out
        assert "scrub" not in found, "nothing was served from here"
        assert program.run("doctor", "--data", d / "data")[0] == 0
