-- A shop's front page: which shelf to show to whom, learned from what is bought.

CREATE STREAM visits (
  visit BIGINT NOT NULL,
  young DOUBLE PRECISION NOT NULL,
  evening DOUBLE PRECISION NOT NULL,
  known DOUBLE PRECISION NOT NULL,
  spent DOUBLE PRECISION NOT NULL,
  ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts
) WITH (topic = 'visits');

-- What is bought comes later and names the row that was shown; who buys nothing sends nothing, which
-- counts as 0 after ten minutes.
CREATE STREAM purchases (
  shown_id TEXT NOT NULL,
  bought INTEGER NOT NULL,
  ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts
) WITH (topic = 'purchases');

CREATE POLICY shelf ARMS ('books', 'garden', 'games', 'kitchen', 'shoes', 'tools')
  CONTEXT (young DOUBLE PRECISION, evening DOUBLE PRECISION, known DOUBLE PRECISION, spent DOUBLE PRECISION)
  WITH (type = 'linear_thompson', alpha = 0.3, epsilon = 0.1, discount = 0.9998, fallback = 'books',
        reward_within = '10 minutes', expired_reward = 0);

CREATE STREAM shown AS
SELECT visit, ts, young, evening, known, spent, CHOOSE(shelf) AS item
FROM visits;

CREATE STREAM learned AS
SELECT shown_id, ts, REWARD(shelf, shown_id, bought) AS outcome
FROM purchases;
