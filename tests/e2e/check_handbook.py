"""examples/handbook: the features against brute force, and against the handbook's own data when it is there."""
import collections
import csv
import gzip
import json
import math
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from fractions import Fraction

from program import ROOT, Skip

EXAMPLE = ROOT / "examples" / "handbook"
DATA = ROOT.parent / "shared" / "data" / "fraud"
DAY = 86400
EVENTS = 1_754_155


def as_double(numerator, denominator):
    """The quotient of two integers, rounded once."""
    return float(Fraction(numerator, denominator)) if denominator else 0.0


def expected(rows):
    """The handbook's features of each row, by definition: quadratic in what one customer and one terminal did."""
    customers, terminals = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        t = int(datetime.fromisoformat(row["ts"].replace("Z", "+00:00")).timestamp())
        moment = datetime.fromtimestamp(t, timezone.utc)
        mine, here = customers[row["customer_id"]], terminals[row["terminal_id"]]
        mine.append((t, round(float(row["amount"]) * 100)))
        here.append((t, int(row["is_fraud"])))
        want = {"tx_during_weekend": int(moment.weekday() >= 5), "tx_during_night": int(moment.hour <= 6)}
        for days in (1, 7, 30):
            cents = [c for s, c in mine if t - days * DAY < s <= t]
            frauds = [f for s, f in here if t - (7 + days) * DAY < s <= t - 7 * DAY]
            want[f"customer_id_nb_tx_{days}day_window"] = len(cents)
            want[f"customer_id_avg_amount_{days}day_window"] = as_double(sum(cents), 100 * len(cents))
            want[f"terminal_id_nb_tx_{days}day_window"] = len(frauds)
            want[f"terminal_id_risk_{days}day_window"] = as_double(sum(frauds), len(frauds))
        yield want


def same(name, got, want):
    """Exact, but for means: SQL rounds a DECIMAL mean to 16 digits or more before it becomes a double."""
    got, want = float(got), float(want)
    return got == want or "avg" in name and math.isclose(got, want, rel_tol=4e-16)


def check_the_features_equal_brute_force(program):
    with program.scratch() as d:
        simulator = [sys.executable, str(EXAMPLE / "make_transactions.py"), "--customers", "40", "--terminals", "30",
                     "--days", "70", "--seed", "3"]
        with open(d / "tx.csv", "w") as f:
            subprocess.run(simulator, check=True, stdout=f)
        program.ok("run", EXAMPLE / "features.sql", EXAMPLE / "score.sql", "--input", f"transactions={d / 'tx.csv'}",
                   "--output", f"scored={d / 'out.jsonl'}", "--once", "--data", d / "data")
        with open(d / "tx.csv") as f:
            rows = list(csv.DictReader(f))
        got = [json.loads(line) for line in (d / "out.jsonl").read_text().splitlines()]
        assert len(got) == len(rows) > 3000 and sum(r["is_fraud"] for r in got) > 50, (len(got), len(rows))
        for row, want in zip(got, expected(rows)):
            for name, value in want.items():
                assert same(name, row[name], value), (row, name, value)
        program.ok("verify", "--data", d / "data")
        (d / "rows.csv").write_text(",".join(got[0]) + "\n" + "".join(",".join(map(str, r.values())) + "\n" for r in got))
        out, _ = program.ok("model", "score", EXAMPLE / "fraud.lgb.txt", "--input", d / "rows.csv")
        scores = [float(line.split(",")[-1]) for line in out.splitlines()[1:]]
        assert scores == [r["score"] for r in got], "PREDICT and `model score` differ"


def check_the_commands_of_its_readme_work(program):
    with program.scratch() as d:
        shutil.copytree(EXAMPLE, d / "examples" / "handbook")
        blocks = re.findall(r"^```sh\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.S | re.M)
        commands = "\n".join(line for block in blocks for line in block.splitlines() if "train.py" not in line)
        assert commands.count("headrace ") >= 3, commands
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"headrace() {{ '{program.binary}' \"$@\"; }}\n{commands}"],
                              cwd=d, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-600:]}"


def check_features_and_scores_equal_the_handbooks(program):
    if not DATA.exists():
        raise Skip("no ../shared/data")
    with program.scratch() as d:
        for name in ("features.sql", "score.sql"):
            shutil.copy(EXAMPLE / name, d)
        shutil.copy(DATA / "fraud.lgb.txt", d)
        _, err = program.ok("run", d / "features.sql", d / "score.sql", "--input",
                            f"transactions={DATA / 'transactions.csv.gz'}", "--output", f"scored={d / 'out.jsonl'}",
                            "--once", timeout=600)
        assert f"events={EVENTS} " in err and " dead=0 " in err, err
        with gzip.open(DATA / "features_oracle.csv.gz", "rt") as f:
            features = {row["tx_id"]: row for row in csv.DictReader(f)}
        with gzip.open(DATA / "fraud_scores.csv.gz", "rt") as f:
            scores = {row["tx_id"]: float(row["score"]) for row in csv.DictReader(f)}
        compared, rows = 0, 0
        with open(d / "out.jsonl") as lines:
            for line in lines:
                rows += 1
                want = features.get(line[len('{"tx_id":'):line.index(",")])
                if want is None:
                    continue
                got = json.loads(line)
                for name, value in want.items():
                    if name != "ts":
                        compared += 1
                        assert same(name, got[name], value), (got["tx_id"], name, got[name], value)
                if want["tx_id"] in scores:
                    compared += 1
                    assert got["score"] == scores[want["tx_id"]], (got["tx_id"], got["score"], scores[want["tx_id"]])
        assert rows == EVENTS and compared > 6_000_000, (rows, compared)
