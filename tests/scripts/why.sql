-- Explanations of rows that one event does not explain: groups of windows, and rows that had waited.
CREATE STREAM s (id TEXT NOT NULL, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '10 seconds')
  WITH (timestamp_unit = 's');
CREATE STREAM counted AS SELECT id, k, q, ts, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s;
CREATE STREAM per_minute AS SELECT window_end, upper(k) AS k, count(*) AS n, sum(q) AS q
  FROM TUMBLE(TABLE counted, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_end, window_start, upper(k), q % 2
  LATE ROWS SIDE OUTPUT TO missed;
CREATE STREAM large AS SELECT k, n, CASE WHEN n > 2 THEN 'many' ELSE 'few' END AS decision FROM per_minute WHERE n > 1;
CREATE STREAM sliding AS SELECT window_start, count(*) AS n
  FROM HOP(TABLE s, DESCRIPTOR(ts), INTERVAL '30 seconds', INTERVAL '1 minute') WHERE q > 1 GROUP BY window_start;
CREATE STREAM sorted AS SELECT id, n, count(*) OVER (PARTITION BY k ORDER BY ts) AS place, ts FROM counted
  EMIT ON WATERMARK;
CREATE STREAM after AS SELECT id, place, CASE WHEN place > 1 THEN 'late' ELSE 'early' END AS decision FROM sorted;
-- > s {"id":"a","k":"x","q":1,"ts":1760000400}
-- > s {"id":"b","k":"x","q":3,"ts":1760000403}
-- > s {"id":"c","k":"x","q":5,"ts":1760000402}
-- > s {"id":"d","k":"x","q":6,"ts":1760000403}
-- > s {"id":"e","k":"y","q":7,"ts":1760000403}
-- restart
-- > s {"id":"f","k":"x","q":9,"ts":1760000430}
-- > s {"id":"g","k":"x","q":11,"ts":1760000470}
-- restart
-- why per_minute:0:0
-- why per_minute:0:1
-- why large:0:0
-- why sliding:0:0
-- why sorted:0:2
-- why after:0:2
-- > s {"id":"h","k":"x","q":13,"ts":1760000410}
-- finish s
-- why per_minute:0:3
-- why sorted:0:6
-- why missed:0:0
