-- Functions with a memory: over all rows, by key, over what another answers; NULL is passed over.
CREATE STREAM s (id TEXT NOT NULL, k TEXT, x DOUBLE PRECISION, n BIGINT, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '10 seconds') WITH (timestamp_unit = 's');
CREATE STREAM watched AS
SELECT id, k, ts,
  adwin(x, 0.5, clock => 1, min_window_length => 1, grace_period => 1) AS changed,
  adwin(x, 0.5, 1, 1, 1) OVER (PARTITION BY k) AS changed_k,
  adwin(changed, 0.5, 1, 1, 1) OVER w AS often,
  CASE WHEN changed_k THEN 'look' ELSE 'fine' END AS decision
FROM s WHERE n IS NULL WINDOW w AS (PARTITION BY k);
CREATE STREAM sorted AS SELECT id, adwin(x, 0.5, 1, 1, 1) AS changed FROM s EMIT ON WATERMARK;
-- > s {"id":"a","k":"x","x":1,"ts":1760000400}
-- > s {"id":"b","k":"x","x":1.5,"ts":1760000401}
-- > s {"id":"c","k":"y","x":1,"ts":1760000402}
-- > s {"id":"d","k":"x","x":1.25,"ts":1760000403}
-- > s {"id":"e","k":"x","x":1.5,"ts":1760000400}
-- > s {"id":"f","k":"x","x":null,"ts":1760000404}
-- > s {"id":"g","k":"y","x":"NaN","ts":1760000405}
-- restart
-- > s {"id":"h","k":"x","x":900,"ts":1760000406}
-- > s {"id":"i","k":"x","x":901,"ts":1760000407}
-- > s {"id":"j","k":"y","x":1,"ts":1760000408}
-- > s {"id":"k","x":1,"ts":1760000409}
-- > s {"id":"l","k":"y","x":1,"n":5,"ts":1760000409}
-- > s {"id":"m","k":"y","x":1,"ts":1760000410}
-- > s {"id":"n","k":"x","x":1e200,"ts":1760000411}
-- > s {"id":"o","k":"x","x":2,"ts":1760000412}
-- > s {"id":"p","k":"x","x":1,"ts":1760000413}
-- why watched:0:7
-- finish s
