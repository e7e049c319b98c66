-- Scores the rows of features.sql. The model takes its inputs by their names.

CREATE MODEL fraud WITH (path = 'fraud.lgb.txt');

CREATE STREAM scored AS
SELECT *, PREDICT(fraud) AS score FROM features;
