-- lock_queue: Let one claim at a time count; ends with its transaction.
SELECT pg_advisory_xact_lock(%(key)s::bigint)

-- claim_calls: Take queued calls for these (node, shard) places; accounts, apps and the gateway within their limits.
-- Limits are counted from the calls themselves: live ones, and those claimed in the last second. Accounts take turns.
-- The gateway carries B-legs to numbers, too, and has no room for new calls while those fill it.
WITH RECURSIVE waiting AS (
    (SELECT account_id FROM calls WHERE node IS NULL AND ended_at IS NULL ORDER BY account_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT calls.account_id FROM calls
        WHERE calls.node IS NULL AND calls.ended_at IS NULL AND calls.account_id > waiting.account_id
        ORDER BY calls.account_id LIMIT 1)
    FROM waiting WHERE waiting.account_id IS NOT NULL
),
place AS (
    SELECT shard, array_agg(node) AS nodes
    FROM unnest(%(nodes)s::text[], %(shards)s::integer[]) AS owned (node, shard)
    GROUP BY shard
),
started AS (
    SELECT account_id, gateway FROM calls WHERE claimed_at > clock_timestamp() - interval '1 second'
),
live AS (
    SELECT account_id, count(*) AS calls, count(*) FILTER (WHERE gateway = %(gateway)s) AS through_gateway
    FROM calls WHERE ended_at IS NULL AND node IS NOT NULL GROUP BY account_id
),
dialled AS (
    SELECT legs.created_at > clock_timestamp() - interval '1 second' AS is_new FROM legs
    JOIN calls ON calls.account_id = legs.account_id AND calls.call_id = legs.call_id AND calls.ended_at IS NULL
    WHERE legs.ended_at IS NULL AND starts_with(legs.to_number, '+')
),
app_room AS (
    SELECT apps.app_id, greatest(0, apps.channel_limit - count(calls.call_id)) AS calls
    FROM waiting
    JOIN apps ON apps.account_id = waiting.account_id AND apps.channel_limit IS NOT NULL
    LEFT JOIN calls
        ON calls.account_id = apps.account_id AND calls.app_id = apps.app_id
        AND calls.ended_at IS NULL AND calls.node IS NOT NULL
    GROUP BY apps.app_id, apps.channel_limit
),
room AS (
    SELECT
        accounts.account_id,
        greatest(0, least(
            coalesce(accounts.cps_limit, %(cps_limit)s::integer)
                - (SELECT count(*) FROM started WHERE started.account_id = accounts.account_id),
            coalesce(accounts.channel_cap, %(channel_cap)s::integer) - coalesce(live.calls, 0))) AS calls
    FROM waiting
    JOIN accounts ON accounts.account_id = waiting.account_id
    LEFT JOIN live ON live.account_id = accounts.account_id
),
gateway_room AS (
    SELECT greatest(0, least(
        %(gateway_cps_limit)s::integer - (SELECT count(*) FROM started WHERE gateway = %(gateway)s)
            - (SELECT count(*) FROM dialled WHERE is_new),
        %(gateway_channel_cap)s::integer - (SELECT coalesce(sum(through_gateway), 0) FROM live)
            - (SELECT count(*) FROM dialled),
        %(most)s::integer)) AS calls
),
first AS (
    SELECT room.account_id, early.call_id, early.shard, early.app_id,
        row_number() OVER (PARTITION BY early.app_id ORDER BY early.call_id) AS app_turn
    FROM room
    CROSS JOIN LATERAL (
        SELECT calls.call_id, calls.shard, calls.app_id FROM calls
        WHERE calls.account_id = room.account_id AND calls.node IS NULL AND calls.ended_at IS NULL
            AND calls.shard IN (SELECT place.shard FROM place)
            AND calls.created_at > now() - make_interval(secs => %(queue_bound_s)s)
            AND NOT EXISTS (SELECT FROM app_room WHERE app_room.app_id = calls.app_id AND app_room.calls = 0)
        ORDER BY calls.call_id
        LIMIT least(room.calls, %(most)s::integer)) AS early
),
candidate AS (
    SELECT first.account_id, first.call_id, first.shard,
        row_number() OVER (PARTITION BY first.account_id ORDER BY first.call_id) AS turn
    FROM first
    LEFT JOIN app_room ON app_room.app_id = first.app_id
    WHERE app_room.calls IS NULL OR first.app_turn <= app_room.calls
),
chosen AS (
    SELECT candidate.account_id, candidate.call_id, candidate.shard FROM candidate
    ORDER BY candidate.turn, candidate.call_id
    LIMIT (SELECT gateway_room.calls FROM gateway_room)
),
taken AS (
    SELECT calls.account_id, calls.call_id, place.nodes[1 + floor(random() * cardinality(place.nodes))::integer] AS node
    FROM calls
    JOIN chosen ON chosen.account_id = calls.account_id AND chosen.call_id = calls.call_id
    JOIN place ON place.shard = chosen.shard
    WHERE calls.node IS NULL AND calls.ended_at IS NULL
    FOR UPDATE OF calls SKIP LOCKED
)
UPDATE calls SET node = taken.node, gateway = %(gateway)s, claimed_at = clock_timestamp(), claimed_by = %(server_id)s
FROM taken
WHERE calls.account_id = taken.account_id AND calls.call_id = taken.call_id
RETURNING calls.call_id, calls.account_id, calls.node, calls.shard, calls.facts::text AS facts

-- count_queued: How many calls wait for these shards.
SELECT count(*) AS calls FROM calls WHERE node IS NULL AND ended_at IS NULL AND shard = ANY(%(shards)s::integer[])
