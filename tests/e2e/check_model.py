"""Model files on the command line: measured against labels."""
import json
import math

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
        for threads in (1, 4):
            program.ok("model", "train", "--input", d / "rows.csv", "--label", "y", "--objective", "binary", "--output",
                       d / "m.txt", "--ignore", "note", "--categorical", "country", "--trees", "2", "--leaves", "4",
                       "--monotone", "amount=+1", "--threads", threads)
            assert (d / "m.txt").read_text() == GOLDEN, (d / "m.txt").read_text()


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
                      ["--objective", "quantile", "--quantile", "0.5", "--monotone", "amount=+1"]):
            code, _, err = program.run(*base, *flags)
            assert code == 2, (flags, code, err)
        code, _, err = program.run(*base, "--objective", "binary", "--features", "amount,size")
        assert code == 65 and "HR3005" in err and '"size"' in err, (code, err)
        assert not (d / "m.txt").exists()
