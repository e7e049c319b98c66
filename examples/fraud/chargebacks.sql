-- What payments turned out to be: known later than they are decided on, and sometimes corrected.

CREATE STREAM chargebacks (
  tx_id TEXT NOT NULL,
  is_fraud BIGINT NOT NULL,
  ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts
);
