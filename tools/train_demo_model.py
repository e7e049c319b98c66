#!/usr/bin/env python3
"""Trains examples/fraud/fraud.lgb.txt, the model of `headrace demo fraud`.

    tools/train_demo_model.py [--binary build/headrace] [--output examples/fraud/fraud.lgb.txt]

Payments come from `headrace demo fraud --print-payments` with seeds that the demo does not use by
default, their features from `headrace run` over the demo's own statements: a feature has one
definition. Needs the Python package lightgbm (pip install lightgbm).
"""
import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FEATURES = ["amount", "n_10m", "n_1d", "sum_1h", "terminals_1d", "vs_week", "n_at_terminal_4h",
            "avg_at_terminal_4h"]
SEEDS, EVENTS = range(1001, 1013), 20_000


def statements():
    """The demo's script without the model and what follows from it."""
    text = (ROOT / "examples" / "fraud" / "app.sql").read_text()
    text = re.sub(r"--[^\n]*\n", "\n", text)
    parts = [part.strip() for part in text.split(";")]
    kept = [part for part in parts if part.startswith(("CREATE STREAM payments", "CREATE STREAM decisions"))]
    decisions = re.sub(r",\s*PREDICT\(fraud\) AS risk.*?AS decision", "", kept[1], flags=re.S)
    return f"{kept[0]};\n{decisions};\n"


def rows(binary, seed, directory):
    """(features, label) of one seed's payments."""
    command = [binary, "demo", "fraud", "--print-payments", "--seed", str(seed), "--events", str(EVENTS)]
    payments = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (directory / "app.sql").write_text(statements())
    done = subprocess.run([binary, "run", directory / "app.sql", "--input", "payments=-", "--output", "decisions=-"],
                          input=payments, check=True, capture_output=True, text=True)
    labels = {p["tx_id"]: p["is_fraud"] for p in map(json.loads, payments.splitlines())}
    for row in map(json.loads, done.stdout.splitlines()):
        yield [row[name] for name in FEATURES], labels[row["tx_id"]]


def main():
    import lightgbm
    import numpy

    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build" / "headrace"))
    parser.add_argument("--output", default=str(ROOT / "examples" / "fraud" / "fraud.lgb.txt"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        table = [row for seed in SEEDS for row in rows(options.binary, seed, Path(directory))]
    features, labels = numpy.array([f for f, _ in table], dtype=float), numpy.array([y for _, y in table])
    parameters = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.06, "min_data_in_leaf": 60,
                  "lambda_l2": 1.0, "seed": 7, "deterministic": True, "force_row_wise": True, "num_threads": 1,
                  "verbose": -1}
    model = lightgbm.train(parameters, lightgbm.Dataset(features, labels, feature_name=FEATURES), num_boost_round=100)
    model.save_model(options.output)
    scores = model.predict(features)
    for name, threshold in (("review", 0.2), ("decline", 0.8)):
        chosen = scores > threshold
        print(f"{name}: {chosen.sum()} of {len(labels)} payments, {labels[chosen].mean():.3f} of them fraud")


if __name__ == "__main__":
    main()
