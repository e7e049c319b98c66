-- Statements that are refused say why, where, and what to do.
CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts);
CREATE STREAM o AS SELECT k, q FROM s;
-- query SHOW STREAMS
CREATE TABLE t (k TEXT);
-- deploy
CREATE OR REPLACE STREAM s AS SELECT k FROM o;
-- deploy
DROP VIEW o;
-- deploy
DROP STREAM s;
-- deploy
DROP STREAM nothing;
-- deploy
CREATE STREAM j AS SELECT a.k FROM s a JOIN o b ON a.k = b.k;
-- deploy
CREATE STREAM g AS SELECT k, count(*) FROM s GROUP BY k;
-- deploy
CREATE STREAM x AS SELECT k FROM s EMIT CHANGES;
-- deploy
CREATE STREAM o AS SELECT q FROM s;
CREATE STREAM o2 AS SELECT kk, missing(q), q + 'a' FROM s WHERE k;
CREATE STREAM o3 AS SELECT sum(k) OVER (ORDER BY ts), count(*) OVER (ORDER BY q) FROM ss;
CREATE STREAM o4 AS SELECT window_start FROM TUMBLE(TABLE o, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start;
CREATE STREAM o5 AS SELECT count(*) AS n FROM HOP(TABLE s, DESCRIPTOR(ts), INTERVAL '7 seconds', INTERVAL '1 minute') GROUP BY window_start;
CREATE STREAM o6 AS SELECT count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1 month' PRECEDING AND CURRENT ROW) FROM s;
-- deploy
CREATE STREAM two (k TEXT) WITH (topic = 's');
CREATE STREAM p (k TEXT) WITH (partitions = 4, colour = 'red');
CREATE STREAM p1 (k TEXT) WITH (retention = 'soon', retention.bytes = '1 GB');
CREATE STREAM p2 (k TEXT) WITH (retention_bytes = '10 PB', retention.bytes = 5);
CREATE STREAM p3 (k TEXT) WITH (retention_bytes = '10 PB');
CREATE STREAM q (k MONEY, k TEXT);
CREATE STREAM r (k TEXT, WATERMARK FOR k AS k);
CREATE STREAM (k TEXT);
SELECT 1;
