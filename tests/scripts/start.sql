-- From when a new statement computes.
CREATE STREAM s (id TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
-- > s {"id":"1","q":1,"ts":1760000000}
-- > s {"id":"2","q":0,"ts":1760000060}
CREATE STREAM everything AS SELECT id, count(*) OVER (ORDER BY ts) AS n, 1 / q AS d FROM s;
CREATE STREAM from_now AS SELECT id, count(*) OVER (ORDER BY ts) AS n FROM s START FROM NOW;
CREATE STREAM from_then AS SELECT id FROM s START FROM TIMESTAMP '2025-10-09T08:54:20Z';
-- > s {"id":"3","q":1,"ts":1760000070}
-- restart
-- > s {"id":"4","q":1,"ts":1760000050}
