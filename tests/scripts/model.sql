-- A model, its versions, and decisions explained with the version that decided.
CREATE STREAM payments (id TEXT, card TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
CREATE MODEL risk WITH (path = '/m_small.txt');
CREATE STREAM decisions AS SELECT id, amount, count(*) OVER (PARTITION BY card ORDER BY ts) AS n,
  PREDICT(risk) AS score, PREDICT(risk, amount * 2, 1) AS other,
  CASE WHEN score > 0.7 THEN 'decline' ELSE 'approve' END AS decision FROM payments;
-- > payments {"id":"1","card":"a","amount":5,"ts":1760000000}
-- > payments {"id":"2","card":"a","amount":50,"ts":1760000001}
-- > payments {"id":"3","card":"a","amount":50,"ts":1760000002}
ALTER MODEL risk ADD VERSION WITH (path = '/m_calm.txt');
-- > payments {"id":"4","card":"a","amount":50,"ts":1760000003}
ALTER MODEL risk ACTIVATE VERSION 2;
-- > payments {"id":"5","card":"a","amount":50,"ts":1760000004}
-- restart
ALTER MODEL risk ACTIVATE VERSION 1;
-- > payments {"id":"6","card":"a","ts":1760000005}
-- why decisions:0:2
-- why decisions:0:4
-- query SHOW MODELS
ALTER MODEL risk SHADOW VERSION 2;
-- restart
-- query SHOW MODELS
ALTER MODEL risk RETIRE VERSION 2;
-- query SHOW MODELS
ALTER MODEL risk SHADOW VERSION 1;
-- deploy
ALTER MODEL risk ACTIVATE VERSION 3;
-- deploy
ALTER MODEL other ADD VERSION WITH (path = '/m_calm.txt');
-- deploy
CREATE MODEL missing WITH (path = '/nowhere.txt');
-- deploy
CREATE STREAM wrong AS SELECT PREDICT(risk, amount) AS p FROM payments;
-- deploy
CREATE STREAM wrong AS SELECT PREDICT(risk) AS p FROM payments;
