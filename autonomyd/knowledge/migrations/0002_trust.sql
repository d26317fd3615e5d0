-- What was learned, what a person allowed, and what would have been done (shadow).

-- One row a lesson, in the order in which they came: what was learned is always their sum, never stored beside it.
-- `key` says what the lesson is about ("fix:12", "undone:12", "denied:3", ...), so that none counts twice.
CREATE TABLE outcomes (
  key TEXT PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  service TEXT NOT NULL,
  cause TEXT NOT NULL,
  strategy TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX outcomes_at ON outcomes (at);

CREATE TABLE approvals (
  id INTEGER PRIMARY KEY,
  issue_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  asked_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_open ON approvals (id) WHERE state IN ('waiting', 'approved');
INSERT INTO counters VALUES ('approval', 0);
CREATE TRIGGER approval_counted AFTER INSERT ON approvals BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'approval';
END;

-- A person's standing word: this remedy, for this cause, on this service.
CREATE TABLE consents (
  service TEXT NOT NULL,
  cause TEXT NOT NULL,
  strategy TEXT NOT NULL,
  at REAL NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (service, cause, strategy)
) STRICT, WITHOUT ROWID;

CREATE TABLE shadow (
  key TEXT PRIMARY KEY,
  at REAL NOT NULL,
  verdict TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX shadow_open ON shadow (key) WHERE verdict = 'pending';
