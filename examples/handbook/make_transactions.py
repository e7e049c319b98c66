#!/usr/bin/env python3
"""Prints card transactions with frauds in them as CSV, in the order of their time.

    make_transactions.py [--customers 500] [--terminals 1000] [--days 120] [--seed 1] > transactions.csv

A small simulator after the one that the Fraud Detection Handbook describes. Customers have a home, a
usual amount and a usual number of payments a day, and pay at terminals near their home. Frauds are:
every amount above 220; what passes a compromised terminal, for 28 days; and a third of what is paid
with a leaked card, at five times the amount, for 14 days. Python's standard library only.
"""
import argparse
import random
import sys
from datetime import datetime, timedelta, timezone

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
NEAR = 25            # terminals a customer uses
LARGE = 220.0
TERMINAL_DAYS, CARD_DAYS = 28, 14


def customers_and_places(draw, options):
    terminals = [(draw.random(), draw.random()) for _ in range(options.terminals)]
    for customer in range(options.customers):
        x, y = draw.random(), draw.random()
        near = sorted(range(len(terminals)), key=lambda t: (terminals[t][0] - x) ** 2 + (terminals[t][1] - y) ** 2)
        yield customer, draw.uniform(5, 100), draw.uniform(0.2, 4), near[:NEAR]


def genuine(draw, options):
    """(seconds since the start, customer, terminal, amount) of every payment, by time."""
    payments = []
    for customer, mean, a_day, near in customers_and_places(draw, options):
        second = 0.0
        while (second := second + draw.expovariate(a_day / 86400)) < options.days * 86400:
            if draw.random() < 0.4 and not 6 <= second % 86400 / 3600 < 22:
                continue  # fewer at night
            amount = draw.gauss(mean, mean / 2)
            payments.append((int(second), customer, draw.choice(near), amount if amount > 0 else draw.uniform(0, 2 * mean)))
    return sorted(payments)


def outbreaks(draw, count, days, lasts, one_in):
    """{(index, day)} of what is compromised: a few begin each day and last so long."""
    return {(index, day + d) for day in range(days) for index in draw.sample(range(count), k=max(1, count // one_in))
            for d in range(lasts)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in (("customers", 500), ("terminals", 1000), ("days", 120), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    payments = genuine(draw, options)
    terminals = outbreaks(draw, options.terminals, options.days, TERMINAL_DAYS, 5000)
    cards = outbreaks(draw, options.customers, options.days, CARD_DAYS, 1500)
    print("tx_id,ts,customer_id,terminal_id,amount,is_fraud")
    for number, (second, customer, terminal, amount) in enumerate(payments):
        day = second // 86400
        stolen = (customer, day) in cards and draw.random() < 1 / 3
        amount *= 5 if stolen else 1
        fraud = stolen or amount > LARGE or (terminal, day) in terminals
        ts = (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        sys.stdout.write(f"{number},{ts},{customer},{terminal},{amount:.2f},{int(fraud)}\n")


if __name__ == "__main__":
    main()
