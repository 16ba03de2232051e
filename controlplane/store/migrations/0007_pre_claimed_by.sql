-- Whoever finds a claim without a journal has to know whether an entry of it may lie on another host's disk.
ALTER TABLE calls ADD COLUMN claimed_by text;
COMMENT ON COLUMN calls.claimed_by IS 'the call server that took it from the queue; inbound: null';
