-- live_calls: The calls of some shards of a node that are not over, claimed ones without a journal among them.
-- A call that has its verdict is not over while nobody has told the end of one of its B-legs.
SELECT call_id, account_id, node, facts::text AS facts, moves, false AS has_verdict, claimed_by,
    extract(epoch FROM clock_timestamp() - claimed_at)::double precision AS claimed_ago_s
FROM calls
WHERE node = %(node)s AND shard = ANY(%(shards)s::integer[]) AND ended_at IS NULL
    AND NOT call_id = ANY(%(call_ids)s::uuid[])
UNION ALL
SELECT calls.call_id, calls.account_id, calls.node, calls.facts::text AS facts, calls.moves, true AS has_verdict,
    NULL AS claimed_by, NULL AS claimed_ago_s
FROM (SELECT DISTINCT account_id, call_id FROM legs WHERE ended_at IS NULL) AS open
JOIN calls ON calls.account_id = open.account_id AND calls.call_id = open.call_id
WHERE calls.node = %(node)s AND calls.shard = ANY(%(shards)s::integer[]) AND calls.ended_at IS NOT NULL
    AND NOT calls.call_id = ANY(%(call_ids)s::uuid[])
ORDER BY call_id

-- live_calls_of_apps: How many calls that are not over some apps have; calls in the queue are not begun.
SELECT app_id, count(*) AS calls FROM calls
WHERE ended_at IS NULL AND node IS NOT NULL AND app_id = ANY(%(app_ids)s::uuid[])
GROUP BY app_id

-- calls_over: Those of some calls that have their verdict, whosever they are: only their legs were found.
SELECT call_id FROM calls WHERE call_id = ANY(%(call_ids)s::uuid[]) AND ended_at IS NOT NULL

-- journals: The journals of some calls, whole.
SELECT call_id, seq, at_ms, kind, data::text AS data, digest
FROM journal WHERE call_id = ANY(%(call_ids)s::uuid[])
ORDER BY call_id, seq

-- asked_requests: What was asked of live calls of some nodes and is not answered.
SELECT request_id, call_id, kind, data::text AS data FROM control_requests JOIN calls USING (call_id)
WHERE control_requests.state = 'asked' AND calls.node = ANY(%(nodes)s::text[]) AND calls.ended_at IS NULL
ORDER BY request_id

-- lock_live_call: Hold a call that is not over, with what its app is set to.
SELECT
    calls.call_id, calls.account_id, calls.node, calls.direction, calls.from_number, calls.to_number, calls.app_id,
    calls.facts::text AS facts, apps.webhook_url, apps.status_callback_url, apps.status_callback_method,
    apps.status_callback_events
FROM calls LEFT JOIN apps ON apps.account_id = calls.account_id AND apps.app_id = calls.app_id
WHERE calls.account_id = %(account_id)s AND calls.call_id = %(call_id)s AND calls.ended_at IS NULL
FOR UPDATE OF calls

-- living_b_legs: The B-legs of a call that have not ended, as far as is on record.
SELECT leg FROM legs WHERE account_id = %(account_id)s AND call_id = %(call_id)s AND ended_at IS NULL ORDER BY leg

-- end_b_legs: Say of the B-legs of a call that have not ended that they have.
UPDATE legs SET ended_at = to_timestamp(%(at_ms)s::bigint / 1000.0), cause = coalesce(cause, %(cause)s)
WHERE account_id = %(account_id)s AND call_id = %(call_id)s AND ended_at IS NULL
