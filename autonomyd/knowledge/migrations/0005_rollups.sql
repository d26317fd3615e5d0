-- The history of every series, coarser as it grows older: points of a minute, and of an hour. A slice is one point of
-- all series, as it comes; a chunk is one series over a whole span (an hour of minutes, a day of hours), packed from
-- the slices when the span is over. `step` is the length of a point, s; `at` is where the slice or chunk begins.

CREATE TABLE rollup_series (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  unit TEXT NOT NULL,
  first_at REAL NOT NULL,
  last_at REAL NOT NULL
) STRICT;

CREATE TABLE rollup_slices (
  seq INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX rollup_slices_at ON rollup_slices (step, at);

-- What is written together lies together (one hour of all series), and so does what is forgotten together.
CREATE TABLE rollup_chunks (
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  series INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (step, at, series)
) STRICT, WITHOUT ROWID;

-- The sum of it, kept up to date: to add up what thousands of chunks weigh would read them all. 16: what a row costs.
CREATE TABLE rollup_size (bytes INTEGER NOT NULL) STRICT;
INSERT INTO rollup_size VALUES (0);

CREATE TRIGGER rollup_chunk_came AFTER INSERT ON rollup_chunks BEGIN
  UPDATE rollup_size SET bytes = bytes + length(new.body) + 16;
END;
CREATE TRIGGER rollup_chunk_changed AFTER UPDATE ON rollup_chunks BEGIN
  UPDATE rollup_size SET bytes = bytes + length(new.body) - length(old.body);
END;
CREATE TRIGGER rollup_chunk_went AFTER DELETE ON rollup_chunks BEGIN
  UPDATE rollup_size SET bytes = bytes - length(old.body) - 16;
END;
