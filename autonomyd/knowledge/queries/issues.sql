-- name: upsert_issue
INSERT INTO issues (id, type, subject, metric, severity, state, opened_at, updated_at, resolved_at, body)
VALUES (:id, :type, :subject, :metric, :severity, :state, :opened_at, :updated_at, :resolved_at, :body)
ON CONFLICT (id) DO UPDATE SET
  type = excluded.type, subject = excluded.subject, metric = excluded.metric, severity = excluded.severity,
  state = excluded.state, opened_at = excluded.opened_at, updated_at = excluded.updated_at,
  resolved_at = excluded.resolved_at, body = excluded.body;

-- name: put_issue_transition
INSERT OR REPLACE INTO transitions (kind, ref, n, at, before, after, cause, actor)
VALUES ('issue', :id, :seq, :at, :before, :after, :cause, :actor);

-- name: put_decision
INSERT OR REPLACE INTO decisions (seq, issue_id, at, kind, body)
VALUES (:seq, :issue_id, :at, :kind, :body);

-- name: issue_by_id
SELECT body FROM issues WHERE id = :id;

-- name: open_issues
SELECT body FROM issues WHERE state <> 'resolved' ORDER BY id;

-- name: recent_issues
SELECT body FROM issues ORDER BY id DESC LIMIT :limit;

-- name: issues_since
SELECT body, (SELECT count(*) FROM fixes WHERE fixes.issue_id = issues.id) AS fixes
FROM issues WHERE resolved_at IS NULL OR resolved_at >= :since ORDER BY id DESC LIMIT :limit;

-- name: issues_of_subject
SELECT body FROM issues WHERE subject = :subject ORDER BY id DESC LIMIT :limit;

-- name: issue_transitions
SELECT at, before, after, cause, actor FROM transitions WHERE kind = 'issue' AND ref = :id ORDER BY n;

-- name: decisions_of_issue
SELECT at, kind, body FROM decisions WHERE issue_id = :id ORDER BY seq;

-- name: newest_decisions
SELECT at, kind, body FROM decisions
WHERE seq IN (SELECT max(seq) FROM decisions WHERE issue_id = :id GROUP BY kind) ORDER BY seq;

-- name: count_issues
SELECT
  (SELECT count(*) FROM issues WHERE state <> 'resolved') AS open,
  (SELECT count(*) FROM issues WHERE state = 'resolved')
    + (SELECT coalesce(sum(n), 0) FROM removed WHERE kind = 'issue' AND label = 'resolved') AS resolved;
