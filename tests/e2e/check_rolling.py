"""28 rolling features over 100,000 disordered events equal an independent computation."""
import gzip
import json
from datetime import datetime
from decimal import Decimal

from program import ROOT, Skip

DATA = ROOT.parent / "shared" / "data" / "sql" / "rolling"


def micros(text):
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def same(kind, got, want):
    """The oracle rounds means to 6 decimals and what is marked approximate to 12 digits; the rest is exact."""
    if got is None or want is None or kind == "text":
        return got == want
    if kind == "time":
        return micros(got) == want
    got, want = Decimal(got), Decimal(want)
    if kind == "avg":
        return abs(got - want) <= Decimal("0.0000005")
    return got == want or kind == "approx" and abs(got - want) <= Decimal("1e-11") * abs(want)


def check_features_equal_the_oracle(program):
    if not DATA.exists():
        raise Skip("no ../shared/data")
    with program.scratch() as d:
        _, err = program.ok("run", DATA / "features.sql", "--input", f"payments={DATA / 'events.jsonl.gz'}", "--output",
                            f"features={d / 'out.jsonl'}", "--once")
        assert "events=100000 " in err and " dead=0 late=0 " in err, err
        with gzip.open(DATA / "expected.jsonl.gz", "rt") as oracle, open(d / "out.jsonl") as rows:
            head, wrong, count = json.loads(next(oracle)), {}, 0
            for line, row in zip(oracle, rows, strict=True):
                got, count = json.loads(row, parse_float=Decimal), count + 1
                for name, kind, want in zip(head["columns"], head["types"], json.loads(line, parse_float=Decimal)):
                    if not same(kind, got[name], want):
                        wrong.setdefault(name, []).append((got["seq"], str(got[name]), str(want)))
        assert count == 100_000 and list(got) == head["columns"], (count, list(got))
        assert not wrong, {name: (len(cases), cases[0]) for name, cases in wrong.items()}
