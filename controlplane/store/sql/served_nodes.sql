-- serve_nodes: Say that a call server has these media nodes.
INSERT INTO served_nodes (node) SELECT unnest(%(nodes)s::text[])
ON CONFLICT (node) DO UPDATE SET last_served_at = now()

-- notice_nodes: Begin to watch nodes of live calls that no call server ever told of.
INSERT INTO served_nodes (node)
SELECT DISTINCT node FROM calls WHERE ended_at IS NULL AND node IS NOT NULL
ON CONFLICT (node) DO NOTHING

-- gone_nodes: Media nodes of live calls that were not served for long, while some call server was there all along.
-- When none was, or the database was away, nobody could say that a node is served.
SELECT node, floor(extract(epoch FROM last_served_at) * 1000)::bigint AS served_ms
FROM served_nodes
WHERE last_served_at < now() - make_interval(secs => %(gone_after_s)s)
    AND EXISTS (SELECT FROM calls WHERE calls.node = served_nodes.node AND calls.ended_at IS NULL)
    AND EXISTS (
        SELECT FROM call_servers
        JOIN pg_stat_activity AS session
            ON session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start
        WHERE session.backend_start < now() - make_interval(secs => %(gone_after_s)s))
ORDER BY node

-- live_calls_of_node: Live calls of a media node that was not served since.
SELECT calls.account_id, calls.call_id
FROM calls
JOIN served_nodes ON served_nodes.node = calls.node
WHERE calls.ended_at IS NULL AND calls.node = %(node)s
    AND floor(extract(epoch FROM served_nodes.last_served_at) * 1000)::bigint = %(served_ms)s
ORDER BY calls.call_id
LIMIT %(limit)s
