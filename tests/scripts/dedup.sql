-- Repeats by several columns, within event time, over a restart.
CREATE STREAM s (a TEXT, b BIGINT, v TEXT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '1 hour')
  DEDUPLICATE BY (a, b) WITHIN INTERVAL '10 seconds' WITH (timestamp_unit = 's');
CREATE STREAM o AS SELECT a, b, v FROM s;
-- > s {"a":"x","b":1,"v":"first","ts":1760000000}
-- > s {"a":"x","b":1,"v":"repeat","ts":1760000010}
-- > s {"a":"x","b":2,"v":"another b","ts":1760000001}
-- > s {"a":"x","v":"no b","ts":1760000001}
-- > s {"a":"x","v":"no b again","ts":1760000002}
-- restart
-- > s {"a":"x","b":1,"v":"repeat after a restart","ts":1759999990}
-- > s {"a":"x","b":1,"v":"too far away","ts":1760000011}
-- > s {"a":"x","b":1,"v":"repeat of that","ts":1760000012}
