-- Reasons, explanations that are stored, canaries, and queries of a moment.
CREATE STREAM payments (id TEXT, card TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
CREATE MODEL risk WITH (path = '/m_small.txt') REASONS (amount 'Unusual amount', n 'Many payments');
CREATE STREAM decisions AS SELECT id, card, amount, count(*) OVER (PARTITION BY card ORDER BY ts) AS n,
  PREDICT(risk) AS score, REASONS(risk) AS reasons,
  CASE WHEN score > 0.7 THEN 'decline' ELSE 'approve' END AS decision FROM payments EXPLAIN WHEN decision = 'decline';
-- > payments {"id":"1","card":"a","amount":5,"ts":1760000000}
-- > payments {"id":"2","card":"a","amount":50,"ts":1760000001}
-- > payments {"id":"3","card":"a","amount":50,"ts":1760000002}
-- why decisions:0:2
ALTER MODEL risk ADD VERSION WITH (path = '/m_calm.txt') REASONS (amount 'High amount');
-- deploy
ALTER MODEL risk CANARY 50 PERCENT VERSION 2;
-- deploy
ALTER MODEL risk CANARY 50 PERCENT VERSION 2 WITH (canary_key = 'card');
-- query SHOW MODELS
-- > payments {"id":"4","card":"b","amount":50,"ts":1760000003}
-- > payments {"id":"5","card":"c","amount":50,"ts":1760000004}
-- > payments {"id":"6","card":"d","amount":50,"ts":1760000005}
-- > payments {"id":"7","card":"e","amount":50,"ts":1760000006}
-- restart
-- > payments {"id":"8","card":"b","amount":50,"ts":1760000007}
-- why decisions:0:3
-- why decisions:0:4
ALTER MODEL risk ROLLBACK;
-- query SHOW MODELS
-- deploy
ALTER MODEL risk ROLLBACK;
-- query SELECT count(*) AS n FROM decisions AS OF LSN 5
-- query SELECT id, decision FROM decisions FOR SYSTEM_TIME AS OF TIMESTAMPTZ '2020-01-01 00:00:00Z'
-- deploy
CREATE MODEL other WITH (path = '/m_small.txt') REASONS (amont 'Unusual amount');
-- deploy
CREATE STREAM wrong AS SELECT id FROM payments EXPLAIN WHEN amount > 1;
-- deploy
CREATE STREAM wrong AS SELECT id FROM payments AS OF LSN 1;
