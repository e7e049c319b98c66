-- Windows of fixed size, with WHERE, HAVING, an offset, and the order in which they close.
CREATE STREAM s (k TEXT, q BIGINT, x DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts)
  WITH (timestamp_unit = 's');
CREATE STREAM per_minute AS
SELECT window_start, window_end, k, count(*) AS n, sum(q) AS total, avg(x) AS mean, stddev(q) AS spread,
  count(DISTINCT q) AS different, bool_and(q > 1) AS all_large, sum(q) FILTER (WHERE q > 2) AS large
FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute')
GROUP BY window_start, window_end, k;
CREATE STREAM shifted AS
SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 hour', INTERVAL '20 minutes')
WHERE q > 1 GROUP BY window_start HAVING count(*) > 1;
CREATE STREAM odd AS
SELECT window_start, q % 2 AS odd, count(*) AS n, 10 / min(q) AS ratio
FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start, q % 2;
-- > s {"k":"b","q":1,"x":0.5,"ts":1760000040}
-- > s {"k":"a","q":2,"x":1.5,"ts":1760000041}
-- > s {"k":"b","q":3,"ts":1760000099}
-- > s {"q":0,"x":2.5,"ts":1760000099}
-- query SELECT count(*) FROM per_minute
-- > s {"k":"a","q":5,"ts":1760000100}
-- query SELECT count(*) FROM per_minute
-- restart
-- > s {"k":"a","q":7,"ts":1760000101}
-- finish s
