"""MLflow's registry calls: recorded exchanges of its client, what a restart keeps, files that may not be read."""
import json
import os
import urllib.parse
from pathlib import Path

from program import ROOT, Skip

API = "/api/2.0/mlflow/"
RECORDED = ROOT.parent / "shared" / "data" / "models" / "mlflow" / "client_exchanges.json"
# Where we answer otherwise on purpose: docs/models.md says why.
OTHERWISE = {"rename", "delete_registered_model", "fluent_api"}
# Not the same on two machines, or what we say of a version from the moment it decides.
OURS = {"creation_timestamp", "last_updated_timestamp", "source", "current_stage", "sqlstate", "error_class", "code",
        "artifact_uri"}


def stump(path, threshold=2.5, value=1):
    path.write_text("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
                    "objective=binary sigmoid:1\nfeature_names=x\nfeature_infos=[0:9]\n\nTree=0\nnum_leaves=2\nnum_cat=0\n"
                    f"split_feature=0\nthreshold={threshold}\ndecision_type=2\nleft_child=-1\nright_child=-2\n"
                    f"leaf_value=-1 {value}\nis_linear=0\nshrinkage=1\n\n\nend of trees\n")
    return str(path)


def call(server, method, path, **fields):
    if method == "GET":
        return server.request("GET", API + path + "?" + urllib.parse.urlencode(fields))
    return server.request(method, API + path, fields)


def good(server, method, path, **fields):
    status, answer = call(server, method, path, **fields)
    assert status == 200, (path, fields, status, answer)
    return answer


def plain(document):
    """What two answers must have in common."""
    if isinstance(document, dict):
        return {k: plain(v) for k, v in document.items() if k not in OURS and k not in ("latest_versions", "message")}
    return [plain(v) for v in document] if isinstance(document, list) else document


def check_recorded_exchanges_of_the_client_get_the_same_answers(program):
    if not RECORDED.exists():
        raise Skip("no ../shared/data")
    exchanges = [e for e in json.loads(RECORDED.read_text())["exchanges"]
                 if ("registered-models" in e.get("path", "") or "model-versions" in e.get("path", "")) and e["step"] not in OTHERWISE]
    with program.scratch() as d, program.serve(d / "data") as server:
        made = 0
        for e in exchanges:
            request = e["request"]
            if e["path"].endswith("model-versions/create"):
                made += 1
                request = {**request, "source": stump(d / f"{made}.txt", made)}
            status, answer = server.request(e["method"], e["path"], request)
            assert status == e["status"], (e["step"], status, answer)
            if "model_versions" in answer and e["step"] == "get_latest_versions":  # the first decides, and so is in a stage
                answer["model_versions"] = [v for v in answer["model_versions"] if v["current_stage"] == "None"]
            assert plain(answer) == plain(e["response"]), (e["step"], answer, e["response"])
            if "error_code" in e["response"]:
                assert answer["message"] == e["response"]["message"], answer
        assert made == 2 and len(exchanges) > 35, len(exchanges)


def check_what_the_registry_was_told_survives_and_predicts(program):
    with program.scratch() as d:
        with program.serve(d / "data") as server:
            good(server, "POST", "registered-models/create", name="risk model", description="first", tags=[{"key": "team", "value": "a"}])
            status, answer = call(server, "POST", "model-versions/create", name="risk model", source=str(d / "absent.txt"))
            assert status == 400 and answer["error_code"] == "INVALID_PARAMETER_VALUE", answer
            for i in (1, 2):
                got = good(server, "POST", "model-versions/create", name="risk model", source=stump(d / f"{i}.txt", i), run_id="r1",
                           tags=[{"key": "n", "value": str(i)}])
                assert got["model_version"]["version"] == str(i), got
            good(server, "POST", "registered-models/alias", name="risk model", alias="next", version="2")
            good(server, "PATCH", "model-versions/update", name="risk model", version="2", description="better")
            got = good(server, "POST", "model-versions/transition-stage", name="risk model", version="2", stage="Staging")
            assert got["model_version"]["current_stage"] == "Staging", got
            status, answer = call(server, "DELETE", "model-versions/delete", name="risk model", version="1")
            assert status == 409 and answer["error_code"] == "RESOURCE_CONFLICT", answer
            script = ('CREATE STREAM s (x DOUBLE PRECISION) WITH (topic = \'s\'); '
                      'CREATE STREAM o AS SELECT x, PREDICT("risk model") AS p FROM s;')
            assert server.request("POST", "/api/v1/sql", {"sql": script})[0] == 200
            _, answer = server.request("POST", "/api/v1/topics/s/events?return=o", {"x": 1.5})
            assert answer["rows"][0]["p"] > 0.5, answer
            good(server, "POST", "model-versions/transition-stage", name="risk model", version="2", stage="Production",
                 archive_existing_versions=True)
            _, answer = server.request("POST", "/api/v1/topics/s/events?return=o", {"x": 1.5})
            assert answer["rows"][0]["p"] < 0.5, answer
            before = good(server, "GET", "registered-models/get", name="risk model")
            server.kill()
        with program.serve(d / "data") as server:
            assert good(server, "GET", "registered-models/get", name="risk model") == before
            got = good(server, "GET", "registered-models/alias", name="risk model", alias="next")["model_version"]
            assert (got["version"], got["description"], got["run_id"], got["current_stage"], got["aliases"]) == (
                "2", "better", "r1", "Production", ["next"]), got
            good(server, "DELETE", "model-versions/delete", name="risk model", version="1")
            assert call(server, "GET", "model-versions/get", name="risk model", version="1")[0] == 404
            server.stop()
        out, _ = program.ok("model", "ls", "--data", d / "data", "--json")
        assert [m["version"] for m in json.loads(out)] == ["1", "2"], out
        program.ok("verify", "--data", d / "data")


def check_a_search_filters_sorts_and_pages(program):
    with program.scratch() as d, program.serve(d / "data") as server:
        for name in ("a", "b", "c", "Cab"):
            good(server, "POST", "registered-models/create", name=name, tags=[{"key": "k y", "value": name}])
        names = lambda **fields: [m["name"] for m in good(server, "GET", "registered-models/search", **fields)["registered_models"]]  # noqa: E731
        assert names() == ["Cab", "a", "b", "c"]
        assert names(filter="name LIKE 'c%'") == ["c"] and names(filter="name ilike 'C%' AND name != 'c'") == ["Cab"]
        assert names(filter="tags.`k y` = 'b'") == ["b"] and names(filter="tag.absent != 'true'", order_by="name DESC")[0] == "c"
        page = good(server, "GET", "registered-models/search", max_results=3)
        assert names(max_results=3, page_token=page["next_page_token"]) == ["c"]
        for wrong in ("name", "name = x", "name = 'x' OR name = 'y'", "name < 'x'", "size = '1'", "name = 'x", "name IN ('a')"):
            status, answer = call(server, "GET", "registered-models/search", filter=wrong)
            assert status == 400 and answer["code"] == "HR8092", (wrong, answer)


def check_only_files_that_may_be_read_become_models(program):
    with program.scratch() as d:
        models, outside = d / "models", d / "outside"
        models.mkdir(), outside.mkdir(), (models / "folder").mkdir()
        secret = stump(outside / "secret.txt")
        stump(models / "fine.txt"), stump(models / "folder" / "model.lgb")
        (models / "link.txt").symlink_to(secret)
        (models / "up").symlink_to(outside)
        os.mkfifo(models / "pipe.txt")
        with program.serve(d / "data", "--models", models) as server:
            good(server, "POST", "registered-models/create", name="m")
            hostile = [secret, str(models / "link.txt"), str(models / "up" / "secret.txt"), "../outside/secret.txt",
                       f"file://{secret}", f"file://{models}/%2e%2e/outside/secret.txt", "/etc/passwd", "/dev/zero", "/proc/self/environ",
                       str(models / "pipe.txt"), str(models), "runs:/abc/model", "s3://bucket/model", "models:/m/1", "x" * 5000,
                       "fine.txt\0", str(outside / "absent.txt"), f"file://elsewhere{models}/fine.txt", f"{models}x/fine.txt"]
            for source in hostile:
                status, answer = call(server, "POST", "model-versions/create", name="m", source=source)
                assert status == 400 and answer["code"] == "HR8093", (source, status, answer)
                assert "num_leaves" not in json.dumps(answer), answer
            assert "latest_versions" not in good(server, "GET", "registered-models/get", name="m")["registered_model"]
            for source in ("fine.txt", f"file://{models}/fine.txt", str(models / "folder")):
                good(server, "POST", "model-versions/create", name="m", source=source)
            status, answer = server.request("POST", API + "registered-models/create", {"name": "x"}, {"Origin": "http://evil.example"})
            assert status == 403, (status, answer)
            for name in ("a/b", "a:b", "", "x" * 300):
                assert call(server, "POST", "registered-models/create", name=name)[0] == 400, name
