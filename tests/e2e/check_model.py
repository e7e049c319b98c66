"""Model files on the command line: measured against labels."""
import json
import math
import re

STUMP = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective=binary sigmoid:1
feature_names=x
feature_infos=[0:9]

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=2.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=-1 1
is_linear=0
shrinkage=1


end of trees
"""


def check_evaluate_measures_a_model(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(STUMP)
        (d / "rows.csv").write_text("y,x\n0,1\n0,2\n1,3\n0,4\n1,5\n")
        out, _ = program.ok("model", "evaluate", d / "m.txt", "--input", d / "rows.csv", "--label", "y", "--json")
        got = json.loads(out)
        p = 1 / (1 + math.exp(-1))
        assert (got["objective"], got["rows"], got["accuracy"]) == ("binary", 5, 0.8), got
        assert abs(got["roc_auc"] - 5 / 6) < 1e-15 and abs(got["pr_auc"] - 2 / 3) < 1e-15, got
        assert abs(got["log_loss"] + (4 * math.log(p) + math.log(1 - p)) / 5) < 1e-15, got
        text, _ = program.ok("model", "evaluate", d / "m.txt", "--input", d / "rows.csv", "--label", "y")
        assert "roc_auc     0.8333" in text, text


def check_a_learner_is_measured_while_it_learns(program):
    with program.scratch() as d:
        rows = [f"{i},{i * 37 % 100},{i * 53 % 100},n{i},{'up' if i * 37 % 100 > i * 53 % 100 else 'down'}" for i in range(2000)]
        (d / "rows.csv").write_text("\n".join(["i,a,b,note,y", *rows]) + "\n")
        common = ("model", "evaluate", "--prequential", "hoeffding_tree", "--input", d / "rows.csv", "--label", "y", "--ignore", "i,note")
        got = json.loads(program.ok(*common, "--json")[0])
        assert got["rows"] == 2000 and got["accuracy"] > 0.85 and got["kappa"] > 0.7, got
        last = sum(a.rsplit(",")[-1] == b.rsplit(",")[-1] for a, b in zip(rows, rows[1:])) / 2000
        assert got["no_change"] == last and abs(got["kappa_temporal"] - (got["accuracy"] - last) / (1 - last)) < 1e-12, got
        late = json.loads(program.ok(*common, "--delay", "500", "--set", "grace_period=100", "--json")[0])
        assert late["accuracy"] < got["accuracy"] - 0.1, late
        assert "kappa_temporal " in program.ok(*common)[0]
        for extra, status, code in ((("--set", "grace=1"), 78, "HR3081"), (("--features", "note"), 65, "HR3005")):
            got = program.run(*common[:-2], *extra)
            assert got[0] == status and code in got[2], got
        assert program.run(*common, "m.txt")[0] == 2


def check_evaluate_says_where_the_rows_are_wrong(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(STUMP)
        for rows, code, place in (("y,x\n0,1\n2,2\n", "HR3008", "rows.csv:3"), ("y,x\n0,red\n", "HR3005", "rows.csv:2"),
                                  ("z,x\n0,1\n", "HR3005", "rows.csv:1")):
            (d / "rows.csv").write_text(rows)
            status, out, err = program.run("model", "evaluate", d / "m.txt", "--input", d / "rows.csv", "--label", "y")
            assert (status, out) == (65, "") and code in err and place in err, (status, err)
        assert program.run("model", "evaluate", d / "m.txt", "--input", d / "rows.csv")[0] == 2
        assert program.run("model", "evaluate", d / "absent", "--input", d / "rows.csv", "--label", "y")[0] == 66


def rows_with_words(n=300):
    lines = ["amount,country,note,y"]
    for i in range(n):
        amount, country = i * 37 % 100, ("DE", "FR", "IT")[i % 3]
        lines.append(f"{'' if i % 11 == 0 else amount},{country},n{i},{int(amount > 60 and country != 'DE')}")
    return "\n".join(lines) + "\n"


GOLDEN = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=amount country
monotone_constraints=1 0
feature_infos=[0:99] 0:1:2
tree_sizes=634 636

Tree=0
num_leaves=4
num_cat=1
split_feature=0 1 0
split_gain=143.08306177160773 99.18603578460798 7.782862161954654
threshold=60.5 0 60.5
decision_type=10 9 8
left_child=2 -2 -1
right_child=1 -3 -4
leaf_value=-1.1811036901608318 -0.9976593568010851 -0.661353170567303 -1.0511660602624495
leaf_weight=31.93840000964701 6.7340000020340085 13.660400004126132 5.387200001627207
leaf_count=166 35 71 28
internal_value=1.161732940957387e-09 2.1299964701374776 -1.1638125025054264
internal_weight=57.72000001743436 20.39440000616014 37.32560001127422
internal_count=300 106 194
cat_boundaries=0 1
cat_threshold=1
is_linear=0
shrinkage=0.1


Tree=1
num_leaves=4
num_cat=1
split_feature=0 1 0
split_gain=104.94155382739469 70.88255960222358 7.229511565701529
threshold=60.5 0 60.5
decision_type=10 9 8
left_child=2 -2 -1
right_child=1 -3 -4
leaf_value=-0.13069397849018102 0.02617579435464823 0.29374122099293504 -0.004690113731697105
leaf_weight=29.829784471541643 6.888857560697943 15.942285767756402 5.37374884262681
leaf_count=166 35 71 28
internal_value=-0.03166671513292765 1.6381132964810392 -1.1145974093880746
internal_weight=58.0346766426228 22.831143328454345 35.20353331416845
internal_count=300 106 194
cat_boundaries=0 1
cat_threshold=1
is_linear=0
shrinkage=0.1


end of trees

feature_importances:
amount=4
country=2

parameters:
[boosting: gbdt]
[objective: binary]
[num_iterations: 2]
[learning_rate: 0.1]
[num_leaves: 4]
[min_data_in_leaf: 20]
[lambda_l2: 0]
[categorical_feature: 1]

end of parameters

pandas_categorical:[["DE", "FR", "IT"]]
"""


def check_train_writes_these_bytes_whatever_the_threads(program):
    with program.scratch() as d:
        (d / "rows.csv").write_text(rows_with_words())
        baselines = set()
        for threads in (1, 4):
            program.ok("model", "train", "--input", d / "rows.csv", "--label", "y", "--objective", "binary", "--output",
                       d / "m.txt", "--ignore", "note", "--categorical", "country", "--trees", "2", "--leaves", "4",
                       "--monotone", "amount=+1", "--threads", threads)
            lines = (d / "m.txt").read_text().splitlines(keepends=True)
            baselines.update(line for line in lines if line.startswith("headrace_baseline="))
            text = "".join(line for line in lines if line not in baselines)
            assert text == GOLDEN, text
        # 28 of 300 amounts are missing; the score has a column, too.
        (baseline,) = baselines
        amount, country, scores = (part.split() for part in baseline.split("|")[1:])
        assert baseline.startswith("headrace_baseline=1 300|"), baseline
        assert (float(amount[0]), amount[1], amount[-1]) == (28 / 300, "0", "99"), amount
        assert (country[0], country[1], country[-1], scores[0]) == ("0", "0", "2", "0"), (country, scores)


def check_a_trained_model_is_loaded_measured_and_run(program):
    with program.scratch() as d:
        (d / "rows.csv").write_text(rows_with_words())
        _, err = program.ok("model", "train", "--input", d / "rows.csv", "--label", "y", "--objective", "binary", "--output",
                            d / "m.txt", "--ignore", "note", "--categorical", "country", "--validation", d / "rows.csv",
                            "--early-stopping", "5")
        assert "rows=300 features=2 trees=" in err and "validation_loss=" in err, err
        out, _ = program.ok("model", "evaluate", d / "m.txt", "--input", d / "rows.csv", "--label", "y", "--json")
        assert json.loads(out)["roc_auc"] > 0.97, out
        (d / "app.sql").write_text(f"CREATE MODEL m WITH (path = '{d / 'm.txt'}');\n"
                                   "CREATE STREAM rows (amount DOUBLE PRECISION, country TEXT) WITH (topic = 'rows', format = 'json');\n"
                                   "CREATE STREAM scored AS SELECT PREDICT(m, amount, country) AS score FROM rows;\n")
        out, _ = program.ok("run", d / "app.sql", "--input", f"rows={d / 'rows.csv'}", "--output", "scored=-", "--once")
        streamed = [json.loads(line)["score"] for line in out.splitlines()]
        out, _ = program.ok("model", "score", d / "m.txt", "--input", d / "rows.csv")
        assert streamed == [float(line) for line in out.splitlines()[1:]]


def check_predict_gives_the_bits_of_every_algorithm(program):
    """PREDICT, model score, and whatever --threads: one file, one answer; contributions add up to the raw score."""
    lines = ["x,z,w,y"] + [f"{i * 37 % 100},{'' if i % 9 == 0 else i * 11 % 30},w{i % 4},{int(i * 37 % 100 > 60 or i % 4 == 3)}"
                           for i in range(400)]
    with program.scratch() as d:
        (d / "rows.csv").write_text("\n".join(lines) + "\n")
        base = ["model", "train", "--input", d / "rows.csv", "--output", d / "m.txt"]
        labelled = ["--label", "y", "--objective", "binary", "--categorical", "w"]
        for name, flags in (("forest", [*labelled, "--trees", "10"]), ("linear", labelled),
                            ("isolation", ["--features", "x,z"]), ("kmeans", ["--features", "x,z", "--clusters", "3"])):
            program.ok(*base, "--algorithm", name, *flags, "--threads", "3")
            bytes_of_three = (d / "m.txt").read_bytes()
            program.ok(*base, "--algorithm", name, *flags, "--threads", "1")
            assert (d / "m.txt").read_bytes() == bytes_of_three, name
            out, _ = program.ok("model", "score", d / "m.txt", "--input", d / "rows.csv")
            scored = [[float(cell) for cell in line.split(",")] for line in out.splitlines()[1:]]
            (d / "app.sql").write_text(f"CREATE MODEL m WITH (path = '{d / 'm.txt'}');\n"
                                       "CREATE STREAM rows (x DOUBLE PRECISION, z DOUBLE PRECISION, w TEXT);\n"
                                       "CREATE STREAM scored AS SELECT x, z, w, PREDICT(m) AS score FROM rows;\n")
            out, _ = program.ok("run", d / "app.sql", "--input", f"rows={d / 'rows.csv'}", "--output", "scored=-", "--once")
            streamed = [json.loads(line)["score"] for line in out.splitlines()]
            assert [s if isinstance(s, list) else [s] for s in streamed] == scored, (name, streamed[:3], scored[:3])
            raw, _ = program.ok("model", "score", d / "m.txt", "--input", d / "rows.csv", "--output", "raw")
            parts, _ = program.ok("model", "score", d / "m.txt", "--input", d / "rows.csv", "--output", "contributions")
            for line, told in list(zip(raw.splitlines(), parts.splitlines()))[1:]:
                sums = sum(map(float, line.split(",")))
                assert abs(sums - sum(map(float, told.split(",")))) < 1e-9 * max(1, abs(sums)), (name, line, told)


def check_folds_calibration_and_search(program):
    lines = ["x,who,day,y"] + [f"{i * 37 % 100},p{i % 25},2026-01-{1 + i // 20:02d}T00:00:00Z,{int(i * 37 % 100 + i % 25 > 70)}"
                               for i in range(400)]
    with program.scratch() as d:
        (d / "rows.csv").write_text("\n".join(lines) + "\n")
        base = ["--input", d / "rows.csv", "--label", "y", "--objective", "binary", "--features", "x"]
        out, _ = program.ok("model", "train", *base, "--folds", "3", "--time", "day", "--output", d / "m.txt", "--json")
        folds = json.loads(out)
        assert [f["fold"] for f in folds] == ["1", "2", "3", "mean"] and folds[2]["learned"] == 300, folds
        assert folds[3]["roc_auc"] == sum(f["roc_auc"] for f in folds[:3]) / 3, folds
        out, _ = program.ok("model", "train", *base, "--folds", "4", "--group", "who", "--output", d / "m.txt", "--jsonl")
        assert sum(json.loads(line)["tested"] for line in out.splitlines()[:4]) == 400, out
        tune = ["model", "tune", *base, "--folds", "3", "--time", "day", "--range", "leaves=2:20", "--range",
                "learning-rate=0.01:0.5", "--trees", "10", "--budget", "4"]
        out, _ = program.ok(*tune, "--output", d / "a.txt", "--table", d / "a.csv", "--json", "--threads", "3")
        table = json.loads(out)
        best = max(table, key=lambda row: row["roc_auc"])
        assert len(table) == 4 and best["best"] and table[0]["leaves"] == 31, table
        program.ok(*tune, "--output", d / "b.txt", "--table", d / "b.csv", "--threads", "1")
        assert (d / "a.txt").read_bytes() == (d / "b.txt").read_bytes() and (d / "a.csv").read_bytes() == (d / "b.csv").read_bytes()
        program.ok("model", "train", *base, "--trees", "10", "--leaves", best["leaves"], "--learning-rate", best["learning-rate"],
                   "--output", d / "c.txt")
        assert (d / "c.txt").read_bytes() == (d / "a.txt").read_bytes()
        for method in ("platt", "isotonic"):
            program.ok("model", "calibrate", d / "a.txt", "--input", d / "rows.csv", "--label", "y", "--method", method,
                       "--output", d / "fit.txt")
            measured = [json.loads(program.ok("model", "evaluate", d / name, "--input", d / "rows.csv", "--label", "y",
                                              "--json")[0]) for name in ("a.txt", "fit.txt")]
            assert measured[1]["log_loss"] < measured[0]["log_loss"], (method, measured)


def check_a_training_set_is_learned_from_straight_from_the_log(program):
    with program.scratch() as d:
        (d / "app.sql").write_text(
            "CREATE STREAM pays (id TEXT, amount DOUBLE PRECISION, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);\n"
            "CREATE STREAM seen AS SELECT id, ts, amount, count(*) OVER (PARTITION BY id ORDER BY ts) AS nth FROM pays;\n"
            "CREATE STREAM backs (id TEXT, fraud BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);\n")
        with open(d / "pays.jsonl", "w", encoding="utf-8") as pays, open(d / "backs.jsonl", "w", encoding="utf-8") as backs:
            for i in range(200):
                day = f"2026-01-{1 + i // 10:02d}T{i % 10:02d}:00:00Z"
                print(json.dumps({"id": f"p{i}", "amount": i * 37 % 100, "ts": day}), file=pays)
                print(json.dumps({"id": f"p{i}", "fraud": int(i * 37 % 100 > 60), "ts": "2026-02-01T00:00:00Z"}), file=backs)
        program.ok("run", d / "app.sql", "--input", f"pays={d / 'pays.jsonl'}", "--input", f"backs={d / 'backs.jsonl'}", "--data",
                   d / "data", "--once")
        labels = ["--labels", "backs", "--on", "id", "--label", "fraud"]
        learn = ["--objective", "binary", "--trees", "5", "--folds", "2", "--time", "ts"]
        program.ok("training-set", "seen", *labels, "--output", d / "rows.csv", "--data", d / "data")
        _, err = program.ok("model", "train", "--training-set", "seen", "--data", d / "data", *labels, *learn, "--output", d / "a.txt")
        assert "left out, being no numbers: id\n" in err, err
        program.ok("model", "train", "--input", d / "rows.csv", "--label", "fraud", "--ignore", "id", *learn, "--output", d / "b.txt")
        assert (d / "a.txt").read_bytes() == (d / "b.txt").read_bytes()
        code, _, err = program.run("model", "train", "--training-set", "seen", *labels, *learn, "--output", d / "c.txt")
        assert code == 2 and "--data" in err, (code, err)


def check_train_says_what_is_wrong(program):
    with program.scratch() as d:
        (d / "rows.csv").write_text(rows_with_words())
        base = ["model", "train", "--input", d / "rows.csv", "--label", "y", "--output", d / "m.txt"]
        code, out, err = program.run(*base, "--objective", "binary")
        assert (code, out) == (65, "") and "HR3005" in err and "rows.csv:2" in err and "--ignore country" in err, (code, err)
        code, _, err = program.run(*base, "--objective", "multiclass", "--features", "amount", "--label=note")
        assert code == 2, (code, err)
        for flags in (["--objective", "best"], [], ["--objective", "quantile"], ["--objective", "binary", "--trees", "0"],
                      ["--objective", "binary", "--early-stopping", "3"], ["--objective", "binary", "--monotone", "amount=2"],
                      ["--objective", "regression", "--class-weight", "balanced"],
                      ["--objective", "quantile", "--quantile", "0.5", "--monotone", "amount=+1"],
                      ["--objective", "binary", "--algorithm", "best"], ["--algorithm", "kmeans"],
                      ["--objective", "binary", "--algorithm", "forest", "--monotone", "amount=+1"],
                      ["--objective", "binary", "--algorithm", "linear", "--trees", "3"],
                      ["--objective", "binary", "--penalty", "1"], ["--objective", "binary", "--folds", "3"],
                      ["--objective", "binary", "--time", "amount"], ["--objective", "binary", "--data", d]):
            code, _, err = program.run(*base, *flags)
            assert code == 2, (flags, code, err)
        code, _, err = program.run(*base, "--objective", "binary", "--features", "amount", "--folds", "90", "--group", "country")
        assert code == 65 and "HR3072" in err, (code, err)
        code, _, err = program.run(*base, "--objective", "binary", "--features", "amount,size")
        assert code == 65 and "HR3005" in err and '"size"' in err, (code, err)
        assert not (d / "m.txt").exists()


APP = """
CREATE STREAM s (x DOUBLE PRECISION, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);
CREATE MODEL m WITH (path = 'm.txt');
CREATE STREAM d AS SELECT x, PREDICT(m) AS p, CASE WHEN p > 0.5 THEN 'stop' ELSE 'go' END AS decision FROM s;
"""


def check_versions_are_added_shadowed_activated_and_rolled_back(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(STUMP)
        (d / "other.txt").write_text(STUMP.replace("threshold=2.5", "threshold=1.5"))
        (d / "app.sql").write_text(APP)
        with program.serve(d / "data", d / "app.sql") as server:
            url = ("--url", f"http://127.0.0.1:{server.port}")
            program.ok("model", "add", "m", d / "other.txt", *url)
            program.ok("model", "shadow", "m", "2", *url)
            for x in range(5):
                server.request("POST", "/api/v1/topics/s/events", {"x": x, "ts": f"2026-01-01T00:00:0{x}Z"})
            shown = json.loads(program.ok("model", "show", "m", "--json", *url)[0])
            assert [v["role"] for v in shown["versions"]] == ["decides", "shadow"], shown
            assert [(c["compared"], c["flips"]) for c in shown["comparisons"]] == [(5, 1)], shown
            assert "5 rows of d compared, 1 would have been decided otherwise" in program.ok("model", "show", "m", *url)[0]
            code, _, err = program.run("model", "promote", "m", "2", *url)
            assert code == 1 and "HR1215" in err and "5 rows compared as a shadow" in err, err
            code, _, err = program.run("model", "promote", "m", "2", "--min-rows", "5", *url)
            assert code == 1 and "20.00 % of the decisions" in err, err
            program.ok("model", "promote", "m", "2", "--min-rows", "5", "--reason", "it's asked for", *url)
            shown = json.loads(program.ok("model", "show", "m", "--json", *url)[0])
            assert shown["history"][1]["reason"].startswith("1 of 5 decisions would") and "it's asked for" in shown["history"][1]["reason"], shown
            assert "rows" in server.request("POST", "/api/v1/topics/s/events?return=d", {"x": 2, "ts": "2026-01-01T00:00:05Z"})[1]
            why = json.loads(program.ok("why", "d:0:5", "--json", *url)[0])
            assert (why["model"]["number"], why["decision"]) == (2, "stop"), why
            program.ok("model", "rollback", "m", *url)
            out = program.ok("sql", "-c", "SELECT decision, count(*) AS n FROM d GROUP BY decision ORDER BY decision", *url)[0]
            assert out.split() == ["decision", "n", "go", "3", "stop", "3"], out
            code, _, err = program.run("model", "activate", "m", "7", *url)
            assert code == 78 and "HR1206" in err, err
            code, _, err = program.run("sql", "-c", "SELECT nothing FROM d", *url)
            assert code == 78 and "HR1104" in err, err
        shown = json.loads(program.ok("model", "show", "m", "--json", "--data", d / "data")[0])
        assert [v["role"] for v in shown["versions"]] == ["decides", ""], shown
        code, _, err = program.run("model", "show", "m")
        assert code == 2 and "either --data DIR or --url URL" in err, err
        code, _, err = program.run("why", "d:0:0", "--url", "http://127.0.0.1:1")
        assert code == 69 and "HR9021" in err, err


def check_a_server_measures_versions_by_labels_as_a_directory_does(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(STUMP)
        (d / "other.txt").write_text(STUMP.replace("threshold=2.5", "threshold=1.5"))
        (d / "app.sql").write_text(APP + "CREATE STREAM truth (x DOUBLE PRECISION, bad BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);")
        labels = ("--labels", "truth", "--on", "x", "--label", "bad")
        with program.serve(d / "data", d / "app.sql") as server:
            url = ("--url", f"http://127.0.0.1:{server.port}")
            program.ok("model", "add", "m", d / "other.txt", *url)
            program.ok("model", "shadow", "m", "2", *url)
            for x in range(6):
                server.request("POST", "/api/v1/topics/s/events", {"x": x, "ts": f"2026-01-01T00:00:0{x}Z"})
                # What is said of 2 in February is that it was none after all.
                for month, bad in (("01", int(x >= 2)), ("02", int(x > 2))):
                    server.request("POST", "/api/v1/topics/truth/events", {"x": x, "bad": bad, "ts": f"2026-{month}-02T00:00:0{x}Z"})
            shown = program.ok("model", "show", "m", "--json", *labels, *url)[0]
            metrics = json.loads(shown)["comparisons"][0]["metrics"]
            assert metrics["labelled"] == 6 and metrics["before"]["roc_auc"] == 1 > metrics["after"]["roc_auc"], metrics
            early = program.ok("model", "show", "m", "--json", *labels, "--as-of", "2026-01-31T00:00:00Z", *url)[0]
            metrics = json.loads(early)["comparisons"][0]["metrics"]
            assert metrics["before"]["roc_auc"] < metrics["after"]["roc_auc"] == 1, metrics
            gate = ("model", "promote", "m", "2", "--min-rows", "5", "--max-flips", "50", *labels, *url)
            metrics = server.request("GET", "/metrics")[1]
            for version, least in (("1", 6), ("2", 6)):
                (rows,) = re.findall(rf'headrace_scores_total{{model="m",version="{version}"}} (\d+)', metrics)
                assert int(rows) >= least and f'headrace_score_duration_seconds_count{{model="m",version="{version}"}}' in metrics, metrics
            assert "microseconds of one score, over 1 rows" in program.ok("model", "show", "m", *labels, *url)[0]
            code, _, err = program.run(*gate)
            assert code == 1 and "its ROC AUC over 6 labels" in err, err
            for query, place in (("labels=truth&on=x", "?label"), ("labels=truth&on=x&label=bad&as_of=soon", "?as_of"), ("what=1", "?what")):
                status, problem = server.request("GET", f"/api/v1/models/m?{query}")
                assert (status, problem["code"], problem["place"]) == (400, "HR8006", place), problem
            status, problem = server.request("GET", "/api/v1/models/m?labels=none&on=x&label=bad")
            assert (status, problem["code"]) == (404, "HR1204"), problem
            server.stop()
        here, there = (json.loads(text) for text in
                       (program.ok("model", "show", "m", "--json", *labels, "--data", d / "data")[0], shown))
        for report in (here, there):
            latency = report["comparisons"][0].pop("latency")
            assert latency["rows"] == 1 and latency["before"]["p50"] > 0 and latency["after"]["p99"] > 0, latency
        assert here == there, (here, there)
        with program.serve(d / "data", d / "app.sql") as server:
            url = ("--url", f"http://127.0.0.1:{server.port}")
            program.ok(*gate[:-2], *url, "--as-of", "2026-01-31T00:00:00Z")
        code, _, err = program.run("model", "show", "m", "--url", "http://127.0.0.1:1", "--labels", "truth")
        assert code == 2 and "--on is missing" in err, err


COUNTED = STUMP.replace("is_linear=0", "leaf_count=10 10\ninternal_count=20\nis_linear=0")
CANARY_APP = """
CREATE STREAM s (card TEXT, x DOUBLE PRECISION, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) PARTITION BY (card);
CREATE MODEL m WITH (path = 'm.txt') REASONS (x 'Large x');
CREATE STREAM d AS SELECT card, x, PREDICT(m) AS p, CASE WHEN p > 0.5 THEN 'stop' ELSE 'go' END AS decision FROM s
EXPLAIN WHEN decision = 'stop';
"""


def check_a_canary_decides_for_its_share_is_compared_and_promoted(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(COUNTED)
        (d / "other.txt").write_text(COUNTED.replace("threshold=2.5", "threshold=1.5"))
        (d / "app.sql").write_text(CANARY_APP)
        with program.serve(d / "data", d / "app.sql") as server:
            url = ("--url", f"http://127.0.0.1:{server.port}")
            program.ok("model", "add", "m", d / "other.txt", *url)
            code, _, err = program.run("model", "canary", "m", "2", "110", *url)
            assert code == 2 and "0 to 100" in err, err
            program.ok("model", "canary", "m", "2", "30", *url)
            rows = [{"card": f"c{i}", "x": 2, "ts": f"2026-01-01T00:{i // 60:02}:{i % 60:02}Z"} for i in range(200)]
            server.request("POST", "/api/v1/topics/s/events", rows)
            shown = json.loads(program.ok("model", "show", "m", "--json", *url)[0])
            assert [v["role"] for v in shown["versions"]] == ["decides", "canary"], shown
            (compared,) = shown["comparisons"]
            decided = compared["decided"]
            assert 30 <= decided <= 90 and compared["compared"] == compared["flips"] == 200 - decided, compared
            assert compared["scores"]["rows"] == 200 and compared["scores"]["psi"] > 0, compared
            stopped = [json.loads(line) for line in server.request("GET", "/api/v1/streams/d/rows?from=earliest&limit=1000&ids=true")[1].splitlines()]
            ids = {row["decision"]: row["_id"] for row in stopped}
            assert sum(row["decision"] == "stop" for row in stopped) == decided
            assert all((row["explanation"] is None) == (row["decision"] == "go") for row in stopped)
            for decision, version in (("stop", 2), ("go", 1)):
                why = json.loads(program.ok("why", ids[decision], "--json", *url)[0])
                assert (why["model"]["number"], why["model"]["canary"]["decided"]) == (version, version == 2), why
                assert why["instead"][0]["decision"] == {"stop": "go", "go": "stop"}[decision], why
            text = program.ok("why", ids["stop"], *url)[0]
            assert "version 2 for 30 percent of the keys, this one among them" in text and "Large x" in text and "go with x <= 1.5" in text, text
            code, _, err = program.run("model", "promote", "m", "2", *url)
            assert code == 1 and "HR1215" in err, err
            program.ok("model", "rollback", "m", *url)
            shown = json.loads(program.ok("model", "show", "m", "--json", *url)[0])
            assert [v["role"] for v in shown["versions"]] == ["decides", ""] and shown["canaries"][0]["until_lsn"], shown
            program.ok("model", "canary", "m", "2", "100", "--key", "card", *url)
            program.ok("model", "activate", "m", "2", *url)
        assert "m" in program.ok("model", "importance", "m", "--data", d / "data", "--json")[0]
        out = program.ok("model", "importance", "m", "--data", d / "data")[0].split()
        assert out[:4] == ["day", "version", "rows", "x"] and "2026-01-01" in out, out
        program.ok("verify", "--data", d / "data")


def check_a_replay_is_explained_saved_and_run_again(program):
    with program.scratch() as d:
        (d / "m.txt").write_text(COUNTED)
        (d / "other.txt").write_text(COUNTED.replace("threshold=2.5", "threshold=1.5"))
        (d / "app.sql").write_text(CANARY_APP + "CREATE STREAM l (card TEXT, bad BOOLEAN, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);")
        (d / "s.jsonl").write_text("".join(json.dumps({"card": f"c{i}", "x": i % 4, "ts": f"2026-01-01T00:00:{i:02}Z"}) + "\n" for i in range(40)))
        (d / "l.jsonl").write_text("".join(json.dumps({"card": f"c{i}", "bad": i % 4 > 1, "ts": "2026-01-02T00:00:00Z"}) + "\n" for i in range(40)))
        program.ok("run", d / "app.sql", "--input", f"s={d / 's.jsonl'}", "--input", f"l={d / 'l.jsonl'}", "--data", d / "data")
        data = ("--data", d / "data")
        out = program.ok("replay", "d", "--set", f"m={d / 'other.txt'}", "--diff", "--why", "--labels", "l", "--on", "card", "--label", "bad",
                         "--save", d / "kept", "--json", *data)[0]
        report = json.loads(out)
        assert report["changed"] == 10 and report["flips"] == {"go": {"stop": 10}}, report
        cells = {(c["decision"], c["label"]): (c["before"], c["after"]) for c in report["confusion"]}
        assert cells == {("go", False): (20, 20), ("go", True): (10, 0), ("stop", True): (10, 20)}, cells
        first = report["sample"][0]
        assert (first["why_before"]["decision"], first["why_after"]["decision"]) == ("go", "stop"), first
        assert first["why_after"]["model"]["version"] != first["why_before"]["model"]["version"], first
        (d / "other.txt").unlink()
        _, err = program.ok("replay", "--again", d / "kept", *data)
        assert "the same as when it was saved" in err, err
        (d / "kept" / "models" / "0").write_text(COUNTED)
        code, _, err = program.run("replay", "--again", d / "kept", *data)
        assert code == 1 and "DIFFERENT" in err, err
        code, _, err = program.run("replay", "--again", d, *data)
        assert code == 78 and "HR1295" in err, err
        code, _, err = program.run("replay", "d", "--why", *data)
        assert code == 2 and "--why goes with --diff" in err, err
