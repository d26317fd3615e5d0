-- name: upsert_goal
INSERT INTO goals (id, key, type, priority, state, created_at, updated_at, body)
VALUES (:id, :key, :type, :priority, :state, :created_at, :updated_at, :body)
ON CONFLICT (id) DO UPDATE SET
  key = excluded.key, type = excluded.type, priority = excluded.priority, state = excluded.state,
  created_at = excluded.created_at, updated_at = excluded.updated_at, body = excluded.body;

-- name: goal_by_id
SELECT body FROM goals WHERE id = :id;

-- name: unfinished_goals
SELECT body FROM goals WHERE state IN ('pending', 'in_progress') ORDER BY priority DESC, created_at, id;

-- name: recent_goals
SELECT body FROM goals ORDER BY id DESC LIMIT :limit;

-- name: count_goals
SELECT label, sum(n) AS n FROM (
  SELECT state AS label, count(*) AS n FROM goals GROUP BY 1
  UNION ALL SELECT label, n FROM removed WHERE kind = 'goal'
) GROUP BY 1;
