-- live_calls: The calls of some shards of a node that are not over, claimed ones without a journal among them.
SELECT call_id, account_id, node, facts::text AS facts, moves
FROM calls
WHERE node = %(node)s AND shard = ANY(%(shards)s::integer[]) AND ended_at IS NULL
    AND NOT call_id = ANY(%(call_ids)s::uuid[])
ORDER BY call_id

-- live_call: One of these, again.
SELECT call_id, account_id, node, facts::text AS facts, moves
FROM calls WHERE account_id = %(account_id)s AND call_id = %(call_id)s AND ended_at IS NULL

-- journals: The journals of some calls, whole.
SELECT call_id, seq, at_ms, kind, data::text AS data, digest
FROM journal WHERE call_id = ANY(%(call_ids)s::uuid[])
ORDER BY call_id, seq

-- asked_requests: What was asked of some calls and is not answered.
SELECT request_id, call_id, kind, data::text AS data FROM control_requests
WHERE state = 'asked' AND call_id = ANY(%(call_ids)s::uuid[])
ORDER BY request_id
