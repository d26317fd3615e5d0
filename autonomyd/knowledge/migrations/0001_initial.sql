-- The first schema. Values are stored whole as JSON in `body`; columns repeat only what is asked for.
-- `seq` is the number that the store gives each write: never reused, so a replayed write meets its own row.

CREATE TABLE applied (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO applied VALUES (1, 0);

-- The highest id ever given out of each kind, so that an id is not reused after retention removed its row.
CREATE TABLE counters (
  kind TEXT PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('issue', 0), ('fix', 0), ('goal', 0), ('candidate', 0);

-- What retention removed, so that counts since the store began stay true.
CREATE TABLE removed (
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (kind, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE issues (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  metric TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  resolved_at REAL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX issues_open ON issues (id) WHERE state <> 'resolved';
CREATE INDEX issues_resolved ON issues (resolved_at) WHERE state = 'resolved';
CREATE INDEX issues_key ON issues (subject, type, metric);

CREATE TABLE decisions (
  seq INTEGER PRIMARY KEY,
  issue_id INTEGER NOT NULL,
  at REAL NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('plan', 'refusal', 'diagnosis')),
  body TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_issue ON decisions (issue_id, seq);

CREATE TABLE fixes (
  id INTEGER PRIMARY KEY,
  issue_id INTEGER,
  service TEXT,
  strategy TEXT NOT NULL,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  actor TEXT NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX fixes_issue ON fixes (issue_id);
CREATE INDEX fixes_unfinished ON fixes (id) WHERE state NOT IN ('committed', 'rolled_back', 'rollback_failed');
CREATE INDEX fixes_ended ON fixes (ended_at);

-- Of issues and fixes. `n` is the place in the fix's own list, or the write's seq for an issue.
CREATE TABLE transitions (
  kind TEXT NOT NULL CHECK (kind IN ('issue', 'fix')),
  ref INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at REAL NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  cause TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (kind, ref, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE goals (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX goals_state ON goals (state, updated_at);
CREATE INDEX goals_key ON goals (key);

CREATE TABLE candidates (
  id INTEGER PRIMARY KEY,
  component TEXT NOT NULL,
  type TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX candidates_state ON candidates (state, updated_at);

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  message TEXT NOT NULL,
  actor TEXT NOT NULL
) STRICT;
CREATE INDEX events_subject ON events (subject, seq);

-- Single values by key: pause, intent of a service, learned counters.
CREATE TABLE states (
  key TEXT PRIMARY KEY,
  at REAL NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER issue_counted AFTER INSERT ON issues BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'issue';
END;
CREATE TRIGGER fix_counted AFTER INSERT ON fixes BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'fix';
END;
CREATE TRIGGER goal_counted AFTER INSERT ON goals BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'goal';
END;
CREATE TRIGGER candidate_counted AFTER INSERT ON candidates BEGIN
  UPDATE counters SET last = max(last, new.id) WHERE kind = 'candidate';
END;

CREATE TRIGGER issue_removed AFTER DELETE ON issues BEGIN
  INSERT INTO removed VALUES ('issue', old.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  DELETE FROM transitions WHERE kind = 'issue' AND ref = old.id;
  DELETE FROM decisions WHERE issue_id = old.id;
END;
CREATE TRIGGER fix_removed AFTER DELETE ON fixes BEGIN
  INSERT INTO removed VALUES ('fix', coalesce(old.outcome, ''), 1) ON CONFLICT DO UPDATE SET n = n + 1;
  DELETE FROM transitions WHERE kind = 'fix' AND ref = old.id;
END;
CREATE TRIGGER goal_removed AFTER DELETE ON goals BEGIN
  INSERT INTO removed VALUES ('goal', old.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER candidate_removed AFTER DELETE ON candidates BEGIN
  INSERT INTO removed VALUES ('candidate', old.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- The last 20 decisions of an issue stay, and the newest of each kind.
CREATE TRIGGER decision_kept AFTER INSERT ON decisions BEGIN
  DELETE FROM decisions WHERE issue_id = new.issue_id
    AND seq NOT IN (SELECT seq FROM decisions WHERE issue_id = new.issue_id ORDER BY seq DESC LIMIT 20)
    AND seq NOT IN (SELECT max(seq) FROM decisions WHERE issue_id = new.issue_id GROUP BY kind);
END;
