-- The event log: every event once, numbered without gaps per job in commit order.
CREATE TABLE status.events (
    source text NOT NULL,
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (source, id),
    UNIQUE (job_id, seq)
);

-- The read model. The view is the fold of the job's events; counts are of its terminal model-days.
CREATE TABLE status.jobs (
    id uuid PRIMARY KEY,
    experiment text NOT NULL,
    state text NOT NULL,
    view jsonb NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    completed integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0
);

CREATE TABLE status.model_days (
    job_id uuid NOT NULL REFERENCES status.jobs (id),
    experiment text NOT NULL,
    model text NOT NULL,
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
    PRIMARY KEY (job_id, model, trial, trading_date),
    CHECK ((state = 'completed') = (revision IS NOT NULL))
);
CREATE INDEX model_days_winners
    ON status.model_days (experiment, model, trial, trading_date, revision DESC) WHERE state = 'completed';
CREATE INDEX model_days_running ON status.model_days (job_id) WHERE state = 'running';

CREATE TABLE status.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    reason text NOT NULL,
    message_id text,
    kind text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    died_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON status.events, status.jobs, status.model_days, status.dead_letters TO modelday_status;
