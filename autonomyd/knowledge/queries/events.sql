-- name: put_event
INSERT OR REPLACE INTO events (seq, at, kind, subject, message, actor)
VALUES (:seq, :at, :kind, :subject, :message, :actor);

-- name: recent_events
SELECT at, kind, subject, message, actor FROM events WHERE at >= :since ORDER BY seq DESC LIMIT :limit;

-- name: events_of_subject
SELECT at, kind, subject, message, actor FROM events
WHERE subject = :subject AND at >= :since ORDER BY seq DESC LIMIT :limit;
