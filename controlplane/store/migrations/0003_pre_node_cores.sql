-- Runs of FreeSWITCH on media nodes, and what becomes of the calls of those that are over.
CREATE TABLE node_cores (
    node text NOT NULL,
    core uuid NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    lost_at timestamptz,
    settled_at timestamptz,
    leader text,
    adopting_node text,
    adopting_core uuid,
    legs uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (node, core)
) WITH (fillfactor = 50);
COMMENT ON COLUMN node_cores.core IS 'FreeSWITCH''s Core-UUID: another at each start';
COMMENT ON COLUMN node_cores.lost_at IS 'fenced since then: nobody drives a channel of it, though it may turn out to live';
COMMENT ON COLUMN node_cores.leader IS 'the call server that settles it; when that dies, any other does';
COMMENT ON COLUMN node_cores.legs IS 'answered legs that were given to the adopting node';

ALTER TABLE calls ADD COLUMN moves smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN calls.moves IS 'how often it was given to another node or run; a journal that tells of fewer is behind';
