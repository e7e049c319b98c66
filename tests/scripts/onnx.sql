-- ONNX models: texts go in and labels come out; what is not computed here is refused.
CREATE STREAM payments (id TEXT, kind TEXT, amount DOUBLE PRECISION);
CREATE MODEL risk WITH (path = '/m_text.onnx');
CREATE MODEL label WITH (path = '/m_label.onnx');
CREATE STREAM decisions AS SELECT id, PREDICT(risk) AS score, PREDICT(label) AS answer,
  PREDICT(risk, 'b', amount + 1) AS other FROM payments;
-- > payments {"id":"1","kind":"a","amount":0}
-- > payments {"id":"2","kind":"b","amount":1}
-- > payments {"id":"3","kind":"never seen","amount":0.25}
-- > payments {"id":"4"}
-- query SHOW MODELS
-- query DESCRIBE risk
CREATE STREAM wrong AS SELECT PREDICT(risk, amount, amount) AS p FROM payments;
-- deploy
ALTER MODEL risk ADD VERSION WITH (path = '/m_label.onnx');
-- deploy
CREATE MODEL unknown WITH (path = '/m_unknown.onnx');
-- deploy
