-- Card payments: what each card and each terminal did lately, a model's score, a decision.

CREATE STREAM payments (
  tx_id TEXT NOT NULL,
  card TEXT NOT NULL,
  terminal TEXT NOT NULL,
  amount DECIMAL(12,2) NOT NULL,
  ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
) PARTITION BY (card)
  DEDUPLICATE BY (tx_id) WITHIN INTERVAL '24 hours'
  WITH (topic = 'payments', format = 'json');

-- 100 boosted trees; tools/train_demo_model.py made them from these very features.
CREATE MODEL fraud WITH (path = 'fraud.lgb.txt');

CREATE STREAM decisions AS
SELECT tx_id, card, terminal, amount, ts,
  count(*)                 OVER m10 AS n_10m,
  count(*)                 OVER d1  AS n_1d,
  sum(amount)              OVER h1  AS sum_1h,
  count(DISTINCT terminal) OVER d1  AS terminals_1d,
  CAST(amount AS DOUBLE PRECISION) / CAST(avg(amount) OVER d7 AS DOUBLE PRECISION) AS vs_week,
  count(*)                 OVER at4 AS n_at_terminal_4h,
  CAST(avg(amount) OVER at4 AS DOUBLE PRECISION) AS avg_at_terminal_4h,
  PREDICT(fraud) AS risk,
  CASE WHEN risk > 0.8 THEN 'decline'
       WHEN risk > 0.2 THEN 'review'
       ELSE 'approve' END AS decision
FROM payments
WINDOW
  m10 AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
  h1  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
  d1  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW),
  d7  AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW),
  at4 AS (PARTITION BY terminal ORDER BY ts RANGE BETWEEN INTERVAL '4 hours' PRECEDING AND CURRENT ROW);

CREATE MATERIALIZED VIEW risk_by_minute AS
SELECT window_start, decision, count(*) AS n, sum(amount) AS amount
FROM TUMBLE(TABLE decisions, DESCRIPTOR(ts), INTERVAL '1 minute')
GROUP BY window_start, decision;
