-- Learners: what they say before they learn, labels that are missing, keys, questions, and errors.
CREATE STREAM s (id TEXT NOT NULL, k TEXT, a DOUBLE PRECISION, b BIGINT, word TEXT, y DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '10 seconds') WITH (timestamp_unit = 's');
CREATE MODEL bayes LEARNER naive_bayes (a DOUBLE PRECISION, b BIGINT) LABEL (word TEXT);
CREATE MODEL line LEARNER linear_regression (a DOUBLE PRECISION) LABEL (y DOUBLE PRECISION) WITH (rate = 0.1, seed = 7);
CREATE MODEL odds LEARNER logistic_regression (a DOUBLE PRECISION) LABEL (high BOOLEAN) WITH (output = 'probability', standardize = false);
CREATE STREAM guesses AS
SELECT id, LEARN(bayes, a, b, word) AS word, PREDICT(bayes, 10 - a, b) AS mirrored, PREDICT(bayes) AS asked,
  LEARN(bayes, a, b, word) OVER (PARTITION BY k) AS word_k, LEARN(line, a, y) AS y, LEARN(odds, a, a > 5) AS p
FROM s;
-- query SHOW MODELS
-- query DESCRIBE bayes
-- > s {"id":"1","k":"x","a":1,"b":1,"word":"low","y":2,"ts":1760000400}
-- > s {"id":"2","k":"y","a":9,"b":2,"word":"high","y":18,"ts":1760000401}
-- > s {"id":"3","k":"x","a":1.5,"b":1,"word":"low","y":3,"ts":1760000402}
-- > s {"id":"4","k":"y","a":8.5,"b":2,"word":"high","y":17,"ts":1760000403}
-- > s {"id":"5","k":"x","a":2,"b":1,"word":null,"y":null,"ts":1760000404}
-- restart
-- > s {"id":"6","k":"x","a":2,"b":1,"word":"low","y":4,"ts":1760000405}
-- > s {"id":"7","k":"y","a":8,"b":null,"word":"high","y":16,"ts":1760000406}
-- > s {"id":"8","k":"y","a":null,"b":null,"word":"high","y":16,"ts":1760000407}
-- > s {"id":"9","k":"x","a":9,"b":2,"ts":1760000408}
-- why guesses:0:5
-- deploy
CREATE MODEL bush LEARNER hoeffding_bush (a DOUBLE PRECISION) LABEL (w TEXT);
CREATE MODEL t1 LEARNER hoeffding_tree (a DOUBLE PRECISION) LABEL (w TEXT) WITH (grace = 3);
CREATE MODEL t2 LEARNER hoeffding_tree (a DOUBLE PRECISION) LABEL (w TEXT) WITH (grace_period = 0);
CREATE MODEL t3 LEARNER hoeffding_tree (a DOUBLE PRECISION) LABEL (w DOUBLE PRECISION);
CREATE MODEL t4 LEARNER hoeffding_tree (a TEXT) LABEL (w DATE);
CREATE MODEL t5 LEARNER hoeffding_tree (a DOUBLE PRECISION) LABEL (a TEXT);
-- deploy
CREATE STREAM e1 AS SELECT LEARN(bayes, a, b) AS x FROM s;
CREATE STREAM e2 AS SELECT LEARN(bayes, a, word, b) AS x FROM s;
CREATE STREAM e3 AS SELECT LEARN(bays, a, b, word) AS x FROM s;
CREATE STREAM e4 AS SELECT PREDICT(bayes, a, b) AS x FROM s;
CREATE STREAM e5 AS SELECT LEARN(line, a, y) AS l, PREDICT(line, l) AS x FROM s;
CREATE STREAM e6 AS SELECT LEARN(line, a, y) OVER (ORDER BY ts) AS l FROM s;
CREATE STREAM e7 AS SELECT a FROM s WHERE LEARN(line, a, y) > 3;
-- deploy
CREATE OR REPLACE MODEL line LEARNER linear_regression (a DOUBLE PRECISION) LABEL (y DOUBLE PRECISION);
-- deploy
DROP MODEL line;
-- query SELECT LEARN(line, a, y) FROM s
