-- Policies: choices with their propensities, rewards by the row's ID, and errors.
CREATE STREAM visits (id TEXT NOT NULL, age BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
CREATE STREAM clicks (decision_id TEXT, clicked BOOLEAN, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 's');
CREATE POLICY banner ARMS ('a', 'b', 'c') CONTEXT (age DOUBLE PRECISION) WITH (type = 'linucb', alpha = 0.5, reward_within = '1 hour');
CREATE POLICY coin ARMS ('heads', 'tails') WITH (type = 'epsilon_greedy', epsilon = 0.5, seed = 3);
CREATE STREAM shown AS SELECT id, CHOOSE(banner, age) AS arm, CHOOSE(coin) AS coin, ts FROM visits;
CREATE STREAM told AS SELECT decision_id, REWARD(banner, decision_id, clicked) AS banner, REWARD(coin, decision_id, clicked) AS coin FROM clicks;
-- query SHOW POLICIES
-- query DESCRIBE banner
-- > visits {"id":"1","age":20,"ts":1760000400}
-- > visits {"id":"2","age":40,"ts":1760000401}
-- > visits {"id":"3","age":null,"ts":1760000402}
-- > clicks {"decision_id":"shown:0:0","clicked":true,"ts":1760000500}
-- > clicks {"decision_id":"shown:0:1","clicked":false,"ts":1760000501}
-- > clicks {"decision_id":"shown:0:1","clicked":true,"ts":1760000502}
-- > clicks {"decision_id":"shown:0:2","clicked":null,"ts":1760000503}
-- > clicks {"decision_id":"shown:0:3","clicked":true,"ts":1760000504}
-- restart
-- > clicks {"decision_id":"shown:0:2","clicked":true,"ts":1760009000}
-- > visits {"id":"4","age":22,"ts":1760009001}
-- > clicks {"decision_id":"shown:0:0","clicked":true,"ts":1760009002}
-- > clicks {"decision_id":"shown:0:3","clicked":true,"ts":1760009003}
-- > clicks {"decision_id":null,"clicked":true,"ts":1760009004}
-- why shown:0:3
-- deploy
CREATE POLICY p1 ARMS ('a', 'b') WITH (type = 'softmax');
CREATE POLICY p2 ARMS ('a', 'b') WITH (type = 'linucb');
CREATE POLICY p3 ARMS ('a', 'a') WITH (type = 'ucb1');
CREATE POLICY p4 ARMS ('a', 'b') WITH (type = 'ucb1', fallback = 'c');
CREATE POLICY p5 ARMS ('a', 'b') WITH (type = 'ucb1', lambda = 1);
CREATE POLICY p6 ARMS ('a', 'b') WITH (type = 'ucb1', alpha = 'much');
CREATE POLICY p7 ARMS ('a', 'b') WITH (type = 'ucb1', reward_within = 'soon');
CREATE POLICY p8 ARMS ('a', 'b') WITH (type = 'thompson', expired_reward = 2);
CREATE POLICY p9 ARMS ('a', 'b') WITH (type = 'ucb1', open_choices = 10);
CREATE POLICY p10 ARMS ('a') WITH (type = 'ucb1');
CREATE POLICY p11 ARMS ('a', 'b') CONTEXT (w TEXT) WITH (type = 'linucb');
CREATE POLICY p12 ARMS ('a', 'b') WITH (seed = 1);
-- deploy
CREATE STREAM e1 AS SELECT CHOOSE(banners, age) AS x FROM visits;
CREATE STREAM e2 AS SELECT CHOOSE(banner, age, age) AS x FROM visits;
CREATE STREAM e3 AS SELECT CHOOSE(banner, id) AS x FROM visits;
CREATE STREAM e4 AS SELECT upper(CHOOSE(banner, age)) AS x FROM visits;
CREATE STREAM e5 AS SELECT CHOOSE(coin) AS x, CHOOSE(coin) AS y FROM visits;
CREATE STREAM e6 AS SELECT CHOOSE(banner, age) AS x FROM visits START FROM TIMESTAMP '2025-01-01T00:00:00Z';
CREATE STREAM e7 AS SELECT REWARD(coin, decision_id) AS x FROM clicks;
CREATE STREAM e8 AS SELECT REWARD(coin, clicked, clicked) AS x FROM clicks;
CREATE STREAM e9 AS SELECT id FROM visits WHERE CHOOSE(coin) = 'heads';
CREATE STREAM e10 AS SELECT CHOOSE(banner) AS x FROM clicks;
CREATE STREAM e11 AS SELECT CHOOSE(coin) OVER (PARTITION BY id) AS x FROM visits;
-- deploy
CREATE OR REPLACE POLICY coin ARMS ('heads', 'tails') WITH (type = 'ucb1');
-- deploy
DROP POLICY coin;
-- query SELECT CHOOSE(coin) FROM visits
