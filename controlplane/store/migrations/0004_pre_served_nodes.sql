-- Which media nodes call servers are told of, so that calls of one that is taken out for good can be ended.
CREATE TABLE served_nodes (
    node text PRIMARY KEY,
    last_served_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE served_nodes IS 'a node is served while a call server that lives has it in CALLPLANE_NODES';
