-- queue_calls: Put calls into the queue, and wake those who dial.
WITH queued AS (
    INSERT INTO calls (call_id, account_id, app_id, created_at, status, direction, from_number, to_number, facts)
    SELECT call_id, account_id, app_id, now(), 'queued', 'outbound-api', from_number, to_number, facts
    FROM ROWS FROM (
        unnest(%(call_ids)s::uuid[]), unnest(%(account_ids)s::uuid[]), unnest(%(app_ids)s::uuid[]),
        unnest(%(from_numbers)s::text[]), unnest(%(to_numbers)s::text[]), json_array_elements(%(facts)s::json))
        AS new (call_id, account_id, app_id, from_number, to_number, facts)
    RETURNING created_at
),
told AS (
    SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload
)
SELECT created_at, (SELECT count(*) FROM told) AS told FROM queued LIMIT 1

-- find_call: One call.
SELECT
    call_id, account_id, app_id, direction, from_number, to_number, status, result, reason, cause, sip_status,
    sip_call_id, created_at, claimed_at, ringing_at, answered_at, ended_at
FROM calls WHERE account_id = %(account_id)s AND call_id = %(call_id)s

-- list_calls: A tenant's calls, newest first; null or an empty list in a filter means any.
-- Ids of calls that came in are FreeSWITCH's and tell no time, so a cursor stands for the time of its call.
SELECT
    call_id, account_id, app_id, direction, from_number, to_number, status, result, reason, cause, sip_status,
    sip_call_id, created_at, claimed_at, ringing_at, answered_at, ended_at
FROM calls
WHERE account_id = %(account_id)s
    AND (%(newest)s::uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff' OR (created_at, call_id) < (
        SELECT edge.created_at, edge.call_id FROM calls AS edge
        WHERE edge.account_id = %(account_id)s AND edge.call_id = %(newest)s::uuid))
    AND (%(oldest)s::uuid = '00000000-0000-0000-0000-000000000000' OR (created_at, call_id) > (
        SELECT edge.created_at, edge.call_id FROM calls AS edge
        WHERE edge.account_id = %(account_id)s AND edge.call_id = %(oldest)s::uuid))
    AND (cardinality(%(statuses)s::text[]) = 0 OR status = ANY(%(statuses)s::text[]))
    AND (%(direction)s::text IS NULL OR direction = %(direction)s)
    AND (%(from_number)s::text IS NULL OR from_number = %(from_number)s)
    AND (%(to_number)s::text IS NULL OR to_number = %(to_number)s)
    AND (%(created_after)s::timestamptz IS NULL OR created_at >= %(created_after)s)
    AND (%(created_before)s::timestamptz IS NULL OR created_at < %(created_before)s)
ORDER BY created_at DESC, call_id DESC
LIMIT %(limit)s

-- list_b_legs: The legs dialled on behalf of a call, oldest first.
SELECT leg, role, from_number, to_number, cause, sip_status, sip_call_id, created_at, ringing_at, answered_at, ended_at
FROM legs WHERE account_id = %(account_id)s AND call_id = %(call_id)s
ORDER BY created_at, leg

-- whole_calls: Calls at these places, and whether there is more to be read of them.
SELECT
    calls.call_id, calls.account_id, calls.app_id, calls.direction, calls.from_number, calls.to_number, calls.status,
    calls.result, calls.reason, calls.cause, calls.sip_status, calls.sip_call_id, calls.created_at, calls.claimed_at,
    calls.ringing_at, calls.answered_at, calls.ended_at,
    EXISTS (SELECT FROM legs WHERE legs.account_id = calls.account_id AND legs.call_id = calls.call_id) AS has_legs,
    EXISTS (SELECT FROM recordings WHERE recordings.account_id = calls.account_id AND recordings.call_id = calls.call_id)
        AS has_recordings
FROM unnest(%(account_ids)s::uuid[], %(call_ids)s::uuid[]) AS asked (account_id, call_id)
JOIN calls ON calls.call_id = asked.call_id AND calls.account_id = asked.account_id

-- legs_of_calls: The legs dialled on behalf of calls, oldest first.
SELECT
    legs.call_id, legs.leg, legs.role, legs.from_number, legs.to_number, legs.cause, legs.sip_status, legs.sip_call_id,
    legs.created_at, legs.ringing_at, legs.answered_at, legs.ended_at
FROM unnest(%(account_ids)s::uuid[], %(call_ids)s::uuid[]) AS asked (account_id, call_id)
JOIN legs ON legs.call_id = asked.call_id AND legs.account_id = asked.account_id
ORDER BY legs.call_id, legs.created_at, legs.leg

-- recordings_of_calls: The recordings of calls, oldest first.
SELECT recordings.call_id, recordings.leg, recordings.recording_id
FROM unnest(%(account_ids)s::uuid[], %(call_ids)s::uuid[]) AS asked (account_id, call_id)
JOIN recordings ON recordings.call_id = asked.call_id AND recordings.account_id = asked.account_id
WHERE recordings.state <> 'deleted'
ORDER BY recordings.recording_id

-- list_journal: A call's journal, oldest first.
SELECT journal.call_id, journal.seq, journal.at_ms, journal.kind, journal.data::text AS data, journal.digest
FROM journal JOIN calls ON calls.call_id = journal.call_id
WHERE calls.account_id = %(account_id)s AND calls.call_id = %(call_id)s
ORDER BY journal.seq

-- list_notes: What the tenant should read about a call, oldest first.
SELECT seq, at, level, code, text, place FROM notes
WHERE account_id = %(account_id)s AND call_id = %(call_id)s
ORDER BY seq, index

-- lock_queued_call: Hold a call that nobody has claimed.
SELECT call_id, account_id, facts::text AS facts FROM calls
WHERE account_id = %(account_id)s AND call_id = %(call_id)s AND node IS NULL AND ended_at IS NULL
FOR UPDATE

-- lock_expired_calls: Hold some calls that waited too long to be claimed.
SELECT call_id, account_id, facts::text AS facts FROM calls
WHERE node IS NULL AND ended_at IS NULL AND created_at <= now() - make_interval(secs => %(queue_bound_s)s)
ORDER BY call_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- find_control_place: Whether a call is live and driven by someone; an account's own call only.
SELECT node, ended_at FROM calls WHERE account_id = %(account_id)s AND call_id = %(call_id)s

-- insert_control_request: Ask something of a live call.
INSERT INTO control_requests (request_id, account_id, call_id, kind, data)
VALUES (%(request_id)s, %(account_id)s, %(call_id)s, %(kind)s, %(data)s::json)

-- find_control_request: What was asked, and what became of it; what was asked as the call ended comes too late.
SELECT
    asked.request_id, asked.call_id, asked.kind, asked.created_at, asked.done_at,
    CASE WHEN asked.state = 'asked' AND calls.ended_at IS NOT NULL THEN 'failed' ELSE asked.state END AS state,
    CASE WHEN asked.state = 'asked' AND calls.ended_at IS NOT NULL THEN 'call-not-live' ELSE asked.problem END AS problem
FROM control_requests AS asked
JOIN calls ON calls.account_id = asked.account_id AND calls.call_id = asked.call_id
WHERE asked.account_id = %(account_id)s AND asked.request_id = %(request_id)s
