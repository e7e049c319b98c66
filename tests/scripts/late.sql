-- Late events: each statement says what it takes, and where the rest goes.
CREATE STREAM s (id TEXT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '10 seconds')
  WITH (timestamp_unit = 's');
CREATE STREAM an_hour AS SELECT id FROM s;
CREATE STREAM a_minute AS SELECT id, count(*) OVER (ORDER BY ts) AS n FROM s ALLOWED LATENESS INTERVAL '1 minute' LATE ROWS DROP;
CREATE STREAM strict AS SELECT window_start, count(*) AS n
  FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start LATE ROWS DROP;
CREATE STREAM patient AS SELECT window_start, count(*) AS n
  FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start
  ALLOWED LATENESS INTERVAL '2 minutes' LATE ROWS DEAD LETTER;
-- > s {"id":"a","ts":1760000400}
-- > s {"id":"on the watermark","ts":1760000390}
-- > s {"id":"one second late","ts":1760000389}
-- > s {"id":"a minute late","ts":1760000330}
-- > s {"id":"two minutes late","ts":1760000270}
-- > s {"id":"later than that","ts":1760000269}
-- > s {"id":"an hour late","ts":1759996790}
-- > s {"id":"later than an hour","ts":1759996789}
-- > s {"id":"z","ts":1760000600}
-- finish s
