-- name: upsert_fix
INSERT INTO fixes (id, issue_id, service, strategy, cause, state, outcome, actor, started_at, ended_at, body)
VALUES (:id, :issue_id, :service, :strategy, :cause, :state, :outcome, :actor, :started_at, :ended_at, :body)
ON CONFLICT (id) DO UPDATE SET
  issue_id = excluded.issue_id, service = excluded.service, strategy = excluded.strategy, cause = excluded.cause,
  state = excluded.state, outcome = excluded.outcome, actor = excluded.actor, started_at = excluded.started_at,
  ended_at = excluded.ended_at, body = excluded.body;

-- name: put_fix_transition
INSERT OR REPLACE INTO transitions (kind, ref, n, at, before, after, cause, actor)
VALUES ('fix', :id, :n, :at, :before, :after, :cause, :actor);

-- name: fix_by_id
SELECT id, body FROM fixes WHERE id = :id;

-- name: unfinished_fixes
SELECT id, body FROM fixes WHERE state NOT IN ('committed', 'rolled_back', 'rollback_failed') ORDER BY id;

-- name: fixes_of_issue
SELECT id, body FROM fixes WHERE issue_id = :issue_id ORDER BY id;

-- name: recent_fixes
SELECT id, body FROM fixes ORDER BY id DESC LIMIT :limit;

-- name: transitions_of_fixes
SELECT ref, at, before, after, cause, actor FROM transitions
WHERE kind = 'fix' AND ref IN (SELECT value FROM json_each(:ids)) ORDER BY ref, n;

-- name: repair_times
SELECT fixes.ended_at - issues.opened_at AS taken FROM fixes JOIN issues ON issues.id = fixes.issue_id
WHERE fixes.outcome = 'healed' AND fixes.cause = :cause AND fixes.strategy = :strategy
  AND fixes.ended_at >= issues.opened_at
ORDER BY fixes.id DESC LIMIT :limit;

-- name: count_fixes
SELECT outcome AS label, sum(n) AS n FROM (
  SELECT coalesce(outcome, '') AS outcome, count(*) AS n FROM fixes GROUP BY 1
  UNION ALL SELECT label, n FROM removed WHERE kind = 'fix'
) GROUP BY 1;
