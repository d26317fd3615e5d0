-- name: upsert_alert
INSERT INTO alerts (id, key, state, updated_at, body) VALUES (:id, :key, :state, :updated_at, :body)
ON CONFLICT (id) DO UPDATE SET
  key = excluded.key, state = excluded.state, updated_at = excluded.updated_at, body = excluded.body;

-- name: upsert_message
INSERT INTO messages (id, alert_id, target, state, created_at, body)
VALUES (:id, :alert_id, :target, :state, :created_at, :body)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body;

-- name: recent_alerts
SELECT body FROM alerts ORDER BY id DESC LIMIT :limit;

-- name: alerts_to_go_on_with
SELECT body FROM alerts WHERE state = 'open' OR updated_at >= :since ORDER BY id;

-- name: waiting_messages
SELECT body FROM messages WHERE state = 'waiting' ORDER BY id;

-- name: recent_messages
SELECT body FROM messages ORDER BY id DESC LIMIT :limit;

-- name: told_of_alert
SELECT DISTINCT target FROM messages WHERE alert_id = :alert_id AND state <> 'dropped';
