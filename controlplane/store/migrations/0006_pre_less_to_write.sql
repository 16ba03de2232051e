-- A call writes less. Its id alone names it (as in the journal), which makes an index of every call smaller; calls of one
-- account and one millisecond are few enough to be sorted when they are listed.
ALTER TABLE calls DROP CONSTRAINT calls_pkey, ADD PRIMARY KEY (call_id);
DROP INDEX calls_of_account;
CREATE INDEX calls_of_account ON calls (account_id, created_at);

-- Who calls whom is in the call's row, and not again in each event of the call itself (those of its B-legs tell their
-- own). Where an event has it all the same, as older ones do, that counts.
CREATE FUNCTION event_data(told events, its_call calls) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN told.leg IS NULL
        THEN jsonb_build_object('from', its_call.from_number, 'to', its_call.to_number, 'direction', its_call.direction)
            || told.data::jsonb
        ELSE told.data::jsonb
    END
$$;
