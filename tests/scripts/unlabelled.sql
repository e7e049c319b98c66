-- Learners without labels and of ratings, forecasts: keys, restart, missing values, errors.
CREATE STREAM s (id TEXT NOT NULL, k TEXT, a DOUBLE PRECISION, b BIGINT, r DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '10 seconds') WITH (timestamp_unit = 's');
CREATE MODEL odd LEARNER half_space_trees (a DOUBLE PRECISION, b BIGINT) WITH (models = 3, depth = 2, window = 3);
CREATE MODEL groups LEARNER k_means (a DOUBLE PRECISION) WITH (groups = 2, warm_start = 4);
CREATE MODEL taste LEARNER matrix_factorization (b BIGINT, a DOUBLE PRECISION) LABEL (r DOUBLE PRECISION) WITH (factors = 2);
CREATE STREAM t AS
SELECT id, LEARN(odd, a, b) AS odd, LEARN(groups, a) AS grp, PREDICT(groups, a + 10) AS far, LEARN(taste, b, a, r) AS liked,
  LEARN(groups, a) OVER (PARTITION BY k) AS grp_k, seasonal_naive(a, 2) AS naive,
  holt_winters(a, 2, alpha => 0.5) OVER (PARTITION BY k) AS smooth
FROM s;
-- query DESCRIBE odd
-- query DESCRIBE taste
-- > s {"id":"1","k":"x","a":1,"b":1,"r":3,"ts":1760000400}
-- > s {"id":"2","k":"x","a":11,"b":2,"r":4,"ts":1760000401}
-- > s {"id":"3","k":"x","a":1.5,"b":1,"r":2,"ts":1760000402}
-- > s {"id":"4","k":"y","a":10.5,"b":2,"r":5,"ts":1760000403}
-- > s {"id":"5","k":"x","a":2,"b":1,"r":null,"ts":1760000404}
-- restart
-- > s {"id":"6","k":"x","a":12,"b":1,"r":4,"ts":1760000405}
-- > s {"id":"7","k":"x","a":null,"b":null,"r":4,"ts":1760000406}
-- > s {"id":"8","k":"x","a":2.5,"b":2,"r":3,"ts":1760000407}
-- > s {"id":"9","k":"x","a":1000,"b":900,"r":3,"ts":1760000408}
-- deploy
CREATE MODEL m1 LEARNER k_means (a DOUBLE PRECISION) LABEL (w TEXT);
CREATE MODEL m2 LEARNER naive_bayes (a DOUBLE PRECISION);
CREATE MODEL m3 LEARNER matrix_factorization (a BIGINT, b BIGINT, c BIGINT) LABEL (r DOUBLE PRECISION);
CREATE STREAM e1 AS SELECT LEARN(odd, a, b, r) AS x FROM s;
CREATE STREAM e2 AS SELECT spectral_residual(a, 100) AS x FROM s;
CREATE STREAM e3 AS SELECT matrix_profile(a, 50, 100) AS x FROM s;
