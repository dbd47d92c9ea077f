-- The event log: every event once, numbered without gaps per job in commit order.
CREATE TABLE status.events (
    source text NOT NULL,
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text,
    body text NOT NULL,
    PRIMARY KEY (source, id),
    UNIQUE (job_id, seq)
);

-- The read model. The view is the fold of the job's events, its model-days excepted; the counts are of the
-- model-days that have ended; the state is the one to show. Whoever projects locks the row first.
CREATE TABLE status.jobs (
    id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'downloading_data', 'running', 'completed',
        'partial', 'failed', 'cancelled')),
    view jsonb NOT NULL DEFAULT '{}',
    last_seq bigint NOT NULL DEFAULT 0,
    completed integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- No foreign keys: rows are written under the job's lock, with the event in the same transaction.
CREATE TABLE status.model_days (
    job_id uuid NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    trial integer NOT NULL,
    trading_date date NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'skipped')),
    detail text,
    attempt integer NOT NULL DEFAULT 0,
    started_at timestamptz,
    ended_at timestamptz,
    -- Of completed days; the event has the rest.
    event_source text,
    event_id uuid,
    revision integer,
    base_date date,
    base_revision integer,
    starting_value numeric,
    value_at_open numeric,
    value_at_close numeric,
    trades integer,
    traded numeric,
    PRIMARY KEY (job_id, trading_date, model, trial),
    CHECK ((state = 'completed') = (revision IS NOT NULL))
);
CREATE INDEX model_days_winners
    ON status.model_days (experiment, model, trial, trading_date, revision DESC) WHERE state = 'completed';
CREATE INDEX model_days_running ON status.model_days (job_id) WHERE state = 'running';

CREATE TABLE status.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of headers and body: a letter that is delivered again is the same letter.
    fingerprint bytea NOT NULL UNIQUE,
    queue text,
    reason text NOT NULL,
    exchange text,
    routing_key text NOT NULL,
    message_id text,
    kind text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    died_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON status.events, status.jobs, status.model_days, status.dead_letters TO modelday_status;
