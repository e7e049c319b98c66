-- Every type a column takes, as it comes in and goes out.
CREATE STREAM t (
  b BOOLEAN, i INTEGER, l BIGINT, d DOUBLE PRECISION, n DECIMAL(20,3), s TEXT, y BYTEA, day DATE,
  clock TIME, z TIMESTAMPTZ, w TIMESTAMP, span INTERVAL, j JSON, jb JSONB,
  ts TIMESTAMPTZ, WATERMARK FOR ts AS ts
);
CREATE STREAM o AS SELECT * FROM t;
CREATE STREAM p AS SELECT NOT b AS b, i + 1 AS i, l / 2 AS l, d * 2 AS d, n / 3 AS n, s || '!' AS s,
  day + 1 AS day, z + INTERVAL '1 day' AS z, span * 2 AS span, jb ->> 'a' AS a FROM t;
-- > t {"b":true,"i":-7,"l":"9223372036854775807","d":0.1,"n":12345.6785,"s":"h\u00e9 \"x\"","y":"aGk=","day":"2026-02-28","clock":"23:59:59.5","z":"2026-01-31T23:59:59.000001Z","w":"2026-01-31T12:00:00","span":"1 day 02:00:00","j":{"a": 1},"jb":{"bb":2,"a":"x"},"ts":"2026-01-01T00:00:00Z"}
-- > t {"ts":"2026-01-01T00:00:01Z"}
-- > t {"d":"NaN","n":"-0.0005","l":-9223372036854775808,"ts":"2026-01-01T00:00:02Z"}
-- > t {"i":2147483648,"ts":"2026-01-01T00:00:03Z"}
-- > t {"i":1.5,"ts":"2026-01-01T00:00:03Z"}
-- > t {"b":"yes","ts":"2026-01-01T00:00:04Z"}
-- > t {"l":9223372036854775808,"ts":"2026-01-01T00:00:04Z"}
-- > t {"day":"2026-02-30","ts":"2026-01-01T00:00:04Z"}
-- query DESCRIBE t
