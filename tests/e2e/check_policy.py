"""Policies: the shop that learns, and what another policy would have earned."""
import csv
import gzip
import json
import math
import random
import re

from program import ROOT, Skip

RECOMMENDATIONS = ROOT.parent / "shared" / "data" / "retail" / "recommendations.csv.gz"


def curve(text):
    """Regret of the policy, of the best single shelf and of chance, by visits."""
    lines = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+) +([\d.]+)  ", text, re.M)
    return [tuple(map(float, line)) for line in lines]


def check_the_shop_learns_what_to_show(program):
    with program.scratch() as d:
        told = [program.ok("demo", "retail", "--once", "--events", "9000", "--seed", "7", "--data", d / name)[0]
                for name in ("a", "b")]
        assert told[0].replace(str(d / "a"), "") == told[1].replace(str(d / "b"), "")
        points = curve(told[0])
        assert len(points) == 10 and points[-1][0] == 9000, points
        visits, policy, single, chance = points[-1]
        assert policy < 0.6 * chance and policy < single, points[-1]
        # What is known by then: the second quarter costs less than the first.
        assert points[5][1] - points[2][1] < points[2][1], points
        program.ok("verify", "--data", d / "a")
        rows = json.loads(program.ok("sql", "--data", d / "a", "--jsonl", "-c",
                                     "SELECT outcome, count(*) FROM learned GROUP BY outcome")[0])["rows"]
        assert dict(rows).get("taken", 0) > 500 and len(rows) == 1, rows
        low = json.loads(program.ok("sql", "--data", d / "a", "--jsonl", "-c",
                                    "SELECT min(item_propensity) FROM shown")[0])["rows"]
        assert low[0][0] >= 0.1 / 6 - 1e-9, low
        code, _, err = program.run("demo", "retail", "--once", "--data", d / "a")
        assert code != 0 and "holds a demo already" in err, (code, err)
        out = program.ok("why", "shown:0:17", "--data", d / "a", "--json")[0]
        assert json.loads(out)["recomputed"] is True, out


def estimates(rows):
    """IPS and SNIPS, written down once more."""
    weights = [share / propensity for _, propensity, share in rows]
    ips = [w * reward for w, (reward, _, _) in zip(weights, rows)]
    mean = sum(ips) / len(ips)
    half = 1.96 * math.sqrt(sum((v - mean) ** 2 for v in ips) / (len(ips) - 1) / len(ips))
    return mean, mean - half, mean + half, sum(ips) / sum(weights)


def check_the_estimates_are_those_of_another_program_on_real_recommendations(program):
    if not RECOMMENDATIONS.exists():
        raise Skip("no ../shared/data")
    with program.scratch() as d, gzip.open(RECOMMENDATIONS, "rt") as file:
        rows = list(csv.DictReader(file))
        logs = {}
        for policy in ("bts", "random"):
            logs[policy] = [r for r in rows if r["policy"] == policy and r["campaign"] == "men"]
            with open(d / f"{policy}.csv", "w", newline="") as out:
                writer = csv.DictWriter(out, ["item_id", "click", "propensity"], extrasaction="ignore")
                writer.writeheader()
                writer.writerows(logs[policy])
        # From the log of the one, what choosing evenly earns; the other one did that.
        told = json.loads(program.ok("policy", "evaluate", "--input", d / "bts.csv", "--arm", "item_id", "--reward",
                                     "click", "--target", "uniform", "--json")[0])
        share = 1 / told["arms"]
        mean, low, high, snips = estimates([(float(r["click"]), float(r["propensity"]), share) for r in logs["bts"]])
        for name, value in (("value", mean), ("low", low), ("high", high)):
            assert abs(told["ips"][name] - value) < 1e-6, (told["ips"], mean, low, high)
        assert abs(told["snips"]["value"] - snips) < 1e-9, (told, snips)
        truth = sum(float(r["click"]) for r in logs["random"]) / len(logs["random"])
        # Both are estimates: of 10,000 rows, of which one in 200 was clicked.
        off = 1.96 * math.sqrt(truth * (1 - truth) / len(logs["random"]))
        for estimate in ("ips", "snips", "doubly_robust"):
            half = (told[estimate]["high"] - told[estimate]["low"]) / 2
            assert abs(told[estimate]["value"] - truth) <= math.hypot(half, off), (estimate, told, truth)
        assert told["logged"]["value"] > truth, told  # it had learned something


def check_a_target_that_learns_is_judged_by_what_it_did_not_learn(program):
    with program.scratch() as d:
        draw = random.Random(3)
        with open(d / "log.csv", "w") as out:
            out.write("arm,reward,propensity,x\n")
            for _ in range(6000):
                x = draw.choice([0, 1])
                arm = draw.choice("ab")
                paid = int(draw.random() < (0.8 if (arm == "a") == (x == 1) else 0.2))
                out.write(f"{arm},{paid},0.5,{x}\n")
        told = json.loads(program.ok("policy", "evaluate", "--input", d / "log.csv", "--target", "linucb", "--features",
                                     "x", "--set", "alpha=0.1", "--json")[0])
        assert told["rows"] == told["learned_rows"] == 3000, told
        for estimate in ("ips", "snips", "doubly_robust"):
            assert told[estimate]["low"] <= 0.8 <= told[estimate]["high"], told
        assert told["doubly_robust"]["high"] - told["doubly_robust"]["low"] < told["ips"]["high"] - told["ips"]["low"]
        text, _ = program.ok("policy", "evaluate", "--input", d / "log.csv", "--target", "arm:a")
        assert "doubly_robust" in text and "effective_rows" in text, text
        for line, code, message in (("a,1,0,1", 65, "propensity"), ("a,,0.5,1", 65, "--missing"),
                                    ("a,1,0.5", 65, "cells"), ("a,much,0.5,1", 65, "no number")):
            (d / "bad.csv").write_text(f"arm,reward,propensity,x\nb,1,0.5,1\n{line}\n")
            given, _, err = program.run("policy", "evaluate", "--input", d / "bad.csv")
            assert given == code and message in err and "bad.csv:3" in err, (given, err)
