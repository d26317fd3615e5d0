-- name: put_state
INSERT INTO states (key, at, body) VALUES (:key, :at, :body)
ON CONFLICT (key) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: remove_state
DELETE FROM states WHERE key = :key;

-- name: state_by_key
SELECT key, body FROM states WHERE key = :key;

-- name: states_with_prefix
SELECT key, body FROM states WHERE substr(key, 1, length(:prefix)) = :prefix ORDER BY key;
