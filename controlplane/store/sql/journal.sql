-- append_journal: Write entries that must be new.
INSERT INTO journal (at_ms, seq, call_id, digest, kind, data)
SELECT at_ms, seq, call_id, digest, kind, data::json
FROM unnest(
    %(at_ms)s::bigint[], %(seq)s::integer[], %(call_ids)s::uuid[], %(digest)s::bytea[], %(kind)s::text[],
    %(data)s::text[])
    AS new (at_ms, seq, call_id, digest, kind, data)

-- insert_journal: Write entries; answers those that were new.
INSERT INTO journal (at_ms, seq, call_id, digest, kind, data)
SELECT at_ms, seq, call_id, digest, kind, data::json
FROM unnest(
    %(at_ms)s::bigint[], %(seq)s::integer[], %(call_ids)s::uuid[], %(digest)s::bytea[], %(kind)s::text[],
    %(data)s::text[])
    AS new (at_ms, seq, call_id, digest, kind, data)
ON CONFLICT (call_id, seq) DO NOTHING
RETURNING call_id, seq

-- find_journal: What is written at these places.
SELECT at_ms, seq, call_id, digest, kind, data::text AS data
FROM journal
WHERE (call_id, seq) IN (SELECT call_id, seq FROM unnest(%(call_ids)s::uuid[], %(seq)s::integer[]) AS asked (call_id, seq))

-- open_calls: Make the rows of inbound calls.
INSERT INTO calls (
    call_id, account_id, created_at, ringing_at, answered_at, ended_at, event_count, callback_count, app_id, sip_status,
    status, direction, from_number, to_number, node, result, reason, cause, sip_call_id)
SELECT
    call_id, account_id, to_timestamp(created_ms / 1000.0), to_timestamp(ringing_ms / 1000.0),
    to_timestamp(answered_ms / 1000.0), to_timestamp(ended_ms / 1000.0), event_count, callback_count, app_id, sip_status,
    status, direction, from_number, to_number, node, result, reason, cause, sip_call_id
FROM unnest(
    %(call_ids)s::uuid[], %(account_ids)s::uuid[], %(created_ms)s::bigint[], %(ringing_ms)s::bigint[],
    %(answered_ms)s::bigint[], %(ended_ms)s::bigint[], %(event_count)s::integer[], %(callback_count)s::integer[],
    %(app_ids)s::uuid[], %(sip_status)s::smallint[], %(status)s::text[], %(direction)s::text[],
    %(from_number)s::text[], %(to_number)s::text[], %(node)s::text[], %(result)s::text[], %(reason)s::text[],
    %(cause)s::text[], %(sip_call_id)s::text[])
    AS new (
        call_id, account_id, created_ms, ringing_ms, answered_ms, ended_ms, event_count, callback_count, app_id,
        sip_status, status, direction, from_number, to_number, node, result, reason, cause, sip_call_id)

-- change_calls: Bring the rows of calls up to date; what happened first stays, and an ended call keeps its verdict.
UPDATE calls SET
    status = CASE WHEN calls.ended_at IS NULL THEN coalesce(new.status, calls.status) ELSE calls.status END,
    node = coalesce(new.node, calls.node),
    ringing_at = coalesce(calls.ringing_at, to_timestamp(new.ringing_ms / 1000.0)),
    answered_at = coalesce(calls.answered_at, to_timestamp(new.answered_ms / 1000.0)),
    ended_at = coalesce(calls.ended_at, to_timestamp(new.ended_ms / 1000.0)),
    result = coalesce(calls.result, new.result),
    reason = coalesce(calls.reason, new.reason),
    cause = coalesce(calls.cause, new.cause),
    sip_status = coalesce(calls.sip_status, new.sip_status),
    sip_call_id = coalesce(calls.sip_call_id, new.sip_call_id),
    event_count = calls.event_count + new.event_count,
    callback_count = calls.callback_count + new.callback_count
FROM unnest(
    %(account_ids)s::uuid[], %(call_ids)s::uuid[], %(status)s::text[], %(node)s::text[], %(ringing_ms)s::bigint[], %(answered_ms)s::bigint[],
    %(ended_ms)s::bigint[], %(result)s::text[], %(reason)s::text[], %(cause)s::text[], %(sip_status)s::smallint[],
    %(sip_call_id)s::text[], %(event_count)s::integer[], %(callback_count)s::integer[])
    AS new (
        account_id, call_id, status, node, ringing_ms, answered_ms, ended_ms, result, reason, cause, sip_status, sip_call_id,
        event_count, callback_count)
WHERE calls.account_id = new.account_id AND calls.call_id = new.call_id

-- open_legs: Make the rows of B-legs.
INSERT INTO legs (call_id, leg, account_id, created_at, role, from_number, to_number)
SELECT call_id, leg, account_id, to_timestamp(created_ms / 1000.0), role, from_number, to_number
FROM unnest(
    %(call_ids)s::uuid[], %(leg)s::uuid[], %(account_ids)s::uuid[], %(created_ms)s::bigint[], %(role)s::text[],
    %(from_number)s::text[], %(to_number)s::text[])
    AS new (call_id, leg, account_id, created_ms, role, from_number, to_number)
ON CONFLICT (call_id, leg) DO NOTHING

-- change_legs: Bring the rows of B-legs up to date; what happened first stays.
UPDATE legs SET
    ringing_at = coalesce(legs.ringing_at, to_timestamp(new.ringing_ms / 1000.0)),
    answered_at = coalesce(legs.answered_at, to_timestamp(new.answered_ms / 1000.0)),
    ended_at = coalesce(legs.ended_at, to_timestamp(new.ended_ms / 1000.0)),
    cause = coalesce(legs.cause, new.cause),
    sip_status = coalesce(legs.sip_status, new.sip_status),
    sip_call_id = coalesce(legs.sip_call_id, new.sip_call_id)
FROM unnest(
    %(call_ids)s::uuid[], %(leg)s::uuid[], %(ringing_ms)s::bigint[], %(answered_ms)s::bigint[], %(ended_ms)s::bigint[],
    %(cause)s::text[], %(sip_status)s::smallint[], %(sip_call_id)s::text[])
    AS new (call_id, leg, ringing_ms, answered_ms, ended_ms, cause, sip_status, sip_call_id)
WHERE legs.call_id = new.call_id AND legs.leg = new.leg

-- insert_events: Write events, each numbered `after` places before the end of its call's count.
INSERT INTO events (call_id, sequence, event_id, account_id, occurred_at, leg, kind, data)
SELECT
    new.call_id, calls.event_count - 1 - new.after, new.event_id, new.account_id, to_timestamp(new.at_ms / 1000.0),
    new.leg, new.kind, new.data::json
FROM unnest(
    %(call_ids)s::uuid[], %(after)s::integer[], %(event_ids)s::uuid[], %(account_ids)s::uuid[], %(at_ms)s::bigint[],
    %(leg)s::uuid[], %(kind)s::text[], %(data)s::text[])
    AS new (call_id, after, event_id, account_id, at_ms, leg, kind, data)
LEFT JOIN calls ON calls.account_id = new.account_id AND calls.call_id = new.call_id

-- insert_deliveries: Queue deliveries, each numbered `after` places before the end of its call's count for the lane.
-- They are due now, whatever the clock of the process says that knows of them.
INSERT INTO deliveries (call_id, lane, number, account_id, created_at, due_at, method, url, parameters)
SELECT
    new.call_id, new.lane, CASE new.lane WHEN 0 THEN calls.event_count ELSE calls.callback_count END - 1 - new.after,
    new.account_id, to_timestamp(new.at_ms / 1000.0), least(now(), to_timestamp(new.at_ms / 1000.0)), new.method, new.url,
    new.parameters::json
FROM unnest(
    %(call_ids)s::uuid[], %(lane)s::smallint[], %(after)s::integer[], %(account_ids)s::uuid[], %(at_ms)s::bigint[],
    %(method)s::text[], %(url)s::text[], %(parameters)s::text[])
    AS new (call_id, lane, after, account_id, at_ms, method, url, parameters)
LEFT JOIN calls ON calls.account_id = new.account_id AND calls.call_id = new.call_id

-- insert_recordings: Queue recordings to be fetched and stored.
INSERT INTO recordings (
    recording_id, account_id, call_id, leg, created_at, due_at, duration_ms, channels, is_trimmed, source, state, node,
    webhook_url, callback)
SELECT
    recording_id, account_id, call_id, leg, to_timestamp(at_ms / 1000.0), least(now(), to_timestamp(at_ms / 1000.0)),
    duration_ms, channels, is_trimmed, source, 'processing', node, webhook_url, callback::json
FROM unnest(
    %(recording_ids)s::uuid[], %(account_ids)s::uuid[], %(call_ids)s::uuid[], %(leg)s::uuid[],
    %(at_ms)s::bigint[], %(duration_ms)s::integer[], %(channels)s::smallint[], %(is_trimmed)s::boolean[], %(source)s::text[],
    %(node)s::text[], %(webhook_url)s::text[], %(callback)s::text[])
    AS new (
        recording_id, account_id, call_id, leg, at_ms, duration_ms, channels, is_trimmed, source, node, webhook_url,
        callback)
ON CONFLICT (recording_id) DO NOTHING

-- insert_notes: Write lines for the tenant's eyes.
INSERT INTO notes (call_id, account_id, seq, index, at, code, level, text, place)
SELECT call_id, account_id, seq, index, to_timestamp(at_ms / 1000.0), code, level, text, place
FROM unnest(
    %(call_ids)s::uuid[], %(account_ids)s::uuid[], %(seq)s::integer[], %(index)s::integer[], %(at_ms)s::bigint[],
    %(code)s::integer[], %(level)s::text[], %(text)s::text[], %(place)s::text[])
    AS new (call_id, account_id, seq, index, at_ms, code, level, text, place)

-- answer_requests: Say what became of requests of live control.
UPDATE control_requests SET
    state = CASE WHEN new.problem = '' THEN 'done' ELSE 'failed' END,
    problem = nullif(new.problem, ''),
    done_at = to_timestamp(new.at_ms / 1000.0)
FROM unnest(%(request_ids)s::uuid[], %(problem)s::text[], %(at_ms)s::bigint[]) AS new (request_id, problem, at_ms)
WHERE control_requests.request_id = new.request_id AND control_requests.state = 'asked'

-- fail_requests: Say that calls ended before what was asked of them could be done.
UPDATE control_requests SET state = 'failed', problem = 'call-not-live', done_at = to_timestamp(new.at_ms / 1000.0)
FROM unnest(%(call_ids)s::uuid[], %(at_ms)s::bigint[]) AS new (call_id, at_ms)
WHERE control_requests.call_id = new.call_id AND control_requests.state = 'asked'

-- tell: Wake whoever listens to a channel, when this transaction commits.
SELECT pg_notify(%(channel)s, %(payload)s)

-- find_heads: How far the journals of some calls go.
SELECT call_id, max(seq) AS seq FROM journal WHERE call_id = ANY(%(call_ids)s::uuid[]) GROUP BY call_id

-- see_one_moment: Have all that this transaction reads be of one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
