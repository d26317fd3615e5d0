-- What was foretold, and whether it came true.

INSERT INTO counters VALUES ('prediction', 0);

CREATE TABLE predictions (
  id INTEGER PRIMARY KEY,
  verdict TEXT NOT NULL,
  until_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX predictions_verdict ON predictions (verdict, until_at);

CREATE TRIGGER prediction_counted AFTER INSERT ON predictions BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'prediction';
END;
