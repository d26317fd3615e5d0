-- name: upsert_candidate
INSERT INTO candidates (id, component, type, state, created_at, updated_at, body)
VALUES (:id, :component, :type, :state, :created_at, :updated_at, :body)
ON CONFLICT (id) DO UPDATE SET
  component = excluded.component, type = excluded.type, state = excluded.state,
  created_at = excluded.created_at, updated_at = excluded.updated_at, body = excluded.body;

-- name: candidate_by_id
SELECT body FROM candidates WHERE id = :id;

-- name: unsettled_candidates
SELECT body FROM candidates WHERE state IN ('proposed', 'applied') ORDER BY id;

-- name: recent_candidates
SELECT body FROM candidates ORDER BY id DESC LIMIT :limit;

-- name: count_candidates
SELECT label, sum(n) AS n FROM (
  SELECT state AS label, count(*) AS n FROM candidates GROUP BY 1
  UNION ALL SELECT label, n FROM removed WHERE kind = 'candidate'
) GROUP BY 1;
