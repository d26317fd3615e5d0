-- Configuration files and release links as they were when their service was verified healthy. Contents are in the
-- object store; `value` is the hash of a file, or the target of a link. The last five of each path stay.

CREATE TABLE known_good (
  service TEXT NOT NULL,
  path TEXT NOT NULL,
  value TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at REAL NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (service, path, value)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER known_good_kept AFTER INSERT ON known_good BEGIN
  DELETE FROM known_good WHERE service = new.service AND path = new.path AND seq NOT IN (
    SELECT seq FROM known_good WHERE service = new.service AND path = new.path ORDER BY seq DESC LIMIT 5
  );
END;
