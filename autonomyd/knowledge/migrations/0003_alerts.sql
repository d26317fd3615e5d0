-- Alerts (one conversation about one incident) and the outbox: one row a message and target. A message is on disk
-- before it is sent and marked after, so that each is sent at least once.

INSERT INTO counters VALUES ('alert', 0), ('message', 0);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  state TEXT NOT NULL,
  updated_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_state ON alerts (state, updated_at);
CREATE INDEX alerts_key ON alerts (key);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  alert_id INTEGER,
  target TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX messages_waiting ON messages (id) WHERE state = 'waiting';
CREATE INDEX messages_alert ON messages (alert_id);

CREATE TRIGGER alert_counted AFTER INSERT ON alerts BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'alert';
END;
CREATE TRIGGER message_counted AFTER INSERT ON messages BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'message';
END;
