"""The demo tells its story, and tells it again for the same seed."""
import json


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


def check_the_demo_without_data_leaves_nothing_behind(program):
    with program.scratch() as d:
        out, _ = program.ok("demo", "fraud", "--once", "--events", "500", "--rate", "max")
        directory = out.split("data=")[1].split()[0]
        assert directory.startswith("/") and not list(d.parent.glob(directory[1:])), directory
