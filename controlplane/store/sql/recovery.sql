-- left_legs: What FreeSWITCH needs to bring legs up again that a core left, or that were brought here and did not come up.
SELECT runtime_uuid, technology, profile_name, hostname, uuid, metadata FROM recovery
WHERE runtime_uuid = %(core)s OR uuid = ANY(%(legs)s::text[])

-- put_legs: Give legs to a node, but for those that it has already.
INSERT INTO recovery (runtime_uuid, technology, profile_name, hostname, uuid, metadata)
SELECT runtime_uuid, technology, profile_name, hostname, uuid, metadata
FROM unnest(
    %(runtime_uuid)s::text[], %(technology)s::text[], %(profile_name)s::text[], %(hostname)s::text[], %(uuid)s::text[],
    %(metadata)s::text[])
    AS given (runtime_uuid, technology, profile_name, hostname, uuid, metadata)
WHERE NOT EXISTS (SELECT FROM recovery WHERE recovery.uuid = given.uuid)

-- rewrite_leg: Change what is known of a leg that a core left.
UPDATE recovery SET metadata = %(metadata)s WHERE uuid = %(uuid)s AND runtime_uuid = %(core)s

-- drop_legs: Forget everything that a core left, and legs that are another node's now.
DELETE FROM recovery WHERE runtime_uuid = %(core)s OR uuid = ANY(%(legs)s::text[])

-- drop_strange_legs: Forget what other cores left here, but for these legs: nobody is to bring it up any more.
DELETE FROM recovery WHERE runtime_uuid <> %(core)s AND NOT uuid = ANY(%(legs)s::text[])

-- drop_tasks: Forget what a dead run had scheduled. FreeSWITCH only lists it (`show tasks`): it writes these rows under the
-- machine's name, and clears them at its start by the node's (switch_core_sqldb.c:2415, 3606), so they would stay for ever.
DELETE FROM tasks
