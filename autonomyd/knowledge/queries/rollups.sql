-- Chunks are looked up by their exact key (step, at, series): a range of `at` would pass over every other series.

-- name: put_rollup_slice
INSERT OR REPLACE INTO rollup_slices (seq, step, at, body) VALUES (:seq, :step, :at, :body);

-- name: rollup_spans
SELECT DISTINCT at - at % :span AS at FROM rollup_slices WHERE step = :step ORDER BY 1;

-- name: rollup_slices
SELECT seq, at, body FROM rollup_slices WHERE step = :step AND at >= :since AND at < :until ORDER BY at, seq;

-- name: drop_packed_slices
DELETE FROM rollup_slices WHERE step = :step AND at >= :since AND at < :until AND seq <= :upto;

-- name: put_rollup_series
INSERT INTO rollup_series (name, unit, first_at, last_at) VALUES (:name, :unit, :first_at, :last_at)
ON CONFLICT (name) DO UPDATE SET
  unit = excluded.unit, first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at);

-- Hours come of minutes that knew better where the series begins and ends.
-- name: name_rollup_series
INSERT INTO rollup_series (name, unit, first_at, last_at) VALUES (:name, :unit, :first_at, :last_at)
ON CONFLICT (name) DO NOTHING;

-- name: put_rollup_chunk
INSERT INTO rollup_chunks (step, at, series, body)
SELECT :step, :at, id, :body FROM rollup_series WHERE name = :name
ON CONFLICT (step, at, series) DO UPDATE SET body = excluded.body;

-- name: rollup_chunks_at
SELECT name, body FROM rollup_chunks JOIN rollup_series ON id = series WHERE step = :step AND at = :at;

-- name: rollup_chunks_of
WITH RECURSIVE spans (at) AS (
  SELECT max(at) FROM rollup_chunks WHERE step = :step AND at < :until
  UNION ALL SELECT at - :span FROM spans
  WHERE at - :span >= max(:since, (SELECT min(at) FROM rollup_chunks WHERE step = :step)) LIMIT :most
)
SELECT spans.at, body FROM spans
CROSS JOIN rollup_chunks AS chunk ON chunk.step = :step AND chunk.at = spans.at
  AND chunk.series = (SELECT id FROM rollup_series WHERE name = :name)
ORDER BY spans.at;

-- name: rollup_series
SELECT name, unit, first_at, last_at FROM rollup_series ORDER BY name;

-- name: oldest_rollup_slice
SELECT at, body FROM rollup_slices WHERE step = :step ORDER BY at, seq LIMIT 1;

-- name: rollup_extent
SELECT
  (SELECT min(at) FROM rollup_chunks WHERE step = :minute) AS minutes_at,
  (SELECT min(at) FROM rollup_chunks WHERE step = :hour) AS hours_at,
  (SELECT bytes FROM rollup_size) AS bytes;

-- The newest :kept spans stay whatever the clock says: one that is set to a wrong year must not cost the history.
-- name: drop_old_rollups
WITH RECURSIVE newest (at) AS (
  SELECT max(at) FROM rollup_chunks WHERE step = :step
  UNION ALL SELECT (SELECT max(at) FROM rollup_chunks AS chunk WHERE chunk.step = :step AND chunk.at < newest.at)
  FROM newest WHERE newest.at IS NOT NULL LIMIT :kept
)
DELETE FROM rollup_chunks WHERE step = :step AND at < :before AND at < (SELECT min(at) FROM newest);

-- name: drop_old_series
DELETE FROM rollup_series WHERE last_at < (SELECT min(at) FROM rollup_chunks WHERE step = 60)
  AND last_at < (SELECT min(at) FROM rollup_chunks WHERE step = 3600);

-- name: drop_minutes_above
DELETE FROM rollup_chunks WHERE step = 60 AND (SELECT bytes FROM rollup_size) > :most
  AND at IN (SELECT DISTINCT at FROM rollup_chunks WHERE step = 60 ORDER BY at LIMIT :count);

-- name: drop_hours_above
DELETE FROM rollup_chunks WHERE step = 3600 AND (SELECT bytes FROM rollup_size) > :most
  AND NOT EXISTS (SELECT 1 FROM rollup_chunks WHERE step = 60)
  AND at IN (SELECT DISTINCT at FROM rollup_chunks WHERE step = 3600 ORDER BY at LIMIT :count);
