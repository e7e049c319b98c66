"""`headrace test`: a user's own cases, also with a power failure at every change of the disk."""
import re

CASE = """name: a burst and its window
sql: |
  CREATE STREAM p (id TEXT, card TEXT, amount DECIMAL(10,2), ts TIMESTAMPTZ, WATERMARK FOR ts AS ts)
    DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour';
  CREATE STREAM f AS SELECT id, count(*) OVER m AS n, sum(amount) OVER m AS s FROM p
    WINDOW m AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW);
  CREATE STREAM w AS SELECT window_start, card, sum(amount) AS s
    FROM TUMBLE(TABLE p, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start, card;
steps:
  - events:
      p:
        - {id: a, card: "1", amount: 1, ts: "2026-01-01T00:00:00Z"}
        - {id: b, card: "1", amount: 2.5, ts: "2026-01-01T00:00:10Z"}
        - {id: b, card: "1", amount: 2.5, ts: "2026-01-01T00:00:10Z"}
        - {id: c, card: "1", amount: oops, ts: "2026-01-01T00:00:20Z"}
  - restart:
  - expect:
      f:
        - {id: a, n: 1, s: 1}
        - {id: b, n: %d, s: 3.50}
      w: []
  - events:
      p: [{id: d, card: "1", amount: null, ts: "2026-01-01T00:00:30Z"}]
  - expect:
      f: [{id: d, n: 3}]
  - finish:
  - expect:
      w: [{window_start: "2026-01-01T00:00:00Z", s: 3.5}]
      p.dead: [{code: HR2203, pointer: /amount}]
  - query: SELECT count(*), max(n) FROM f
    rows: [[3, 3]]
"""


def check_a_right_case_holds_at_every_crash(program):
    with program.scratch() as d:
        (d / "case.yaml").write_text(CASE % 2)
        out, _ = program.ok("test", d / "case.yaml", "--crash-at=every")
        crashes = int(re.search(r"\((\d+) crashes\)", out)[1])
        assert crashes > 20 and out.endswith("1 passed, 0 failed\n"), out
        assert program.ok("test", d / "case.yaml", "--crash-at", "7")[0].startswith("ok    a burst"), out


def check_values_that_no_double_holds_are_compared(program):
    with program.scratch() as d:
        digits = "12345678901234567890123456789012345678"
        (d / "case.yaml").write_text(f"""name: wide
sql: |
  CREATE STREAM s (d DECIMAL(38,0), j JSONB, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);
  CREATE STREAM o AS SELECT d, j, ts FROM s;
steps:
  - events: {{s: [{{d: "{digits}", j: {{a: [1, x]}}, ts: "2026-01-01T00:00:00Z"}}]}}
  - expect: {{o: [{{d: {digits}, j: {{a: [1, x]}}}}]}}
  - query: SELECT d, j FROM o
    rows: [[{digits}, {{a: [1, x]}}]]
""")
        program.ok("test", d / "case.yaml")


def check_a_wrong_expectation_names_line_column_and_both_values(program):
    with program.scratch() as d:
        (d / "case.yaml").write_text(CASE % 3)
        code, out, _ = program.run("test", d / "case.yaml", "--crash-at=every")
        assert code == 1 and f"{d / 'case.yaml'}:20: f row 2: n is 2, expected 3" in out, out
        (d / "case.yaml").write_text((CASE % 2).replace("      w: []\n", "").replace("- {id: a, n: 1, s: 1}", ""))
        code, out, _ = program.run("test", d / "case.yaml")
        assert code == 1 and "not expected" in out, out


def check_a_case_that_is_none_is_refused_with_its_place(program):
    with program.scratch() as d:
        for text, said in ((CASE % 2 + "steq: 1\n", "steq"), ("name: [x", ":2:"), ("", "empty"),
                           ("name: x\nsql: &a y\nsteps: [*a]\n", "alias"), ("[" * 100, "deep"),
                           ("name: x\nsteps: []\n", "script")):
            (d / "case.yaml").write_text(text)
            code, out, err = program.run("test", d / "case.yaml")
            assert code == 65 and not out and "HR9012" in err and said in err, (text[-40:], code, err)
