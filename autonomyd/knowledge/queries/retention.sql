-- Only what is over is ever removed: resolved issues, finished fixes, closed goals and candidates, old events.

-- name: drop_resolved_issues
DELETE FROM issues WHERE state = 'resolved' AND resolved_at < :before;

-- name: drop_oldest_resolved_issues
DELETE FROM issues WHERE id IN (
  SELECT id FROM issues WHERE state = 'resolved' ORDER BY resolved_at LIMIT :count
);

-- name: drop_finished_fixes
DELETE FROM fixes
WHERE state IN ('committed', 'rolled_back', 'rollback_failed') AND coalesce(ended_at, started_at) < :before
  AND NOT EXISTS (SELECT 1 FROM issues WHERE issues.id = fixes.issue_id AND issues.state <> 'resolved');

-- name: drop_closed_goals
DELETE FROM goals WHERE state NOT IN ('pending', 'in_progress') AND updated_at < :before;

-- name: drop_closed_candidates
DELETE FROM candidates WHERE state NOT IN ('proposed', 'applied') AND updated_at < :before;

-- name: drop_closed_alerts
DELETE FROM alerts WHERE state <> 'open' AND updated_at < :before;

-- name: drop_ended_messages
DELETE FROM messages WHERE state <> 'waiting' AND created_at < :before;

-- name: keep_newest_events
DELETE FROM events WHERE seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET :count);
