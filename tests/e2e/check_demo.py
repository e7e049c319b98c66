"""The demo tells its story, and tells it again for the same seed."""
import json
import re
import shlex
import signal
import subprocess
import urllib.request
from pathlib import Path


def check_the_demo_shows_every_decision_and_explains_one(program):
    with program.scratch() as d:
        sums = []
        for name in ("a", "b"):
            out, _ = program.ok("demo", "fraud", "--once", "--seed", "7", "--rate", "max", "--data", d / name)
            for word in ("approve", "review", "decline", "p50", "p99.9", "headrace why", "vs_week"):
                assert word in out, word
            sums.append(program.ok("sql", "--data", d / name, "--jsonl", "-c",
                                   "SELECT decision, count(*) FROM decisions GROUP BY decision ORDER BY 1")[0])
        assert sums[0] == sums[1] and len(json.loads(sums[0])["rows"]) == 3, sums
        program.ok("verify", "--data", d / "a")


def check_the_demo_learns_a_second_model_and_takes_it_through_its_life(program):
    # Of few payments the second model does not learn enough, and the gate stays shut until it is overruled.
    for events, promotes in (("20000", 2), ("4000", 3)):
        with program.scratch() as d:
            data = d / "data"
            out, said = program.ok("demo", "fraud", "--once", "--events", events, "--rate", "max", "--data", data)
            typed = [shlex.split(line[line.index("headrace "):]) for line in out.splitlines()
                     if re.search(r"(^|: )headrace .*--(data|output) ", line) and not line.startswith("  ")]
            told = [" ".join(words[1:3]) for words in typed]
            story = ["why", "run", "training-set", "model train", "replay", "model add", "model shadow", "run", "model show",
                     *["model promote"] * promotes, "model rollback", "model show", "verify"]
            assert len(told) == len(story) and all(map(str.startswith, told, story)), told
            assert said.count("HR1215") == promotes - 1 and "shadow 2 since LSN" in out and ", 0 differ" in out, (out, said)
            model = json.loads(program.ok("model", "show", "fraud", "--json", "--data", data)[0])
            history = [(step["version"], step.get("reason", "")) for step in model["history"]]
            assert [version for version, _ in history] == [1, 2, 1], history
            assert ("the demo goes on" in history[1][1]) == (promotes == 3), history
            # What stands in the story is what the command says.
            for words in (typed[0], typed[-2]):
                assert program.ok(*words[1:])[0] in out, words


def check_the_demo_without_data_leaves_nothing_behind(program):
    with program.scratch() as d:
        out, _ = program.ok("demo", "fraud", "--once", "--events", "500", "--rate", "max")
        directory = out.split("data=")[1].split()[0]
        assert directory.startswith("/") and not list(d.parent.glob(directory[1:])), directory


def check_the_demo_stays_up_and_answers_until_it_is_interrupted(program):
    command = [program.binary, "demo", "fraud", "--events", "2000", "--rate", "max", "--http", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            told = ""
            while "/metrics" not in told:
                line = process.stdout.readline()
                assert line, f"it ended: {told}"
                told += line
            url, event = re.search(r"curl '(http://\S+return=decisions)' -d '(.*)'", told).groups()
            with urllib.request.urlopen(re.search(r"curl (http://\S+/decisions/\S+)", told).group(1), timeout=20) as answer:
                assert json.loads(answer.read().decode())["recomputed"] is True
            with urllib.request.urlopen(url, event.encode(), timeout=20) as answer:
                assert json.loads(answer.read().decode())["rows"][0]["tx_id"] == "mine"
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0, process.returncode
        finally:
            process.kill()
    assert not Path(told.split("data=")[1].split()[0]).exists()
