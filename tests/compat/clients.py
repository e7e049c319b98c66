#!/usr/bin/env python3
"""The real clients of others against the server: mlflow, tritonclient and Feast.

    tests/compat/clients.py --binary build/headrace [NAME…]

A client that is not installed is skipped (pip install mlflow-skinny 'tritonclient[http]' feast, and run this with that
Python, or name it in HEADRACE_PYTHON). Closes with `N passed, N failed, N skipped`.
"""
import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from program import Program, Skip  # noqa: E402
from check_registry import stump  # noqa: E402


def need(module):
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise Skip(f"{module} is not installed")


def check_mlflow(program, d):
    """Its client registers, describes, tags, aliases, searches, moves and deletes."""
    need("mlflow")
    os.environ["MLFLOW_TRACKING_URI"] = "file:" + str(d / "unused")
    import mlflow
    from mlflow.exceptions import MlflowException
    with program.serve(d / "data") as server:
        uri = f"http://127.0.0.1:{server.port}"
        client = mlflow.MlflowClient(uri, registry_uri=uri)
        assert client.create_registered_model("m", tags={"team": "a"}, description="first").name == "m"
        for i in (1, 2):
            made = client.create_model_version("m", source=stump(d / f"{i}.txt", i), description=f"d{i}", tags={"n": str(i)})
            assert (int(made.version), made.status) == (i, "READY"), made
        client.set_registered_model_alias("m", "next", "2")
        got = client.get_model_version_by_alias("m", "next")
        assert (int(got.version), got.description, got.tags, got.aliases) == (2, "d2", {"n": "2"}, ["next"]), got
        client.update_model_version("m", "2", "changed")
        client.update_registered_model("m", "second")
        client.set_model_version_tag("m", "2", "k", "v")
        client.delete_model_version_tag("m", "2", "n")
        client.set_registered_model_tag("m", "k", "v")
        client.delete_registered_model_tag("m", "team")
        got = client.get_registered_model("m")
        assert (got.description, got.tags, got.aliases) == ("second", {"k": "v"}, {"next": "2"}), got
        assert client.get_model_version("m", "2").tags == {"k": "v"}
        assert client.get_model_version_download_uri("m", "1").endswith("1.txt")
        for name in ("n1", "n2", "n3"):
            client.create_registered_model(name)
        page = client.search_registered_models("name LIKE 'n%'", max_results=2, order_by=["name DESC", "last_updated_timestamp"])
        assert [m.name for m in page] == ["n3", "n2"] and page.token, page
        page = client.search_registered_models("name LIKE 'n%'", max_results=2, order_by=["name DESC"], page_token=page.token)
        assert [m.name for m in page] == ["n1"] and not page.token, page
        assert [int(v.version) for v in client.search_model_versions("name = 'm'", order_by=["version_number ASC"])] == [1, 2]
        assert [v.current_stage for v in client.get_latest_versions("m")] == ["Production", "None"]
        assert client.transition_model_version_stage("m", "2", "Production", archive_existing_versions=True).current_stage == "Production"
        assert client.get_model_version("m", "1").current_stage == "Archived"
        client.delete_registered_model_alias("m", "next")
        client.delete_model_version("m", "1")
        client.delete_registered_model("n1")
        for wrong, code in ((lambda: client.get_registered_model("nope"), "RESOURCE_DOES_NOT_EXIST"),
                            (lambda: client.get_model_version("m", "1"), "RESOURCE_DOES_NOT_EXIST"),
                            (lambda: client.create_registered_model("m"), "RESOURCE_ALREADY_EXISTS"),
                            (lambda: client.rename_registered_model("m", "o"), "INVALID_PARAMETER_VALUE"),
                            (lambda: client.delete_registered_model("m"), "RESOURCE_CONFLICT"),
                            (lambda: client.create_model_version("m", source="runs:/a/b"), "INVALID_PARAMETER_VALUE")):
            try:
                wrong()
            except MlflowException as refused:
                assert refused.error_code == code, (code, refused)
            else:
                raise AssertionError(f"{code} was not refused")


def check_tritonclient(program, d):
    """Its client asks health, metadata and scores: binary and JSON, every numeric type, versions."""
    need("tritonclient.http")
    import numpy as np
    import tritonclient.http as triton
    sql = d / "app.sql"
    sql.write_text(f"CREATE MODEL m WITH (path = '{stump(d / 'm.txt')}');\n"
                   f"ALTER MODEL m ADD VERSION WITH (path = '{stump(d / 'n.txt', 2.5, 3)}');\n")
    with program.serve(d / "data", sql) as server:
        t = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
        assert t.is_server_live() and t.is_server_ready() and t.is_model_ready("m", "2") and not t.is_model_ready("none")
        assert "binary_tensor_data" in t.get_server_metadata()["extensions"]
        metadata = t.get_model_metadata("m")
        assert metadata["versions"] == ["1", "2"] and metadata["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 1]}], metadata
        assert [(m["name"], m["version"]) for m in t.get_model_repository_index()] == [("m", "1"), ("m", "2")]
        want = 1 / (1 + np.exp([[1.0], [-1.0]]))
        for name, kind in (("FP64", np.float64), ("FP32", np.float32), ("FP16", np.float16), ("INT64", np.int64), ("INT32", np.int32),
                           ("INT16", np.int16), ("INT8", np.int8), ("UINT64", np.uint64), ("UINT32", np.uint32), ("UINT16", np.uint16),
                           ("UINT8", np.uint8)):
            for binary in (True, False) if name != "FP16" else (True,):
                x = triton.InferInput("x", [2, 1], name)
                x.set_data_from_numpy(np.array([[1], [7]], dtype=kind), binary_data=binary)
                for outputs in (None, [triton.InferRequestedOutput("score", binary_data=binary)]):
                    y = t.infer("m", [x], outputs=outputs, request_id="q").as_numpy("score")
                    assert y.shape == (2, 1) and np.allclose(y, want, rtol=0, atol=1e-15), (name, binary, y)
        x = triton.InferInput("input", [1000, 1], "FP64")
        x.set_data_from_numpy(np.full((1000, 1), 9.0))
        assert np.all(t.infer("m", [x], model_version="2").as_numpy("raw") == 3)
        x = triton.InferInput("input", [1, 2], "FP64")
        x.set_data_from_numpy(np.zeros((1, 2)))
        try:
            t.infer("m", [x])
        except triton.InferenceServerException as refused:
            assert "[rows,1]" in refused.message() and refused.status() == "400", refused
        else:
            raise AssertionError("a wrong shape was taken")


FEAST_APP = """
CREATE STREAM driver_stats (driver_id BIGINT NOT NULL, conv_rate DOUBLE PRECISION, trips BIGINT, city TEXT, active BOOLEAN,
  event_timestamp TIMESTAMPTZ NOT NULL, created TIMESTAMPTZ, WATERMARK FOR event_timestamp AS event_timestamp) PARTITION BY (driver_id);
CREATE STREAM driver_past AS SELECT driver_id, event_timestamp, sum(trips) OVER d AS trips_so_far, count(*) OVER d AS n
FROM driver_stats WINDOW d AS (PARTITION BY driver_id ORDER BY event_timestamp);
"""


def feast_store(d, port):
    """A feature store of Feast whose online store is the server; its registry is a file."""
    from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType
    from feast.types import Bool, Float64, Int64, String
    store = FeatureStore(config=RepoConfig(
        project="rides", provider="local", registry=str(d / "registry.db"), entity_key_serialization_version=3,
        online_store={"type": "remote", "path": f"http://127.0.0.1:{port}"}, offline_store={"type": "file"}))
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    source = FileSource(name="stats", path=str(d / "stats.parquet"), timestamp_field="event_timestamp",
                        created_timestamp_column="created")
    stats = FeatureView(name="driver_stats", entities=[driver], source=PushSource(name="stats_push", batch_source=source),
                        schema=[Field(name="conv_rate", dtype=Float64), Field(name="trips", dtype=Int64),
                                Field(name="city", dtype=String), Field(name="active", dtype=Bool)])
    past = FeatureView(name="driver_past", entities=[driver], source=source,
                       schema=[Field(name="trips_so_far", dtype=Int64), Field(name="n", dtype=Int64)])
    store.apply([driver, stats, past, FeatureService(name="driver_past", features=[past])])
    return store


def check_feast(program, d):
    """Its SDK, with the server as the remote online store, pushes rows and reads features, computed ones among them."""
    need("feast")
    need("pandas")
    os.environ["FEAST_USAGE"] = "False"
    import pandas as pd
    from feast.data_source import PushMode
    (d / "app.sql").write_text(FEAST_APP)
    with program.serve(d / "data", d / "app.sql") as server:
        store = feast_store(d, server.port)
        when = pd.Timestamp("2026-01-31T10:00:00Z")
        rows = [(1, 0.5, 3, "Bern", True), (2, 0.25, None, "Zürich", False), (1, 0.75, 4, "Basel", True)]
        for i, (driver, rate, trips, city, active) in enumerate(rows):
            frame = pd.DataFrame({"driver_id": [driver], "conv_rate": [rate], "trips": pd.array([trips], dtype="Int64"), "city": [city],
                                  "active": [active], "event_timestamp": [when + pd.Timedelta(seconds=i)], "created": [when]})
            store.push("stats_push", frame, to=PushMode.ONLINE)
        names = ["driver_stats:conv_rate", "driver_stats:trips", "driver_stats:city", "driver_stats:active",
                 "driver_past:trips_so_far", "driver_past:n"]
        asked = [{"driver_id": 1}, {"driver_id": 2}, {"driver_id": 3}]
        got = store.get_online_features(features=names, entity_rows=asked).to_dict()
        assert got["driver_id"] == [1, 2, 3], got
        assert got["conv_rate"] == [0.75, 0.25, None] and got["trips"] == [4, None, None], got
        assert got["city"] == ["Basel", "Zürich", None] and got["active"] == [True, False, None], got
        assert got["trips_so_far"] == [7, None, None] and got["n"] == [2, 1, None], got
        full = store.get_online_features(features=names[:1], entity_rows=asked[:1], full_feature_names=True).to_dict()
        assert full["driver_stats__conv_rate"] == [0.75], full
        service = store.get_online_features(features=store.get_feature_service("driver_past"), entity_rows=asked[:2]).to_dict()
        assert service["n"] == [2, 1] and service["trips_so_far"] == [7, None], service
        frame = pd.DataFrame({"driver_id": [3], "conv_rate": [1.0], "trips": [9], "city": ["Chur"], "active": [False],
                              "event_timestamp": [when + pd.Timedelta(minutes=1)], "created": [when]})
        store.write_to_online_store("driver_stats", df=frame)
        got = store.get_online_features(features=names, entity_rows=asked[2:]).to_dict()
        assert got["city"] == ["Chur"] and got["trips_so_far"] == [9] and got["n"] == [1], got
        assert server.request("POST", "/api/v1/sql", {"sql": "SELECT count(*) AS n FROM driver_stats"})[1]["rows"] == [[4]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/headrace")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    other = os.environ.get("HEADRACE_PYTHON")
    if other and "HEADRACE_CHILD" not in os.environ:
        os.environ["HEADRACE_CHILD"] = "1"
        os.execv(other, [other, *sys.argv])
    program = Program(Path(options.binary).resolve())
    passed = failed = skipped = 0
    for check in (check_mlflow, check_tritonclient, check_feast):
        name = check.__name__[6:]
        if options.names and name not in options.names:
            continue
        d = Path(tempfile.mkdtemp(prefix="headrace-clients-"))
        try:
            check(program, d)
            passed += 1
            print(f"ok    clients.{name}", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skip  clients.{name}: {reason}", flush=True)
        except Exception as error:  # every failure is reported, the others still run
            failed += 1
            print(f"FAIL  clients.{name}: {error} {traceback.format_exc(limit=-3)}", flush=True)
        finally:
            shutil.rmtree(d, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
