-- A declared stream: columns, checks, computed columns, repeats, its own topic.
CREATE STREAM payments (
  tx_id TEXT NOT NULL,
  card TEXT NOT NULL,
  amount DECIMAL(12,2) CHECK (amount >= 0),
  ts TIMESTAMPTZ NOT NULL,
  cents BIGINT AS (CAST(amount * 100 AS BIGINT)),
  loud TEXT GENERATED ALWAYS AS (upper(card)) STORED,
  CONSTRAINT sane CHECK (amount < 100000),
  WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
) PARTITION BY (card)
  DEDUPLICATE BY (tx_id) WITHIN INTERVAL '24 hours'
  WITH (topic = 'card_payments', format = 'json', bad_records = 'dead_letter');
CREATE STREAM seen AS SELECT tx_id, cents, loud FROM payments;
-- > card_payments {"tx_id":"t1","card":"anna","amount":12.5,"ts":"2026-01-31T10:00:10Z","more":[1]}
-- > card_payments {"tx_id":"t2","card":"bob","amount":"0.005","ts":"2026-01-31T11:00:10+01:00"}
-- > card_payments {"tx_id":"t1","card":"anna","amount":13,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t3","card":"anna","amount":-1,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t4","card":"anna","amount":100000,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t5","card":null,"amount":1,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t6","card":"anna","ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t7","card":"anna","amount":12345678901.00,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t8","card":"anna","amount":1,"ts":"2036-01-31T10:00:20Z"}
-- > card_payments {"tx_id":"t9","card":7,"amount":1,"ts":"2026-01-31T10:00:20Z"}
-- > card_payments not json at all
-- > card_payments {"tx_id":"t1","card":"anna","amount":14,"ts":"2026-02-01T10:00:10.000001Z"}
-- query SELECT * FROM payments
