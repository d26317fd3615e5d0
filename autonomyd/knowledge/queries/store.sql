-- name: set_applied
UPDATE applied SET seq = max(seq, :seq);

-- name: applied_seq
SELECT seq FROM applied;

-- name: last_ids
SELECT kind, last FROM counters;
