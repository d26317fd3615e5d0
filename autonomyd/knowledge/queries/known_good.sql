-- name: put_known_good
INSERT INTO known_good (service, path, value, seq, at, body) VALUES (:service, :path, :value, :seq, :at, :body)
ON CONFLICT (service, path, value) DO UPDATE SET seq = excluded.seq, at = excluded.at, body = excluded.body;

-- name: all_known_good
SELECT body FROM known_good ORDER BY service, path, seq DESC;
