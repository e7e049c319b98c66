-- DROP: what reads it goes first or with it; the name begins anew, the events stay.
CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);
CREATE STREAM d AS SELECT k, 12 / q AS share FROM s;
CREATE STREAM r AS SELECT k FROM d;
CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start;
-- > s {"k":"a","q":4,"ts":"2026-01-31T10:00:10Z"}
-- > s {"k":"b","q":0,"ts":"2026-01-31T10:00:20Z"}
-- deploy
DROP STREAM d;
-- deploy
DROP STREAM v;
-- deploy
DROP TOPIC s;
-- deploy
DROP TOPIC d;
-- deploy
CREATE STREAM f AS SELECT k FROM s; DROP STREAM f;
-- deploy
DROP STREAM IF EXISTS nothing; DROP MATERIALIZED VIEW v; DROP STREAM d CASCADE;
-- query SHOW STREAMS
-- query SELECT code FROM "s.dead"
-- deploy
CREATE STREAM d AS SELECT k, q FROM s;
-- > s {"k":"c","q":1,"ts":"2026-01-31T10:00:30Z"}
-- query SELECT * FROM d
-- why d:0:1
-- why d:0:0
-- deploy
DROP STREAM s CASCADE; CREATE STREAM d (k TEXT);
-- deploy
CREATE STREAM s AS SELECT k FROM d;
-- deploy
CREATE STREAM p (k TEXT) WITH (topic = 's');
-- query SELECT count(*) AS n FROM p
