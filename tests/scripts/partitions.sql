-- Several partitions: rows in the order of their events all the same.
CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '1 minute')
  PARTITION BY (k) WITH (timestamp_unit = 's', partitions = 3);
CREATE STREAM o AS SELECT k, q, 12 / q AS d, count(*) OVER (PARTITION BY k ORDER BY ts) AS n, ts FROM s;
CREATE STREAM w AS SELECT window_start, count(*) AS n, sum(q) AS total
  FROM TUMBLE(TABLE o, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;
-- > s {"k":"a","q":1,"ts":1760000000}
-- > s {"k":"b","q":2,"ts":1760000001}
-- > s {"k":"c","q":3,"ts":1760000002}
-- > s {"k":"d","q":0,"ts":1760000003}
-- > s {"k":"a","q":4,"ts":1760000004}
-- > s {"k":"e","q":6,"ts":1760000015}
-- > s {"q":12,"ts":1760000016}
-- restart
-- > s {"k":"b","q":1,"ts":1760000017}
-- finish s
-- query SELECT k, n FROM o
