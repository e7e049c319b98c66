-- What a customer spent lately, and how often a terminal was part of a fraud: the 15 features of
-- the Fraud Detection Handbook (chapter 3, baseline feature transformation), `amount` included.

CREATE STREAM transactions (
  tx_id BIGINT NOT NULL,
  ts TIMESTAMPTZ NOT NULL,
  customer_id BIGINT NOT NULL,
  terminal_id BIGINT NOT NULL,
  amount DECIMAL(12,2) NOT NULL,
  is_fraud BIGINT NOT NULL CHECK (is_fraud IN (0, 1)),
  WATERMARK FOR ts AS ts
) WITH (topic = 'transactions', format = 'json');

-- The handbook's windows leave out their oldest instant, (t - w, t]; RANGE takes both ends in.
-- Time has microseconds, so a window that is one of them shorter says the same.
-- Whether a transaction was a fraud is known a week later: the terminal's windows end there.
CREATE STREAM features AS
SELECT tx_id, ts, customer_id, terminal_id, is_fraud, amount,
  CASE WHEN extract(isodow FROM ts) IN (6, 7) THEN 1 ELSE 0 END AS tx_during_weekend,
  CASE WHEN extract(hour FROM ts) < 7 THEN 1 ELSE 0 END AS tx_during_night,
  count(*)    OVER spent1  AS customer_id_nb_tx_1day_window,
  avg(amount) OVER spent1  AS customer_id_avg_amount_1day_window,
  count(*)    OVER spent7  AS customer_id_nb_tx_7day_window,
  avg(amount) OVER spent7  AS customer_id_avg_amount_7day_window,
  count(*)    OVER spent30 AS customer_id_nb_tx_30day_window,
  avg(amount) OVER spent30 AS customer_id_avg_amount_30day_window,
  count(*)    OVER seen1   AS terminal_id_nb_tx_1day_window,
  coalesce(avg(CAST(is_fraud AS DOUBLE PRECISION)) OVER seen1, 0)  AS terminal_id_risk_1day_window,
  count(*)    OVER seen7   AS terminal_id_nb_tx_7day_window,
  coalesce(avg(CAST(is_fraud AS DOUBLE PRECISION)) OVER seen7, 0)  AS terminal_id_risk_7day_window,
  count(*)    OVER seen30  AS terminal_id_nb_tx_30day_window,
  coalesce(avg(CAST(is_fraud AS DOUBLE PRECISION)) OVER seen30, 0) AS terminal_id_risk_30day_window
FROM transactions
WINDOW
  spent1  AS (PARTITION BY customer_id ORDER BY ts
              RANGE BETWEEN INTERVAL '23:59:59.999999' PRECEDING AND CURRENT ROW),
  spent7  AS (PARTITION BY customer_id ORDER BY ts
              RANGE BETWEEN INTERVAL '6 days 23:59:59.999999' PRECEDING AND CURRENT ROW),
  spent30 AS (PARTITION BY customer_id ORDER BY ts
              RANGE BETWEEN INTERVAL '29 days 23:59:59.999999' PRECEDING AND CURRENT ROW),
  seen1   AS (PARTITION BY terminal_id ORDER BY ts
              RANGE BETWEEN INTERVAL '7 days 23:59:59.999999' PRECEDING AND INTERVAL '7 days' PRECEDING),
  seen7   AS (PARTITION BY terminal_id ORDER BY ts
              RANGE BETWEEN INTERVAL '13 days 23:59:59.999999' PRECEDING AND INTERVAL '7 days' PRECEDING),
  seen30  AS (PARTITION BY terminal_id ORDER BY ts
              RANGE BETWEEN INTERVAL '36 days 23:59:59.999999' PRECEDING AND INTERVAL '7 days' PRECEDING);
