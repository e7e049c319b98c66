-- Flink's table form of PREDICT, and what a remote model may be declared as. Nobody is called here:
-- every question has its default.
CREATE STREAM payments (id TEXT, amount DECIMAL(12,2), n BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
CREATE MODEL risk WITH (path = '/m_small.txt');
CREATE STREAM positional AS SELECT *, score > 0.7 AS stop FROM ML_PREDICT(TABLE payments, MODEL risk, DESCRIPTOR(amount, n));
CREATE STREAM named AS SELECT id, score FROM ML_PREDICT(ARGS => DESCRIPTOR(amount, n), MODEL => MODEL risk, INPUT => TABLE payments) AS p WHERE amount > 7;
CREATE MODEL far INPUT (amount DOUBLE PRECISION, id TEXT) OUTPUT (low REAL, label TEXT, sure BOOLEAN)
  WITH (url = 'http://127.0.0.1:1/v2/models/far', default = '[0.5, "none", null]');
CREATE STREAM asked AS SELECT id, low, label, sure, low > 0.4 AS over FROM TABLE(ML_PREDICT(TABLE payments, MODEL far, DESCRIPTOR(amount, id)));
CREATE STREAM packed AS SELECT PREDICT(far, amount, id) AS answer FROM payments;
-- > payments {"id":"1","amount":5,"n":1,"ts":1760000000}
-- > payments {"id":"2","amount":50,"n":2,"ts":1760000001}
-- > payments {"id":"3","amount":null,"n":2,"ts":1760000002}
-- why positional:0:1
-- query SHOW MODELS
-- query DESCRIBE far
-- deploy
CREATE STREAM wrong AS SELECT * FROM ML_PREDICT(TABLE payments, MODEL risk, DESCRIPTOR(amount));
-- deploy
CREATE STREAM wrong AS SELECT * FROM ML_PREDICT(TABLE payments, MODEL risc, DESCRIPTOR(amount, n));
-- deploy
CREATE STREAM wrong AS SELECT * FROM ML_PREDICT(TABLE positional, MODEL risk, DESCRIPTOR(amount, n));
-- deploy
CREATE STREAM wrong AS SELECT * FROM ML_PREDICT(TABLE payments, MODEL risk, DESCRIPTOR(amount, n), MAP['async', 'true']);
-- deploy
CREATE STREAM wrong AS SELECT * FROM ML_PREDICT(INPUT => TABLE payments, INPUT => TABLE payments, ARGS => DESCRIPTOR(n));
-- deploy
CREATE STREAM wrong AS SELECT PREDICT(far, n, id) AS a, avg(low) OVER (ORDER BY ts) AS b FROM ML_PREDICT(TABLE payments, MODEL far, DESCRIPTOR(amount, id));
-- deploy
CREATE STREAM wrong AS SELECT REASONS(far, amount, id) AS a, PREDICT(far, id, id) AS b FROM payments;
-- deploy
CREATE MODEL near INPUT (a DATE) OUTPUT (b INTEGER) WITH (url = 'https://h/v2/models/x', timeout = '1 hour', queue = 0, when_full = 'drop', retries = 3);
-- deploy
CREATE MODEL near INPUT (a INTEGER, b TEXT) OUTPUT (b INTEGER) WITH (default = '1.5', tensor = 'x');
-- deploy
CREATE MODEL near INPUT (a INTEGER) OUTPUT (b INTEGER) WITH (url = 'http://h/v2/models/x', default = '1.5');
-- deploy
CREATE OR REPLACE MODEL far INPUT (a INTEGER) OUTPUT (b INTEGER) WITH (url = 'http://h/v2/models/x');
