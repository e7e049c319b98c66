-- Filters, expressions, aliases, CASE, and an event that cannot be computed.
CREATE STREAM e (id TEXT, a BIGINT, b BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts)
  WITH (timestamp_unit = 's');
CREATE STREAM ratio AS SELECT p.id, a / b AS r, r + 1 AS more,
  CASE WHEN r > 5 THEN 'high' WHEN r > 1 THEN 'some' ELSE 'low' END AS decision, ts
FROM e p WHERE a IS NOT NULL;
CREATE STREAM high AS SELECT *, more * 2 AS doubled FROM ratio WHERE decision = 'high';
CREATE STREAM counted AS SELECT h.*, count(*) OVER (ORDER BY ts) AS n FROM high h;
-- > e {"id":"1","a":12,"b":2,"ts":1760000000}
-- > e {"id":"2","a":12,"b":0,"ts":1760000001}
-- > e {"id":"3","b":0,"ts":1760000002}
-- > e {"id":"4","a":4,"b":2,"ts":1760000003}
-- > e {"id":"5","a":70,"b":7,"ts":1760000004}
-- > e {"id":"6","a":7,"ts":1760000005}
-- why ratio:0:0
-- why counted:0:1
-- why ratio:0:99
