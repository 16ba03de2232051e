-- Lists of calls are in the order of time.
CREATE INDEX calls_of_account ON calls (account_id, created_at, call_id);
