#!/usr/bin/env python3
"""Files of columns as we write them, read by pyarrow and DuckDB.

    tests/compat/run.py --writer build/tests/compat/write_rows [NAME…]

The writer makes the same rows as .parquet, .arrow and .jsonl; what the others read from the first two must be
what the third says, value by value, and of the type docs/formats.md names. A reader that is not installed is
skipped (pip install pyarrow duckdb, and run this with that Python). Closes with
`N passed, N failed, N skipped`.
"""
import argparse
import base64
import datetime
import decimal
import importlib.util
import json
import math
import struct
import subprocess
import sys
import tempfile
import traceback
from decimal import Decimal
from pathlib import Path

ROWS = 70_000  # two groups
READERS = ("pyarrow", "duckdb")
UTC = datetime.timezone.utc

# Of each column without its `all_`: the type that pyarrow and DuckDB see.
TYPES = {
    "flag": ("bool", "BOOLEAN"), "tiny": ("int16", "SMALLINT"), "small": ("int32", "INTEGER"),
    "large": ("int64", "BIGINT"), "real4": ("float", "FLOAT"), "real8": ("double", "DOUBLE"),
    "price": ("decimal128(12, 2)", "DECIMAL(12,2)"), "huge": ("decimal128(38, 10)", "DECIMAL(38,10)"),
    "any": ("string", "VARCHAR"), "name": ("string", "VARCHAR"), "raw": ("binary", "BLOB"),
    "day": ("date32[day]", "DATE"), "clock": ("time64[us]", "TIME"), "local": ("timestamp[us]", "TIMESTAMP"),
    "ts": ("timestamp[us, tz=UTC]", "TIMESTAMP WITH TIME ZONE"), "gap": ("string", "VARCHAR"),
    "doc": ("string", "JSON"), "docb": ("string", "JSON"), "words": ("string", "VARCHAR"),
    "numbers": ("string", "VARCHAR"),
}


class Skip(Exception):
    """The check cannot run here; says why."""


def kind(column):
    return column.removeprefix("all_")


def expected(name, value):
    """A member of a row's JSON as the value that a reader of Python should give."""
    if value is None:
        return None
    if name in ("real4", "real8"):
        number = float(value)
        return struct.unpack("f", struct.pack("f", number))[0] if name == "real4" else number
    if name in ("price", "huge"):
        return Decimal(value)
    if name == "any":
        return format(Decimal(value), "f")
    if name == "raw":
        return base64.b64decode(value)
    if name == "day":
        return datetime.date.fromisoformat(value)
    if name == "clock":
        return datetime.time.fromisoformat(value)
    if name == "local":
        return datetime.datetime.fromisoformat(value)
    if name == "ts":
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value


def given(name, value):
    """What a reader gave, where it and the JSON say the same in two ways."""
    if value is None:
        return None
    if name in ("doc", "docb"):
        return json.loads(value, parse_float=Decimal)
    if name == "ts":
        return value.astimezone(UTC)
    return value


class Files:
    """The files of one run, and the rows that they must hold."""

    def __init__(self, writer, folder):
        self.writer, self.folder = writer, Path(folder)
        subprocess.run([writer, folder, str(ROWS), "parquet", "arrow", "jsonl"], check=True, capture_output=True)
        lines = (self.folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line, parse_float=Decimal) for line in lines]
        assert len(rows) == ROWS
        self.columns = {name: [expected(kind(name), row[name]) for row in rows] for name in rows[0]}

    def path(self, extension):
        return str(self.folder / f"rows.{extension}")

    def cut(self, extension):
        """The file without its last bytes, as an interrupted one."""
        path = self.folder / f"cut.{extension}"
        path.write_bytes(Path(self.path(extension)).read_bytes()[:-6])
        return str(path)


def equal(wanted, got):
    both_nan = isinstance(wanted, float) and isinstance(got, float) and math.isnan(wanted) and math.isnan(got)
    return both_nan or (type(wanted) is type(got) and wanted == got)


def compare(files, columns):
    """`columns`: by name the values that a reader gave."""
    assert list(columns) == list(files.columns), f"columns {list(columns)}"
    for name, values in columns.items():
        assert len(values) == ROWS, f"{name}: {len(values)} rows"
        for row, (wanted, got) in enumerate(zip(files.columns[name], values)):
            got = given(kind(name), got)
            assert equal(wanted, got), f"{name}, row {row}: {wanted!r} was written, {got!r} read"


def needs(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Skip(f"no {name.split('.')[0]} for {sys.executable} (pip install {name.split('.')[0]})") from error


def check_types(schema):
    for field in schema:
        assert str(field.type) == TYPES[kind(field.name)][0], f"{field.name} is {field.type}"
        assert field.nullable != field.name.startswith("all_"), f"{field.name}: nullable {field.nullable}"


def refuses(read, path):
    try:
        read(path)
    except Exception:  # whatever the reader calls it
        return
    raise AssertionError(f"{path} is cut off, and was read")


def check_parquet_pyarrow(files):
    parquet = needs("pyarrow.parquet")
    table = parquet.ParquetFile(files.path("parquet"), page_checksum_verification=True,
                                arrow_extensions_enabled=False).read()
    table.validate(full=True)
    check_types(table.schema)
    compare(files, {name: table.column(name).to_pylist() for name in table.column_names})
    refuses(parquet.read_table, files.cut("parquet"))


def check_parquet_statistics_pyarrow(files):
    metadata = needs("pyarrow.parquet").ParquetFile(files.path("parquet")).metadata
    assert metadata.created_by.startswith("headrace version "), metadata.created_by
    first = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        for index, name in enumerate(files.columns):
            values = files.columns[name][first:first + rows]
            chunk = metadata.row_group(group).column(index)
            present = [value for value in values if value is not None]
            assert chunk.statistics.null_count == rows - len(present), f"{name}: {chunk.statistics}"
            if kind(name) in ("tiny", "small", "large", "real4", "real8", "price", "huge", "day", "clock", "local", "ts"):
                bounds = (chunk.statistics.min, chunk.statistics.max)
                assert bounds == (min(present), max(present)), f"{name}: {bounds}"
        first += rows
    assert first == ROWS


def check_parquet_duckdb(files):
    duckdb = needs("duckdb")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    types = connection.execute(f"DESCRIBE SELECT * FROM '{files.path('parquet')}'").fetchall()
    for name, shown, *_ in types:
        assert shown == TYPES[kind(name)][1], f"{name} is {shown}"
    names = [row[0] for row in types]
    # Python's type for a time with a zone needs pytz: microseconds since 1970 need nothing.
    select = ", ".join(f"epoch_us({n})" if kind(n) == "ts" else f'"{n}"' for n in names)
    rows = connection.execute(f"SELECT {select} FROM '{files.path('parquet')}'").fetchall()
    columns = dict(zip(names, map(list, zip(*rows))))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=UTC)
    for name in names:
        if kind(name) == "ts":
            columns[name] = [v if v is None else epoch + datetime.timedelta(microseconds=v) for v in columns[name]]
    compare(files, columns)
    # Only what the bounds and the levels let through is looked at.
    over = sum(1 for value in files.columns["price"] if value is not None and value > 9_999_999)
    count = f"SELECT count(*) FROM '{files.path('parquet')}' WHERE price > 9999999"
    assert connection.execute(count).fetchone() == (over,)
    refuses(lambda path: connection.execute(f"SELECT * FROM '{path}'"), files.cut("parquet"))


def check_arrow_pyarrow(files):
    pyarrow = needs("pyarrow")
    needs("pyarrow.ipc")
    with pyarrow.memory_map(files.path("arrow")) as mapped:
        before = pyarrow.total_allocated_bytes()
        table = pyarrow.ipc.open_file(mapped).read_all()
        copied = pyarrow.total_allocated_bytes() - before
        assert copied < 1 << 20, f"{copied} bytes were copied: buffers are not used where they lie"
        table.validate(full=True)
        check_types(table.schema)
        compare(files, {name: table.column(name).to_pylist() for name in table.column_names})
    refuses(lambda path: pyarrow.ipc.open_file(path), files.cut("arrow"))


def check_no_rows(files):
    parquet, ipc = needs("pyarrow.parquet"), needs("pyarrow.ipc")
    with tempfile.TemporaryDirectory(prefix="headrace-compat-") as folder:
        subprocess.run([files.writer, folder, "0", "parquet", "arrow"], check=True, capture_output=True)
        for table in (parquet.read_table(f"{folder}/rows.parquet"), ipc.open_file(f"{folder}/rows.arrow").read_all()):
            assert (table.num_rows, table.column_names) == (0, list(files.columns))
        duckdb = needs("duckdb")
        assert duckdb.connect().execute(f"SELECT count(*) FROM '{folder}/rows.parquet'").fetchone() == (0,)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    decimal.getcontext().prec = 60
    checks = [(name[6:], check) for name, check in globals().items()
              if name.startswith("check_") and name != "check_types"]
    checks = [(name, check) for name, check in checks if name.startswith(tuple(options.names or [""]))]
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="headrace-compat-") as folder:
        files = Files(options.writer, folder) if any(map(importlib.util.find_spec, READERS)) else None
        for name, check in checks:
            try:
                check(files)
                passed += 1
                print(f"ok    compat.{name}", flush=True)
            except Skip as reason:
                skipped += 1
                print(f"skip  compat.{name}: skipped: {reason}", flush=True)
            except Exception as error:  # every failure is reported, the others still run
                failed += 1
                trace = "" if isinstance(error, AssertionError) else traceback.format_exc(limit=-3)
                print(f"FAIL  compat.{name}: {type(error).__name__}: {str(error)[:2000]} {trace}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
