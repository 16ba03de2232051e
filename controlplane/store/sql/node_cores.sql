-- see_core: A node answers with this core; says whether that is one that was declared lost.
INSERT INTO node_cores (node, core) VALUES (%(node)s, %(core)s)
ON CONFLICT (node, core) DO UPDATE SET last_seen_at = now()
RETURNING lost_at IS NOT NULL AS is_lost

-- lose_earlier_cores: A node has one core at a time: those seen before this one are over.
UPDATE node_cores AS earlier SET lost_at = now()
FROM node_cores AS present
WHERE present.node = %(node)s AND present.core = %(core)s AND present.lost_at IS NULL
    AND earlier.node = present.node AND earlier.core <> present.core AND earlier.lost_at IS NULL
    AND earlier.first_seen_at <= present.first_seen_at

-- lose_core: Declare a core lost, unless somebody saw it lately.
UPDATE node_cores SET lost_at = now()
WHERE node = %(node)s AND core = %(core)s AND lost_at IS NULL
    AND last_seen_at <= now() - make_interval(secs => %(unseen_s)s)
RETURNING core

-- known_cores: The last core of each node; all that were lost and are not settled, or were lately; and who goes on.
SELECT
    node, core, extract(epoch FROM now() - lost_at)::float8 AS lost_s, settled_at IS NOT NULL AS is_settled,
    adopting_node, adopting_core, legs
FROM node_cores
WHERE (lost_at IS NOT NULL AND (settled_at IS NULL OR settled_at > now() - interval '1 minute'))
    OR (node, first_seen_at) IN (SELECT node, max(first_seen_at) FROM node_cores GROUP BY node)
    OR core IN (SELECT adopting_core FROM node_cores WHERE settled_at IS NULL AND adopting_core IS NOT NULL)
ORDER BY node, first_seen_at

-- lead_core: Settle a lost core, unless another call server that lives does.
UPDATE node_cores SET leader = %(server_id)s
WHERE node = %(node)s AND core = %(core)s AND lost_at IS NOT NULL AND settled_at IS NULL
    AND (leader IS NULL OR leader = %(server_id)s OR NOT EXISTS (
        SELECT FROM call_servers
        JOIN pg_stat_activity AS session
            ON session.pid = call_servers.backend_pid AND session.backend_start = call_servers.backend_start
        WHERE call_servers.server_id = leader
            AND call_servers.last_seen > now() - make_interval(secs => %(dead_after_s)s)))
RETURNING
    node, core, extract(epoch FROM now() - lost_at)::float8 AS lost_s, settled_at IS NOT NULL AS is_settled,
    adopting_node, adopting_core, legs

-- adopt_core: Say who goes on with a lost core's legs, and with which; answers which of those are new.
UPDATE node_cores AS core SET
    adopting_node = %(adopting_node)s, adopting_core = %(adopting_core)s,
    legs = ARRAY(SELECT DISTINCT leg FROM unnest(core.legs || %(legs)s::uuid[]) AS leg ORDER BY leg)
FROM node_cores AS before
WHERE core.node = %(node)s AND core.core = %(core)s AND core.leader = %(server_id)s AND core.settled_at IS NULL
    AND before.node = core.node AND before.core = core.core
RETURNING ARRAY(SELECT unnest(%(legs)s::uuid[]) EXCEPT SELECT unnest(before.legs)) AS added

-- settle_core: Nothing more is to be done for a lost core; answers who goes on.
UPDATE node_cores SET settled_at = now()
WHERE node = %(node)s AND core = %(core)s AND leader = %(server_id)s AND settled_at IS NULL
RETURNING adopting_node

-- a_legs_of_node: The A-legs of a node's live calls: a call's id has the bits of its A-leg's UUID.
SELECT call_id FROM calls WHERE node = %(node)s AND ended_at IS NULL

-- move_calls: Give calls to the node that was given their A-legs, each once. A call's id has the bits of its A-leg's UUID.
UPDATE calls SET node = %(adopting_node)s, moves = moves + 1
WHERE node = %(node)s AND ended_at IS NULL AND call_id = ANY(%(legs)s::uuid[])

-- queue_again: Give calls back to the queue that were claimed for a node and not dialled there.
UPDATE calls SET node = NULL, gateway = NULL, claimed_at = NULL, claimed_by = NULL
WHERE node = %(node)s AND ended_at IS NULL AND direction = 'outbound-api'
    AND NOT EXISTS (SELECT FROM journal WHERE journal.call_id = calls.call_id)
