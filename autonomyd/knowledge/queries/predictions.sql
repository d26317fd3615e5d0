-- name: upsert_prediction
INSERT INTO predictions (id, verdict, until_at, body) VALUES (:id, :verdict, :until_at, :body)
ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict, until_at = excluded.until_at, body = excluded.body;

-- name: recent_predictions
SELECT body FROM (SELECT id, body FROM predictions ORDER BY id DESC LIMIT :limit) ORDER BY id;

-- name: pending_predictions
SELECT body FROM predictions WHERE verdict = 'pending' ORDER BY id;

-- name: drop_judged_predictions
DELETE FROM predictions WHERE verdict <> 'pending' AND until_at < :before;

-- name: openings
SELECT id, type, subject, metric, severity, opened_at, resolved_at FROM issues
WHERE id > :after ORDER BY id LIMIT :limit;

-- name: acts
SELECT ended_at AS at, service, strategy, actor,
  coalesce((SELECT subject FROM issues WHERE issues.id = fixes.issue_id), '') AS subject
FROM fixes WHERE ended_at > :after ORDER BY ended_at LIMIT :limit;

-- name: marks
SELECT seq, at, kind, subject, message, actor,
  coalesce((SELECT at FROM events AS earlier WHERE earlier.seq < events.seq ORDER BY seq DESC LIMIT 1), at) AS before_at
FROM events
WHERE seq > :after AND (kind IN ('daemon_started', 'daemon_stopped', 'log_pattern') OR kind LIKE 'service_%_outside')
ORDER BY seq LIMIT :limit;
