-- Jobs as the executor plans them. The body is that of data.ready or data.failed.
CREATE TABLE execution.jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    body text NOT NULL,
    traceparent text,
    state text NOT NULL CHECK (state IN ('running', 'completed', 'partial', 'failed', 'cancelled')),
    open_lanes integer NOT NULL CHECK (open_lanes >= 0),
    -- Kept model-days that were made under another configuration, by model.
    config_changed jsonb NOT NULL DEFAULT '{}',
    planned_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL))
);

-- (experiment, model, trial): the holdings that carry over. The lane that holds it is its only writer.
CREATE TABLE execution.portfolios (
    id uuid PRIMARY KEY,
    experiment text NOT NULL,
    model text NOT NULL,
    trial integer NOT NULL CHECK (trial >= 0),
    holder uuid,
    UNIQUE (experiment, model, trial)
);

-- The ordered chain of one portfolio's days in one job.
CREATE TABLE execution.lanes (
    id uuid PRIMARY KEY,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    model text NOT NULL,
    trial integer NOT NULL,
    routing_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'ready', 'finished')),
    dates date[] NOT NULL,
    -- Dates of `dates` that are behind it.
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0 AND done <= cardinality(dates)),
    turn integer NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    not_before timestamptz,
    crashes integer NOT NULL DEFAULT 0,
    -- When the current turn's message was last written, and how often again.
    sent_at timestamptz,
    resends integer NOT NULL DEFAULT 0,
    UNIQUE (job_id, portfolio_id)
);
CREATE INDEX lanes_open ON execution.lanes (portfolio_id, ordinal) WHERE state <> 'finished';
CREATE INDEX lanes_of_job ON execution.lanes (job_id);
ALTER TABLE execution.portfolios
    ADD CONSTRAINT portfolios_holder FOREIGN KEY (holder) REFERENCES execution.lanes (id);

-- How the model-days of a job ended. A completed one carries its result; the highest revision of a
-- portfolio's date wins.
CREATE TABLE execution.model_days (
    job_id uuid NOT NULL,
    portfolio_id uuid NOT NULL,
    trading_date date NOT NULL,
    state text NOT NULL CHECK (state IN ('completed', 'failed', 'skipped')),
    attempt integer NOT NULL DEFAULT 0,
    detail text,
    revision integer,
    base_date date,
    base_revision integer,
    config_hash text,
    cash numeric CHECK (cash >= 0),
    holdings jsonb,
    value_at_open numeric,
    value_at_close numeric,
    ended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, portfolio_id, trading_date),
    UNIQUE (portfolio_id, trading_date, revision),
    CHECK ((state = 'completed') = (revision IS NOT NULL)),
    CHECK ((state = 'completed') = (cash IS NOT NULL AND holdings IS NOT NULL AND value_at_open IS NOT NULL)),
    CHECK (holdings IS NULL OR NOT jsonb_path_exists(holdings, '$.* ? (@ < 0)'))
);

CREATE TABLE execution.fills (
    portfolio_id uuid NOT NULL,
    trading_date date NOT NULL,
    revision integer NOT NULL,
    sequence integer NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    symbol text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    price numeric NOT NULL CHECK (price > 0),
    fee numeric NOT NULL CHECK (fee >= 0),
    cash_after numeric NOT NULL CHECK (cash_after >= 0),
    position_after bigint NOT NULL CHECK (position_after >= 0),
    PRIMARY KEY (portfolio_id, trading_date, revision, sequence)
);

-- What is done, for trigger (resume) and downloader (what still has to run).
CREATE VIEW execution.completed_days AS
SELECT p.experiment, p.model, p.trial, d.trading_date, max(d.revision) AS revision
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'completed'
GROUP BY p.experiment, p.model, p.trial, d.trading_date;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON execution.jobs, execution.portfolios, execution.lanes, execution.model_days, execution.fills
    TO modelday_executor;
GRANT SELECT ON execution.completed_days TO modelday_trigger, modelday_downloader;
