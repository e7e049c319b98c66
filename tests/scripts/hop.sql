-- Overlapping windows.
CREATE STREAM payments (card TEXT, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds');
CREATE STREAM busy AS
SELECT window_start, window_end, card, count(*) AS n, sum(amount) AS total
FROM HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '30 seconds', INTERVAL '1 minute')
WHERE amount > 5
GROUP BY window_start, window_end, card
HAVING count(*) > 1
ALLOWED LATENESS INTERVAL '1 minute';
-- > payments {"card":"anna","amount":12.50,"ts":"2026-01-31T10:00:10Z"}
-- > payments {"card":"anna","amount":990.00,"ts":"2026-01-31T10:00:50Z"}
-- > payments {"card":"bob","amount":8.00,"ts":"2026-01-31T10:00:30Z"}
-- > payments {"card":"bob","amount":7.00,"ts":"2026-01-31T10:01:10Z"}
-- > payments {"card":"anna","amount":1.00,"ts":"2026-01-31T10:00:40Z"}
-- > payments {"card":"anna","amount":6.00,"ts":"2026-01-31T10:03:00Z"}
-- finish payments
