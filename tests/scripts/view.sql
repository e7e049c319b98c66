-- A materialized view and what may be asked of it.
CREATE STREAM payments (card TEXT, shop TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds');
CREATE MATERIALIZED VIEW by_minute AS
SELECT window_start, shop, count(*) AS n, sum(amount) AS total
FROM TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1 minute')
GROUP BY window_start, shop
ALLOWED LATENESS INTERVAL '1 minute';
-- > payments {"card":"anna","shop":"A","amount":12.50,"ts":"2026-01-31T10:00:10Z"}
-- > payments {"card":"anna","shop":"B","amount":990.00,"ts":"2026-01-31T10:00:50Z"}
-- > payments {"card":"bob","shop":"A","amount":8.00,"ts":"2026-01-31T10:00:30Z"}
-- > payments {"card":"bob","shop":"A","amount":7.00,"ts":"2026-01-31T10:01:10Z"}
-- > payments {"card":"anna","shop":"C","amount":1.00,"ts":"2026-01-31T10:00:40Z"}
-- > payments {"card":"anna","shop":"A","amount":5.00,"ts":"2026-01-31T10:03:00Z"}
-- finish payments
-- query SELECT shop, sum(n) AS n, sum(total) AS total FROM by_minute GROUP BY shop ORDER BY shop
-- query SELECT * FROM by_minute WHERE n > 1
-- query SHOW VIEWS
-- query DESCRIBE by_minute
