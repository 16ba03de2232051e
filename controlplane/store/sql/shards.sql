-- take_shards: Take what is free of these shards of a node, for as long as this session lives, and say in which term,
-- and whether some may be those of a server that was taken for dead, and lives.
-- The number of the transaction is given when the locks are held: whoever has them next gets a greater one.
WITH taken AS MATERIALIZED (
    SELECT shard FROM unnest(%(shards)s::integer[]) AS shard WHERE pg_try_advisory_lock(%(key)s::integer, shard)
)
SELECT
    shard, pg_current_xact_id()::text AS term,
    EXISTS (SELECT FROM call_servers WHERE fenced_at > now() - interval '1 minute') AS was_fenced
FROM taken

-- release_shards: Give these shards of a node back.
SELECT shard FROM unnest(%(shards)s::integer[]) AS shard WHERE pg_advisory_unlock(%(key)s::integer, shard)

-- release_all_shards: Give back all; the end of the session would too, but some time after it is asked for.
SELECT pg_advisory_unlock_all()

-- enter_call_server: Say that this process is there, and which session holds its locks.
INSERT INTO call_servers (server_id, backend_pid, backend_start)
SELECT %(server_id)s, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
ON CONFLICT (server_id) DO UPDATE SET
    backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, last_seen = now(), fenced_at = NULL

-- beat: Say that this process is still there; no row if others took it for dead.
UPDATE call_servers SET last_seen = now() WHERE server_id = %(server_id)s AND fenced_at IS NULL RETURNING server_id

-- leave_call_server: Say that this process goes.
DELETE FROM call_servers WHERE server_id = %(server_id)s

-- live_call_servers: The processes seen lately whose session still is there, this one among them.
-- A process that was killed loses its session at once: it must not keep its share until it is forgotten.
SELECT server_id FROM call_servers
WHERE server_id = %(server_id)s OR (
    last_seen > now() - make_interval(secs => %(dead_after_s)s) AND fenced_at IS NULL
    AND EXISTS (
        SELECT FROM pg_stat_activity AS session
        WHERE session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start))
ORDER BY server_id

-- fence_call_servers: End the sessions of processes not seen lately; the session must be the very one they had.
-- Those that had none any more are forgotten at once, the others, which may live, after a while.
WITH dead AS (
    SELECT server_id, session.pid
    FROM call_servers
    LEFT JOIN pg_stat_activity AS session
        ON session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start
    WHERE last_seen < now() - make_interval(secs => %(dead_after_s)s) AND server_id <> %(server_id)s
        AND fenced_at IS NULL
    FOR UPDATE OF call_servers
), fenced AS (
    UPDATE call_servers SET fenced_at = now() FROM dead
    WHERE dead.server_id = call_servers.server_id AND dead.pid IS NOT NULL
), forgotten AS (
    DELETE FROM call_servers
    WHERE fenced_at < now() - interval '1 minute'
        OR server_id IN (SELECT server_id FROM dead WHERE pid IS NULL)
)
SELECT server_id, coalesce(pg_terminate_backend(pid, 1000), false) AS is_ended FROM dead ORDER BY server_id

-- missing_call_servers: Processes whose sessions ended with the database itself, a moment ago: they may be about to come back.
SELECT server_id FROM call_servers
WHERE server_id <> %(server_id)s AND fenced_at IS NULL
    AND pg_postmaster_start_time() > now() - make_interval(secs => %(dead_after_s)s)
    AND NOT EXISTS (
        SELECT FROM pg_stat_activity AS session
        WHERE session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start)
ORDER BY server_id

-- end_former_session: End the session that this process had before, which may not know yet that nobody is there.
SELECT coalesce(pg_terminate_backend(session.pid, 1000), false) AS is_ended
FROM call_servers
JOIN pg_stat_activity AS session
    ON session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start
WHERE call_servers.server_id = %(server_id)s
