-- LATE ROWS SIDE OUTPUT: late rows go, as they are, to a stream that others read.
CREATE STREAM s (id TEXT, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '10 seconds')
  WITH (timestamp_unit = 's');
CREATE STREAM strict AS SELECT window_start, count(*) AS n
  FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start
  LATE ROWS SIDE OUTPUT TO missed;
CREATE STREAM recent AS SELECT id, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s
  ALLOWED LATENESS INTERVAL '1 minute' LATE ROWS SIDE OUTPUT TO old;
-- What reads a side output takes all of it; its windows say how late rows may be.
CREATE STREAM missed_ids AS SELECT id, 100 / q AS inverse, ts FROM missed;
CREATE STREAM still_missed AS SELECT id FROM missed_ids;
CREATE STREAM missed_per_minute AS SELECT window_start, count(*) AS n, sum(q) AS q
  FROM TUMBLE(TABLE missed, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start
  ALLOWED LATENESS INTERVAL '1 hour' LATE ROWS SIDE OUTPUT TO hopeless;
-- > s {"id":"a","k":"x","q":1,"ts":1760000400}
-- > s {"id":"b","k":"y","q":2,"ts":1760000405}
-- > s {"id":"in time","k":"x","q":3,"ts":1760000391}
-- > s {"id":"late","k":"x","q":4,"ts":1760000389}
-- > s {"id":"late, without inverse","k":"y","q":0,"ts":1760000380}
-- restart
-- > s {"id":"later than a minute","k":"x","q":5,"ts":1760000329}
-- > s {"id":"later than an hour","k":"y","q":6,"ts":1759996789}
-- > s {"id":"z","k":"x","ts":1760000500}
-- > s {"id":"z","k":"y","ts":1760000500}
-- why missed:0:0
-- why missed_ids:0:0
-- query SHOW STREAMS
-- finish s
-- Replaced, it keeps its side output: rows and readers.
CREATE OR REPLACE STREAM recent AS SELECT id, q FROM s
  ALLOWED LATENESS INTERVAL '30 seconds' LATE ROWS SIDE OUTPUT TO old;
-- deploy
-- > s {"id":"half a minute","k":"x","q":7,"ts":1760000460}
-- > s {"id":"40 seconds","k":"x","q":8,"ts":1760000450}
-- restart
-- finish s
-- What cannot be.
CREATE STREAM other AS SELECT id FROM s LATE ROWS SIDE OUTPUT TO old;
CREATE STREAM another AS SELECT id FROM s LATE ROWS SIDE OUTPUT TO another;
CREATE OR REPLACE STREAM recent AS SELECT id FROM s LATE ROWS DROP;
CREATE OR REPLACE STREAM recent AS SELECT id FROM s LATE ROWS SIDE OUTPUT TO elsewhere;
CREATE OR REPLACE STREAM recent AS SELECT id FROM old ALLOWED LATENESS INTERVAL '1 minute' LATE ROWS SIDE OUTPUT TO old;
CREATE OR REPLACE STREAM missed_ids AS SELECT id, ts FROM missed LATE ROWS SIDE OUTPUT TO more;
CREATE OR REPLACE STREAM old AS SELECT id FROM s;
CREATE STREAM old AS SELECT id FROM s;
CREATE STREAM counted AS SELECT window_start, count(*) AS n
  FROM TUMBLE(TABLE old, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start;
CREATE STREAM timeless AS SELECT window_start FROM strict LATE ROWS SIDE OUTPUT TO never;
DROP STREAM old;
