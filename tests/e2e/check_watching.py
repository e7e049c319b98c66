"""Detectors of change report where their references do, to the row."""
import json

from program import ROOT, Skip

DATA = ROOT.parent / "shared" / "data"

# The references' names, and the call.
STREAM_CALLS = {"ADWIN": "adwin({})", "PageHinkley": "page_hinkley({})", "DDM": "ddm({})", "EDDM": "eddm({})",
                "HDDM_A": "hddm_a({})", "HDDM_W": "hddm_w({})"}
MODEL_CALLS = {"ADWIN(delta=0.002)": "adwin({})", "ADWIN(delta=0.0001)": "adwin({}, 0.0001)",
               "ADWIN(delta=0.002,clock=1)": "adwin({}, clock => 1)", "PageHinkley()": "page_hinkley({})",
               "PageHinkley(threshold=20,delta=0.01,min_instances=50)":
                   "page_hinkley({}, threshold => 20, delta => 0.01, min_instances => 50)",
               "DDM()": "ddm({})", "EDDM()": "eddm({})", "HDDM_A()": "hddm_a({})", "HDDM_W()": "hddm_w({})"}


def detected(program, folder, file, columns, calls):
    """Row numbers at which each call is true. The rows come as they stand in the CSV."""
    types = ", ".join(f"{c} DOUBLE PRECISION" for c in columns)
    items = ", ".join(f"{call} AS d{i}" for i, call in enumerate(calls))
    (folder / "app.sql").write_text(f"CREATE STREAM s ({types});\nCREATE STREAM d AS SELECT {items} FROM s;\n")
    program.ok("run", folder / "app.sql", "--input", f"s={file}", "--output", f"d={folder / 'd.jsonl'}", "--once",
               "--workers", "2")
    found = [[] for _ in calls]
    with open(folder / "d.jsonl") as rows:
        for number, row in enumerate(map(json.loads, rows)):
            for i, places in enumerate(found):
                if row[f"d{i}"]:
                    places.append(number)
    return found


def check_detectors_report_where_river_does(program):
    if not DATA.exists():
        raise Skip("no ../shared/data")
    reference = json.loads((DATA / "streams" / "reference.json").read_text())["drift"]
    calls, wanted = [], []
    for name, columns in reference.items():
        for column, want in columns.items():
            calls.append(STREAM_CALLS[name.partition("(")[0]].format(column))
            wanted.append(want)
            if "warnings" in want:
                calls.append(calls[-1].replace("(", "_warning(", 1))
                wanted.append(want["warnings"])
    columns = ("t", "abrupt_bits", "gradual_bits", "steady_bits", "shift_values", "steady_values")
    with program.scratch() as d:
        found = detected(program, d, DATA / "streams" / "drift_inputs.csv.gz", columns, calls)
    for call, got, want in zip(calls, found, wanted):
        assert want == (len(got) if isinstance(want, int) else {**want, "detections": got}), (call, got, want)


def check_detectors_report_where_river_does_on_other_series(program):
    if not DATA.exists():
        raise Skip("no ../shared/data")
    online = DATA / "models" / "online"
    for series, reference in json.loads((online / "expected.json").read_text())["detectors"].items():
        column = (online / f"{series}.csv").read_text().partition("\n")[0]
        names = [name for name in reference if name in MODEL_CALLS]
        with program.scratch() as d:
            found = detected(program, d, online / f"{series}.csv", [column],
                             [MODEL_CALLS[name].format(column) for name in names])
        for name, got in zip(names, found):
            assert got == reference[name]["drift"], (series, name, got)


def check_kswin_reports_as_often_as_river(program):
    """It draws other samples: of ten seeds of each the mean is compared."""
    if not DATA.exists():
        raise Skip("no ../shared/data")
    calls = [f"kswin(x, seed => {seed})" for seed in range(10)]
    with program.scratch() as d:
        found = detected(program, d, DATA / "models" / "online" / "drift_real.csv", ["x"], calls)
    mean = sum(map(len, found)) / len(found)
    assert 14 <= mean <= 19, mean  # River: 13 to 21 changes, in the mean of twelve seeds 16.4


def check_distances_are_those_of_scipy(program):
    """With room for all values the sketches are exact; with little room they keep their bound."""
    if not DATA.exists():
        raise Skip("no ../shared/data")
    metrics = DATA / "models" / "metrics"
    reference = (metrics / "drift_reference.csv").read_text()
    calls = {"psi_10": "psi(x, 5000, {n}, k => {k})", "ks": "ks_distance(x, 5000, {n}, {k})",
             "wasserstein": "wasserstein(x, 5000, {n}, {k})",
             "js_distance_10_bins_base2": "js_distance(x, 5000, {n}, k => {k})"}
    for name, want in json.loads((metrics / "expected.json").read_text())["drift"].items():
        current = (metrics / f"drift_{name}.csv").read_text().split("\n", 1)[1]
        for k, room in ((100_000, 1e-9), (400, 0.03)):
            with program.scratch() as d:
                (d / "all.csv").write_text(reference + current)
                items = ", ".join(f"{call.format(n=current.count(chr(10)), k=k)} AS {key}" for key, call in calls.items())
                (d / "app.sql").write_text("CREATE STREAM s (x DOUBLE PRECISION);\n"
                                           f"CREATE STREAM d AS SELECT {items} FROM s;\n")
                program.ok("run", d / "app.sql", "--input", f"s={d / 'all.csv'}", "--output", f"d={d / 'd.jsonl'}",
                           "--once")
                rows = (d / "d.jsonl").read_text().splitlines()
            before, last = json.loads(rows[-2]), json.loads(rows[-1])
            for key in calls:
                assert before[key] is None, (name, key, before)
                if k == 400 and key != "ks":
                    continue
                assert abs(last[key] - want[key]) <= room * max(1, want[key]), (name, key, k, last[key], want[key])
