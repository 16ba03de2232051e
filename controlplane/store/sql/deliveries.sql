-- take_deliveries: Take what is due: of each call and lane the first that is not through, accounts in turn.
-- Taken ones are due again when the lease ends, so that a worker that dies gives them back.
-- A receiver (scheme, host and port) has fewer places than its account: a slow one leaves some to the others.
WITH under_way_at AS (
    SELECT account_id, substring(url FROM '^[^:]*://[^/?#]*') AS receiver, count(*) AS deliveries FROM deliveries
    WHERE state = 'pending' AND due_at <= now() AND leased_until > now()
    GROUP BY account_id, receiver
),
under_way AS (
    SELECT account_id, sum(deliveries) AS deliveries FROM under_way_at GROUP BY account_id
),
candidate AS (
    SELECT
        due.call_id, due.lane, due.number, due.account_id, due.due_at,
        substring(due.url FROM '^[^:]*://[^/?#]*') AS receiver
    FROM deliveries AS due
    WHERE due.state = 'pending' AND due.due_at <= now() AND (due.leased_until IS NULL OR due.leased_until <= now())
        AND NOT EXISTS (
            SELECT FROM deliveries AS before
            WHERE before.call_id = due.call_id AND before.lane = due.lane AND before.number < due.number
                AND before.state = 'pending')
        AND NOT EXISTS (
            SELECT FROM under_way
            WHERE under_way.account_id = due.account_id AND under_way.deliveries >= %(most_per_account)s)
        AND NOT EXISTS (
            SELECT FROM under_way_at
            WHERE under_way_at.account_id = due.account_id AND under_way_at.deliveries >= %(most_per_receiver)s
                AND under_way_at.receiver = substring(due.url FROM '^[^:]*://[^/?#]*'))
    ORDER BY due.due_at
    LIMIT %(considered)s
),
ranked_at AS (
    SELECT call_id, lane, number, account_id, due_at, receiver,
        row_number() OVER (PARTITION BY account_id, receiver ORDER BY due_at, call_id) AS turn
    FROM candidate
),
ranked AS (
    SELECT
        ranked_at.call_id, ranked_at.lane, ranked_at.number, ranked_at.account_id, ranked_at.due_at,
        row_number() OVER (PARTITION BY ranked_at.account_id ORDER BY ranked_at.due_at, ranked_at.call_id) AS turn
    FROM ranked_at
    LEFT JOIN under_way_at
        ON under_way_at.account_id = ranked_at.account_id AND under_way_at.receiver = ranked_at.receiver
    WHERE ranked_at.turn + coalesce(under_way_at.deliveries, 0) <= %(most_per_receiver)s
),
chosen AS (
    SELECT ranked.call_id, ranked.lane, ranked.number
    FROM ranked LEFT JOIN under_way ON under_way.account_id = ranked.account_id
    WHERE ranked.turn + coalesce(under_way.deliveries, 0) <= %(most_per_account)s
    ORDER BY ranked.turn, ranked.due_at
    LIMIT %(most)s
),
taken AS (
    SELECT held.call_id, held.lane, held.number
    FROM deliveries AS held
    JOIN chosen ON chosen.call_id = held.call_id AND chosen.lane = held.lane AND chosen.number = held.number
    WHERE held.state = 'pending' AND (held.leased_until IS NULL OR held.leased_until <= now())
    FOR UPDATE OF held SKIP LOCKED
)
UPDATE deliveries SET leased_until = now() + make_interval(secs => %(lease_s)s)
FROM taken
WHERE deliveries.call_id = taken.call_id AND deliveries.lane = taken.lane AND deliveries.number = taken.number
RETURNING deliveries.call_id, deliveries.lane, deliveries.number

-- read_deliveries: What is to be sent, and what signs it.
SELECT
    d.call_id, d.lane, d.number, d.account_id, d.attempts + 1 AS attempt, d.failures, d.leased_until, d.method,
    d.url, d.parameters, accounts.auth_token AS sealed_token, events.event_id, events.kind, event_data(events, calls)::text AS data,
    events.sequence, events.occurred_at, events.leg, calls.app_id, apps.webhook_api_version, secrets.secret_id,
    secrets.value AS sealed_secret
FROM unnest(%(call_ids)s::uuid[], %(lanes)s::smallint[], %(numbers)s::integer[]) AS taken (call_id, lane, number)
JOIN deliveries AS d ON d.call_id = taken.call_id AND d.lane = taken.lane AND d.number = taken.number
JOIN accounts ON accounts.account_id = d.account_id
LEFT JOIN events ON d.lane = 0 AND events.call_id = d.call_id AND events.sequence = d.number
LEFT JOIN calls ON calls.account_id = events.account_id AND calls.call_id = events.call_id
LEFT JOIN apps ON apps.account_id = calls.account_id AND apps.app_id = calls.app_id
LEFT JOIN secrets ON secrets.account_id = apps.account_id AND secrets.secret_id = apps.secret_id
ORDER BY d.created_at, d.call_id, d.lane, d.number

-- settle_delivery: Say how an attempt ended, if the lease is still ours; the attempt before goes into the history.
WITH before AS (
    INSERT INTO delivery_attempts (call_id, lane, number, account_id, at, duration_ms, status, error)
    SELECT call_id, lane, number, account_id, last_attempt_at, last_duration_ms, last_status, last_error
    FROM deliveries
    WHERE call_id = %(call_id)s AND lane = %(lane)s AND number = %(number)s
        AND state = 'pending' AND leased_until = %(leased_until)s AND attempts > 0
)
UPDATE deliveries SET
    state = %(state)s,
    attempts = attempts + 1,
    failures = CASE WHEN %(state)s = 'delivered' THEN failures ELSE failures + 1 END,
    last_attempt_at = now(),
    last_duration_ms = %(duration_ms)s,
    last_status = %(status)s,
    last_error = %(error)s,
    leased_until = NULL,
    ended_at = CASE WHEN %(state)s = 'pending' THEN NULL ELSE now() END,
    due_at = CASE WHEN %(state)s = 'pending' THEN now() + make_interval(secs => %(delay_s)s) ELSE due_at END
WHERE call_id = %(call_id)s AND lane = %(lane)s AND number = %(number)s
    AND state = 'pending' AND leased_until = %(leased_until)s
RETURNING state, due_at

-- hold_followers: Let what waits behind a delivery be due when that is, so that nobody looks at it in vain.
UPDATE deliveries SET due_at = %(due_at)s
WHERE call_id = %(call_id)s AND lane = %(lane)s AND number > %(number)s AND state = 'pending'

-- release_followers: Let what waited behind a delivery that is through be due now.
UPDATE deliveries SET due_at = now()
WHERE call_id = %(call_id)s AND lane = %(lane)s AND number > %(number)s AND state = 'pending' AND due_at > now()

-- outbox_age: How long the oldest delivery that is due has been waiting, and how many are not through.
SELECT
    coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0)::float8 AS oldest_s,
    count(*) AS deliveries
FROM deliveries WHERE state = 'pending'

-- find_event: One event, and how its delivery goes.
SELECT
    events.event_id, events.account_id, events.call_id, calls.app_id, events.leg, events.kind, event_data(events, calls)::text AS data,
    events.sequence, events.occurred_at, d.state AS delivery_state, coalesce(d.attempts, 0) AS attempts,
    d.last_attempt_at, d.last_status, d.last_error,
    CASE WHEN d.state = 'delivered' THEN d.ended_at END AS delivered_at
FROM events
LEFT JOIN calls ON calls.account_id = events.account_id AND calls.call_id = events.call_id
LEFT JOIN deliveries AS d ON d.call_id = events.call_id AND d.lane = 0 AND d.number = events.sequence
WHERE events.account_id = %(account_id)s AND events.event_id = %(event_id)s

-- list_events: A tenant's events, newest first; null in a filter means any.
SELECT
    events.event_id, events.account_id, events.call_id, calls.app_id, events.leg, events.kind, event_data(events, calls)::text AS data,
    events.sequence, events.occurred_at, d.state AS delivery_state, coalesce(d.attempts, 0) AS attempts,
    d.last_attempt_at, d.last_status, d.last_error,
    CASE WHEN d.state = 'delivered' THEN d.ended_at END AS delivered_at
FROM events
LEFT JOIN calls ON calls.account_id = events.account_id AND calls.call_id = events.call_id
LEFT JOIN deliveries AS d ON d.call_id = events.call_id AND d.lane = 0 AND d.number = events.sequence
WHERE events.account_id = %(account_id)s AND events.event_id < %(newest)s AND events.event_id > %(oldest)s
    AND (%(call_id)s::uuid IS NULL OR events.call_id = %(call_id)s)
    AND (%(kind)s::text IS NULL OR events.kind = %(kind)s)
    AND (%(occurred_after)s::timestamptz IS NULL OR events.occurred_at > %(occurred_after)s)
    AND (cardinality(%(delivery_states)s::text[]) = 0 OR d.state = ANY(%(delivery_states)s::text[]))
ORDER BY events.event_id DESC
LIMIT %(limit)s

-- redeliver_event: Deliver an event again that is through, delivered or not.
UPDATE deliveries SET state = 'pending', failures = 0, due_at = now(), leased_until = NULL, ended_at = NULL
FROM events
WHERE events.account_id = %(account_id)s AND events.event_id = %(event_id)s
    AND deliveries.call_id = events.call_id AND deliveries.lane = 0 AND deliveries.number = events.sequence
    AND deliveries.state IN ('delivered', 'dead')
RETURNING now() AS at

-- list_attempts: The attempts of an event's delivery, oldest first: those before the last, and the last.
SELECT tried.at, tried.duration_ms, tried.status, tried.error
FROM events
JOIN delivery_attempts AS tried ON tried.call_id = events.call_id AND tried.lane = 0 AND tried.number = events.sequence
WHERE events.account_id = %(account_id)s AND events.event_id = %(event_id)s
UNION ALL
SELECT d.last_attempt_at, d.last_duration_ms, d.last_status, d.last_error
FROM events
JOIN deliveries AS d ON d.call_id = events.call_id AND d.lane = 0 AND d.number = events.sequence
WHERE events.account_id = %(account_id)s AND events.event_id = %(event_id)s AND d.attempts > 0
ORDER BY at
