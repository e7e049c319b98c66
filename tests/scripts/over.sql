-- Windows over a stream: frames, filters, several PARTITION BY, late arrivals.
CREATE STREAM payments (
  tx_id TEXT, card TEXT, shop TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
);
CREATE STREAM features AS
SELECT tx_id,
  count(*) OVER m1 AS n,
  sum(amount) FILTER (WHERE shop = 'A') OVER m1 AS at_a,
  count(DISTINCT shop) OVER m1 AS shops,
  avg(amount) OVER m1 AS mean,
  max(amount) OVER last AS largest_of_2,
  first_value(shop) OVER last AS first_shop,
  last_value(shop) OVER earlier AS shop_before,
  lag(amount) OVER seen AS before,
  lag(amount, 2) OVER seen AS before_that,
  count(*) OVER (PARTITION BY shop ORDER BY ts RANGE UNBOUNDED PRECEDING) AS n_shop,
  min(amount) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '2 minutes' PRECEDING AND INTERVAL '20 seconds' PRECEDING) AS low,
  bool_or(amount > 500) OVER seen AS ever_large,
  amount > 10 * before AS jump
FROM payments
WINDOW m1 AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW),
       last AS (PARTITION BY card ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
       earlier AS (PARTITION BY card ORDER BY ts ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING),
       seen AS (PARTITION BY card ORDER BY ts);
-- > payments {"tx_id":"t1","card":"anna","shop":"A","amount":12.50,"ts":"2026-01-31T10:00:10Z"}
-- > payments {"tx_id":"t2","card":"anna","shop":"B","amount":990.00,"ts":"2026-01-31T10:00:50Z"}
-- > payments {"tx_id":"t3","card":"bob","shop":"A","amount":8.00,"ts":"2026-01-31T10:00:30Z"}
-- > payments {"tx_id":"t4","card":"bob","shop":"A","amount":7.00,"ts":"2026-01-31T10:01:10Z"}
-- > payments {"tx_id":"t5","card":"anna","shop":"C","amount":1.00,"ts":"2026-01-31T10:00:40Z"}
-- restart
-- > payments {"tx_id":"t6","card":"anna","shop":"A","amount":5.00,"ts":"2026-01-31T10:03:00Z"}
-- > payments {"tx_id":"t7","card":"anna","ts":"2026-01-31T10:03:00Z"}
-- > payments {"tx_id":"t8","card":"anna","shop":"A","amount":6.00,"ts":"2026-01-31T09:00:00Z"}
-- > payments {"tx_id":"t9","ts":"2026-01-31T10:03:00Z"}
-- why features:0:4
