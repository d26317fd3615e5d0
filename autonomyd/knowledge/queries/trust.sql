-- name: put_outcome
INSERT INTO outcomes (key, at, kind, service, cause, strategy, body)
VALUES (:key, :at, :kind, :service, :cause, :strategy, :body)
ON CONFLICT (key) DO NOTHING;

-- name: all_outcomes
SELECT body FROM outcomes ORDER BY rowid;

-- name: recent_outcomes
SELECT body FROM outcomes WHERE at >= :since ORDER BY rowid DESC LIMIT :limit;

-- name: keep_newest_outcomes
DELETE FROM outcomes WHERE rowid <= (SELECT rowid FROM outcomes ORDER BY rowid DESC LIMIT 1 OFFSET :count);

-- name: upsert_approval
INSERT INTO approvals (id, issue_id, state, asked_at, body) VALUES (:id, :issue_id, :state, :asked_at, :body)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body;

-- name: recent_approvals
SELECT body FROM approvals ORDER BY id DESC LIMIT :limit;

-- name: open_approvals
SELECT body FROM approvals WHERE state IN ('waiting', 'approved') ORDER BY id;

-- name: approval_by_id
SELECT body FROM approvals WHERE id = :id;

-- name: keep_newest_approvals
DELETE FROM approvals WHERE state NOT IN ('waiting', 'approved')
  AND id <= (SELECT id FROM approvals ORDER BY id DESC LIMIT 1 OFFSET :count);

-- name: put_consent
INSERT INTO consents (service, cause, strategy, at, actor) VALUES (:service, :cause, :strategy, :at, :actor)
ON CONFLICT (service, cause, strategy) DO UPDATE SET at = excluded.at, actor = excluded.actor;

-- name: remove_consent
DELETE FROM consents WHERE service = :service AND cause = :cause AND strategy = :strategy;

-- name: all_consents
SELECT service, cause, strategy, at, actor FROM consents ORDER BY service, strategy, cause;

-- name: put_shadow
INSERT INTO shadow (key, at, verdict, body) VALUES (:key, :at, :verdict, :body)
ON CONFLICT (key) DO UPDATE SET verdict = excluded.verdict, body = excluded.body;

-- name: all_shadow
SELECT body FROM shadow ORDER BY rowid;

-- name: keep_newest_shadow
DELETE FROM shadow WHERE verdict <> 'pending'
  AND rowid <= (SELECT rowid FROM shadow ORDER BY rowid DESC LIMIT 1 OFFSET :count);
