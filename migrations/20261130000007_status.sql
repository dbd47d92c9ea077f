-- The event log: every event once, numbered without gaps for each job, in commit order.
-- `position` is the event's place among all events, in the order in which transactions commit, without gaps.
CREATE TABLE status.events (
    source text NOT NULL,
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    seq bigint NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text,
    body text NOT NULL,
    PRIMARY KEY (source, id),
    UNIQUE (job_id, seq)
);
CREATE UNIQUE INDEX events_position ON status.events (position);

-- The last position. A transaction that gives positions locks the row until it ends, so that no lower position becomes
-- visible after a higher one. The first event inserts the row, since a `DEV` deployment empties its tables.
CREATE TABLE status.feed (
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    last_position bigint NOT NULL
);

-- Notifies the streams of all processes when new events become visible.
CREATE FUNCTION status.announce_events() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('modelday_events', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER announce_events AFTER INSERT OR UPDATE ON status.feed
    FOR EACH STATEMENT EXECUTE FUNCTION status.announce_events();

-- The read model of jobs. `view` is the fold of the job's events, without its model-days; the counts are of the
-- model-days that have ended; `state` is the one to show. A projection locks the row first.
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

-- The read model of model-days. No foreign keys: rows are written under the job's lock, in the transaction of the event.
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
    -- Of completed days; the rest of the result is in the event.
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
    -- Of agents, also when the day failed: what it used, as `usage` of its event.
    usage jsonb,
    PRIMARY KEY (job_id, trading_date, model, trial),
    CHECK ((state = 'completed') = (revision IS NOT NULL))
);
CREATE INDEX model_days_winners
    ON status.model_days (experiment, model, trial, trading_date, revision DESC) WHERE state = 'completed';
CREATE INDEX model_days_running ON status.model_days (job_id) WHERE state = 'running';
CREATE INDEX model_days_usage_of_job ON status.model_days (job_id) WHERE usage IS NOT NULL;
CREATE INDEX model_days_usage_of_portfolio
    ON status.model_days (experiment, model, trial, trading_date) WHERE usage IS NOT NULL;

-- The winning days of a portfolio: of several results of a date the one with the highest revision, as in
-- `execution.winning_days`. A function that PostgreSQL expands in the calling statement: unlike a view, it looks up only
-- the given portfolio and dates in the index `model_days_winners`, also when they come from a join.
CREATE FUNCTION status.winning_days(
    of_experiment text, of_model text, of_trial integer, from_date date, to_date date
) RETURNS SETOF status.model_days
LANGUAGE sql STABLE
AS $$
    SELECT DISTINCT ON (trading_date) *
    FROM status.model_days
    WHERE state = 'completed' AND experiment = of_experiment AND model = of_model AND trial = of_trial
        AND trading_date BETWEEN from_date AND to_date
    ORDER BY trading_date, revision DESC
$$;
REVOKE ALL ON FUNCTION status.winning_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION status.winning_days TO modelday_status;

-- For each portfolio, the first of its winning days that is stale: the first one that did not continue from the winning
-- day before it. All later days stand on it and are stale too. A transaction that writes model-days locks the row and
-- brings it up to date; without it, each request about a month would read all the years before.
CREATE TABLE status.chains (
    experiment text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    trial integer NOT NULL,
    stale_from date,
    PRIMARY KEY (experiment, model, trial)
) WITH (fillfactor = 70);

-- Messages that no consumer could handle. Each one is resolved once: replayed, which sends it again to the queue whose
-- consumer gave it up, or discarded. A replay leaves through `status.outbox`.
CREATE TABLE status.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Hash of headers and body: a letter that is delivered again is the same letter.
    fingerprint bytea NOT NULL UNIQUE,
    queue text,
    reason text NOT NULL,
    exchange text,
    routing_key text NOT NULL,
    message_id text,
    kind text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    died_at timestamptz NOT NULL,
    replayed_at timestamptz,
    discarded_at timestamptz,
    CONSTRAINT dead_letters_resolved_once CHECK (replayed_at IS NULL OR discarded_at IS NULL)
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON status.events, status.feed, status.jobs, status.model_days, status.chains, status.dead_letters
    TO modelday_status;
