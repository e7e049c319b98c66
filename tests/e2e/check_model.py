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
        for rows, code, place in (("y,x\n0,1\n2,2\n", "HR3006", "rows.csv:3"), ("y,x\n0,red\n", "HR3005", "rows.csv:2"),
                                  ("z,x\n0,1\n", "HR3005", "rows.csv:1")):
            (d / "rows.csv").write_text(rows)
            status, out, err = program.run("model", "evaluate", d / "m.txt", "--input", d / "rows.csv", "--label", "y")
            assert (status, out) == (65, "") and code in err and place in err, (status, err)
        assert program.run("model", "evaluate", d / "m.txt", "--input", d / "rows.csv")[0] == 2
        assert program.run("model", "evaluate", d / "absent", "--input", d / "rows.csv", "--label", "y")[0] == 66
