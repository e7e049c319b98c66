-- Models that are trained again: what is told of them, and what is refused.
CREATE STREAM payments (id TEXT, card TEXT, amount DOUBLE PRECISION, n BIGINT, bad BOOLEAN, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '10 seconds') WITH (timestamp_unit = 's');
CREATE STREAM timeless (amount DOUBLE PRECISION, n BIGINT, bad BOOLEAN);
CREATE MODEL risk WITH (path = '/m_small.txt');
CREATE MODEL calm WITH (path = '/m_calm.txt', watch = off);
CREATE STREAM scored AS SELECT id, amount, n, bad, ts, PREDICT(risk) AS score FROM payments;
CREATE MODEL again TRAIN gradient_boosting (amount, n) LABEL bad ON scored WITH (trees = 10, min_rows = 100)
  WHEN EVERY INTERVAL '1 day' OR drift(risk) > 0.2 INTO SHADOW OF risk;
-- query SHOW MODELS
-- query DESCRIBE again
-- query DESCRIBE __training_again
-- > payments {"id":"1","card":"a","amount":5,"n":1,"bad":true,"ts":1760000000}
-- restart
-- query SELECT step FROM __training_again
-- deploy
CREATE MODEL t1 TRAIN deep_learning (amount, n) LABEL bad ON scored WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;
CREATE MODEL t2 TRAIN gradient_boosting (n, amount) LABEL bad ON scored WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;
CREATE MODEL t3 TRAIN gradient_boosting (amount, n) LABEL bat ON scored WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;
CREATE MODEL t4 TRAIN gradient_boosting (amount, n) LABEL id ON scored WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;
CREATE MODEL t5 TRAIN gradient_boosting (amount, n) LABEL bad ON timeless WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;
CREATE MODEL t6 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WITH (trees = 0, promote_rows = 5)
  WHEN EVERY INTERVAL '1 month' INTO SHADOW OF risk;
CREATE MODEL t7 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WHEN drift(calm) > 1 INTO SHADOW OF risk;
CREATE MODEL t8 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WHEN drift(calm) > 1 INTO SHADOW OF calm;
CREATE MODEL t9 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WHEN EVERY INTERVAL '1 day' INTO SHADOW OF rsik;
CREATE STREAM __training_t AS SELECT id FROM scored;
-- deploy
CREATE OR REPLACE MODEL again TRAIN gradient_boosting (amount, n) LABEL bad ON scored
  WHEN EVERY INTERVAL '2 days' INTO SHADOW OF risk;
-- deploy
CREATE MODEL t10 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WHEN INTO SHADOW OF risk;
-- deploy
DROP STREAM scored;
