-- B-legs that have not ended, which count in the limits of the gateway.
CREATE INDEX legs_live ON legs (account_id, call_id) WHERE ended_at IS NULL;
