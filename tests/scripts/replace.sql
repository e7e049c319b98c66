-- A statement is replaced: its rows stay, what comes is computed over the past, readers go on.
CREATE STREAM payments (card TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) PARTITION BY (card);
CREATE STREAM scored AS SELECT card, ts, count(*) OVER h AS n FROM payments
WINDOW h AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
CREATE STREAM alerts AS SELECT card, n FROM scored WHERE n > 1;
CREATE MATERIALIZED VIEW by_minute AS SELECT window_start, count(*) AS n, max(n) AS top
FROM TUMBLE(TABLE scored, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start;
-- > payments {"card":"anna","amount":1.50,"ts":"2026-01-31T10:00:10Z"}
-- > payments {"card":"anna","amount":2.00,"ts":"2026-01-31T10:00:20Z"}
CREATE OR REPLACE STREAM scored AS SELECT card, sum(amount) OVER h AS total, ts, count(*) OVER h AS n FROM payments
WINDOW h AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
-- > payments {"card":"anna","amount":4.00,"ts":"2026-01-31T10:00:30Z"}
-- > payments {"card":"bob","amount":8.00,"ts":"2026-01-31T10:01:30Z"}
CREATE STREAM totals AS SELECT card, total FROM scored;
-- > payments {"card":"bob","amount":9.00,"ts":"2026-01-31T10:01:40Z"}
-- finish payments
-- query SELECT card, total, n FROM scored
