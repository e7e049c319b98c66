#!/usr/bin/env python3
"""Trains fraud.lgb.txt from the rows that features.sql gave. Needs lightgbm (pip install lightgbm).

    train.py features.jsonl [--output fraud.lgb.txt]

Learns from the first two thirds of the rows and is judged on the last sixth: between them lie the
days in which frauds are not yet known.
"""
import argparse
import json
from pathlib import Path

NOT_FEATURES = {"tx_id", "ts", "customer_id", "terminal_id", "is_fraud"}


def main():
    import lightgbm
    import numpy

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("features")
    parser.add_argument("--output", default=str(Path(__file__).parent / "fraud.lgb.txt"))
    options = parser.parse_args()
    with open(options.features) as lines:
        rows = [json.loads(line) for line in lines]
    names = [name for name in rows[0] if name not in NOT_FEATURES]
    table = numpy.array([[row[name] for name in names] for row in rows], dtype=float)
    labels = numpy.array([row["is_fraud"] for row in rows])
    end, begin = len(rows) * 4 // 6, len(rows) * 5 // 6
    parameters = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.08, "min_data_in_leaf": 40,
                  "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1}
    model = lightgbm.train(parameters, lightgbm.Dataset(table[:end], labels[:end], feature_name=names), 60)
    model.save_model(options.output)
    score = model.predict(table[begin:])
    order = numpy.argsort(score, kind="stable")
    rank = numpy.empty(len(order))
    rank[order] = numpy.arange(1, len(order) + 1)
    frauds = labels[begin:] == 1
    pairs = frauds.sum() * (~frauds).sum()
    auc = (rank[frauds].sum() - frauds.sum() * (frauds.sum() + 1) / 2) / pairs
    print(f"{options.output}: {end} rows learned, ROC AUC {auc:.3f} on the {len(score)} last ones, {frauds.sum()} of them frauds")


if __name__ == "__main__":
    main()
