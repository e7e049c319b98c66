-- EMIT ON WATERMARK: rows wait until none before them can come, and are then computed in order.
CREATE STREAM s (id TEXT NOT NULL, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '10 seconds')
  WITH (timestamp_unit = 's');
CREATE STREAM sorted AS
  SELECT id, q, ts, count(*) OVER w AS n, sum(q) OVER w AS s, last_value(id) OVER w AS newest,
         count(*) OVER two AS of_two, lag(id) OVER (PARTITION BY k ORDER BY ts) AS before, 60 / q AS inverse
  FROM s WHERE k IS NOT NULL
  WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW),
         two AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  EMIT ON WATERMARK LATE ROWS SIDE OUTPUT TO missed;
CREATE STREAM patient AS SELECT id, ts FROM s EMIT ON WATERMARK ALLOWED LATENESS INTERVAL '20 seconds' LATE ROWS DROP;
CREATE STREAM after AS SELECT id, n, 10 / (n - 3) AS x FROM sorted;
CREATE STREAM patient_n AS SELECT id, ts, count(*) OVER (ORDER BY ts) AS n FROM patient;
CREATE STREAM per_10 AS SELECT window_start, count(*) AS n, sum(n) AS total
  FROM TUMBLE(TABLE patient_n, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start LATE ROWS SIDE OUTPUT TO never;
-- > s {"id":"a","k":"x","q":1,"ts":1760000400}
-- > s {"id":"b","k":"x","q":2,"ts":1760000403}
-- > s {"id":"c, before b","k":"x","q":3,"ts":1760000402}
-- > s {"id":"d, with b","k":"x","q":4,"ts":1760000403}
-- > s {"id":"e, of another key","k":"y","q":5,"ts":1760000403}
-- > s {"id":"f, fails","k":"y","q":0,"ts":1760000403}
-- > s {"id":"no key","q":6,"ts":1760000404}
-- query SELECT count(*) FROM sorted
-- restart
-- > s {"id":"g, releases all before 403","k":"y","q":6,"ts":1760000413}
-- > s {"id":"h, with b, too","k":"x","q":5,"ts":1760000403}
-- > s {"id":"i, late","k":"x","q":6,"ts":1760000402}
-- > s {"id":"j, releases 403","k":"x","q":7,"ts":1760000414}
-- why sorted:0:2
-- restart
-- > s {"id":"k, ten seconds late","k":"x","q":8,"ts":1760000394}
-- > s {"id":"l","k":"x","q":9,"ts":1760000440}
-- finish s
-- > s {"id":"m, as old as the last","k":"x","q":10,"ts":1760000440}
-- > s {"id":"n","k":"x","q":11,"ts":1760000441}
-- finish s
-- What cannot be.
CREATE STREAM timeless AS SELECT n FROM per_10 EMIT ON WATERMARK;
CREATE OR REPLACE STREAM patient AS SELECT id, ts FROM s ALLOWED LATENESS INTERVAL '20 seconds' LATE ROWS DROP;
CREATE OR REPLACE STREAM patient AS SELECT id, ts FROM s EMIT ON WATERMARK LATE ROWS DROP;
CREATE STREAM again AS SELECT id FROM missed EMIT ON WATERMARK;
