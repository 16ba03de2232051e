-- Who owns what. Ids are the 128 bits of our prefixed ULIDs (base/ids.py), so that they sort by age.

CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    auth_token bytea NOT NULL,
    cps_limit integer CHECK (cps_limit > 0),
    channel_cap integer CHECK (channel_cap > 0)
);
COMMENT ON COLUMN accounts.auth_token IS 'encrypted: it signs requests, so a hash would not do';
COMMENT ON COLUMN accounts.cps_limit IS 'calls per second; null: the setting of the process';

CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    name text NOT NULL,
    prefix text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL
);
CREATE INDEX api_keys_of_account ON api_keys (account_id, key_id);

CREATE TABLE secrets (
    secret_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz,
    name text NOT NULL,
    value bytea NOT NULL,
    UNIQUE (account_id, name),
    UNIQUE (account_id, secret_id)
);

CREATE TABLE apps (
    app_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    secret_id uuid,
    channel_limit integer CHECK (channel_limit > 0),
    record boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'inactive')),
    name text NOT NULL,
    flow_url text NOT NULL,
    flow_method text NOT NULL CHECK (flow_method IN ('GET', 'POST')),
    fallback_url text,
    fallback_method text NOT NULL CHECK (fallback_method IN ('GET', 'POST')),
    webhook_url text,
    webhook_api_version text NOT NULL,
    status_callback_url text,
    status_callback_method text NOT NULL CHECK (status_callback_method IN ('GET', 'POST')),
    status_callback_events text[] NOT NULL,
    UNIQUE (account_id, app_id),
    FOREIGN KEY (account_id, secret_id) REFERENCES secrets (account_id, secret_id)
);

CREATE TABLE numbers (
    number_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT now(),
    app_id uuid,
    number text NOT NULL UNIQUE CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
    name text NOT NULL,
    UNIQUE (account_id, number_id),
    FOREIGN KEY (account_id, app_id) REFERENCES apps (account_id, app_id)
);
CREATE INDEX numbers_of_app ON numbers (account_id, app_id);

-- Calls. No foreign keys in the tables that a call writes: each would lock a row of its account at every insert.
-- Room is left in the pages of `calls` so that its updates stay on their page and touch no index.

CREATE TABLE calls (
    account_id uuid NOT NULL,
    call_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    claimed_at timestamptz,
    ringing_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    event_count integer NOT NULL DEFAULT 0,
    callback_count integer NOT NULL DEFAULT 0,
    app_id uuid,
    shard smallint GENERATED ALWAYS AS (get_byte(uuid_send(call_id), 15) & 15) STORED,
    sip_status smallint,
    status text NOT NULL,
    direction text NOT NULL,
    from_number text NOT NULL,
    to_number text NOT NULL,
    node text,
    gateway text,
    result text,
    reason text,
    cause text,
    sip_call_id text,
    facts json,
    PRIMARY KEY (account_id, call_id)
) WITH (fillfactor = 60);
COMMENT ON COLUMN calls.facts IS 'what a call placed through the API needs when it is claimed; inbound: null';
COMMENT ON COLUMN calls.event_count IS 'events so far: the next one''s number, so that numbers have no gaps';
CREATE INDEX calls_live ON calls (account_id, node, shard) WHERE ended_at IS NULL;
CREATE INDEX calls_queued ON calls (account_id, call_id) WHERE node IS NULL AND ended_at IS NULL;
CREATE INDEX calls_claimed ON calls (claimed_at) WHERE claimed_at IS NOT NULL;

CREATE TABLE legs (
    call_id uuid NOT NULL,
    leg uuid NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    ringing_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    sip_status smallint,
    role text NOT NULL,
    from_number text NOT NULL,
    to_number text NOT NULL,
    cause text,
    sip_call_id text,
    PRIMARY KEY (call_id, leg)
) WITH (fillfactor = 60);
COMMENT ON TABLE legs IS 'B-legs; the A-leg of a call is its row in calls';

CREATE TABLE journal (
    at_ms bigint NOT NULL,
    seq integer NOT NULL,
    call_id uuid NOT NULL,
    digest bytea NOT NULL,
    kind text NOT NULL,
    data json NOT NULL,
    PRIMARY KEY (call_id, seq)
);
COMMENT ON TABLE journal IS 'reached through calls, which says whose it is; its key makes every replay harmless';
COMMENT ON COLUMN journal.digest IS 'of the commands that came of the entry: a replay must give the same';

CREATE TABLE notes (
    call_id uuid NOT NULL,
    account_id uuid NOT NULL,
    seq integer NOT NULL,
    index integer NOT NULL,
    at timestamptz NOT NULL,
    code integer NOT NULL,
    level text NOT NULL,
    text text NOT NULL,
    place text NOT NULL,
    PRIMARY KEY (call_id, seq, index)
);

CREATE TABLE recordings (
    recording_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    call_id uuid NOT NULL,
    leg uuid NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    due_at timestamptz,
    size_bytes bigint,
    duration_ms integer,
    channels smallint NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    is_trimmed boolean NOT NULL,
    source text NOT NULL,
    state text NOT NULL CHECK (state IN ('in-progress', 'processing', 'completed', 'absent', 'failed', 'deleted')),
    node text NOT NULL,
    storage_key text,
    problem text,
    webhook_url text,
    callback json
);
CREATE INDEX recordings_of_account ON recordings (account_id, recording_id);
CREATE INDEX recordings_of_call ON recordings (call_id);
CREATE INDEX recordings_due ON recordings (due_at) WHERE state = 'processing';

-- What tenants are told. An event is in the account's log; a delivery is one series of attempts to tell it.

CREATE TABLE events (
    call_id uuid NOT NULL,
    sequence integer NOT NULL,
    event_id uuid NOT NULL,
    account_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    leg uuid,
    kind text NOT NULL,
    data json NOT NULL,
    PRIMARY KEY (call_id, sequence),
    UNIQUE (account_id, event_id)
);

CREATE TABLE deliveries (
    call_id uuid NOT NULL,
    lane smallint NOT NULL,
    number integer NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    last_attempt_at timestamptz,
    ended_at timestamptz,
    last_duration_ms integer,
    last_status smallint,
    attempts smallint NOT NULL DEFAULT 0,
    failures smallint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    method text NOT NULL,
    url text NOT NULL,
    last_error text,
    parameters json,
    PRIMARY KEY (call_id, lane, number)
) WITH (fillfactor = 60);
COMMENT ON COLUMN deliveries.lane IS '0: events as JSON, number is the event''s sequence; 1: callbacks as forms';
COMMENT ON COLUMN deliveries.leased_until IS 'a worker has it until then: in no index, so that taking one writes little';
COMMENT ON COLUMN deliveries.failures IS 'attempts that failed since it was queued or asked for again';
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';

-- Attempts before the last, which is in the delivery's own row: one that succeeds at once needs no row here.
CREATE TABLE delivery_attempts (
    call_id uuid NOT NULL,
    lane smallint NOT NULL,
    status smallint,
    number integer NOT NULL,
    account_id uuid NOT NULL,
    at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    error text,
    PRIMARY KEY (call_id, lane, number, at)
);

CREATE TABLE control_requests (
    request_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    call_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
    kind text NOT NULL,
    problem text,
    data json NOT NULL
);
CREATE INDEX control_requests_asked ON control_requests (call_id) WHERE state = 'asked';

CREATE TABLE idempotency_keys (
    account_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    status smallint NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Our own processes.

CREATE TABLE call_servers (
    server_id text PRIMARY KEY,
    backend_pid integer NOT NULL,
    backend_start timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20);

-- Call servers hold the routing of numbers in memory: any change to it, by whomever, tells them to read it again.

CREATE FUNCTION tell_routing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callplane_routing', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_routing_changed();
CREATE TRIGGER apps_changed AFTER INSERT OR UPDATE OR DELETE ON apps
    FOR EACH STATEMENT EXECUTE FUNCTION tell_routing_changed();
CREATE TRIGGER numbers_changed AFTER INSERT OR UPDATE OR DELETE ON numbers
    FOR EACH STATEMENT EXECUTE FUNCTION tell_routing_changed();
