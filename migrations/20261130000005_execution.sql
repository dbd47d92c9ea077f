-- Jobs as the executor plans them. The body is the body of `data.ready` or `data.failed`.
CREATE TABLE execution.jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    body text NOT NULL,
    traceparent text,
    state text NOT NULL CHECK (state IN ('running', 'completed', 'partial', 'failed', 'cancelled')),
    open_lanes integer NOT NULL CHECK (open_lanes >= 0),
    -- A job runs on the prices of the version at which it was planned.
    price_version bigint NOT NULL DEFAULT 0,
    planned_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX jobs_running ON execution.jobs (id) WHERE state = 'running';

-- A portfolio is (experiment, model, trial): the holdings that carry over from day to day. Only the lane that holds it
-- writes it.
CREATE TABLE execution.portfolios (
    id uuid PRIMARY KEY,
    experiment text NOT NULL,
    model text NOT NULL,
    trial integer NOT NULL CHECK (trial >= 0),
    holder uuid,
    UNIQUE (experiment, model, trial)
);

-- PostgreSQL parses the CHECKs of a table again for every statement that writes it; a domain it looks at only when a
-- value of the domain is given (decision 0015). So the two tables that are written most, lanes and journal, have
-- domains. That `done` stays within `dates` is a condition of the statement that increments it.
CREATE DOMAIN execution.lane_state AS text CHECK (VALUE IN ('waiting', 'ready', 'finished'));
CREATE DOMAIN execution.call_limit AS integer CHECK (VALUE > 0);

-- A lane is the ordered chain of one portfolio's days in one job.
-- Its row changes with every day. PostgreSQL updates it in place (HOT) only if no indexed column changes and its page
-- has room; and `days` spares reading `dates`, which may be thousands, each time.
CREATE TABLE execution.lanes (
    id uuid PRIMARY KEY,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    model text NOT NULL,
    trial integer NOT NULL,
    routing_key text NOT NULL,
    state execution.lane_state NOT NULL,
    dates date[] NOT NULL,
    -- How many of `dates` have ended.
    done integer NOT NULL DEFAULT 0,
    turn integer NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    not_before timestamptz,
    -- How often a worker took the lane since a day last ended.
    crashes integer NOT NULL DEFAULT 0,
    -- When the message of the current turn was last written, and how often it was written again.
    sent_at timestamptz,
    resends integer NOT NULL DEFAULT 0,
    -- Of agents: the endpoint that its days call, and how many lanes may call that endpoint at the same time.
    endpoint text,
    endpoint_limit execution.call_limit,
    -- Whether it waits until another lane of its endpoint ends its turn.
    waits_for_endpoint boolean NOT NULL DEFAULT false,
    days integer NOT NULL GENERATED ALWAYS AS (cardinality(dates)) STORED,
    UNIQUE (job_id, portfolio_id)
) WITH (fillfactor = 50);
CREATE INDEX lanes_open ON execution.lanes (portfolio_id, ordinal) WHERE state <> 'finished';
CREATE INDEX lanes_of_job ON execution.lanes (job_id);
CREATE INDEX lanes_of_endpoint ON execution.lanes (endpoint) WHERE endpoint IS NOT NULL AND state = 'ready';
ALTER TABLE execution.portfolios
    ADD CONSTRAINT portfolios_holder FOREIGN KEY (holder) REFERENCES execution.lanes (id);

-- How the model-days of a job ended. A completed one carries its result.
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

-- Which prices the days of a model in a job read, besides the prices of what the portfolio holds.
CREATE TABLE execution.price_scopes (
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    model text NOT NULL,
    symbols text[] NOT NULL,
    -- How many calendar days back from the model-day.
    days_back integer NOT NULL CHECK (days_back >= 0),
    PRIMARY KEY (job_id, model)
);

-- Overnight moves of held symbols that look like splits that were not imported, for the job's warnings. A move is a
-- fact about prices, so it is stored once, whichever portfolios hold the symbol and however often a day begins.
CREATE TABLE execution.suspected_splits (
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    symbol text NOT NULL,
    trading_date date NOT NULL,
    -- New shares for old ones.
    ratio text NOT NULL,
    PRIMARY KEY (job_id, symbol, trading_date)
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON execution.jobs, execution.portfolios, execution.lanes, execution.model_days, execution.fills,
        execution.price_scopes, execution.suspected_splits
    TO modelday_executor;

-- Completed days, for trigger (where to resume) and downloader (what still has to run).
CREATE VIEW execution.completed_days AS
SELECT DISTINCT p.experiment, p.model, p.trial, d.trading_date
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'completed';
GRANT SELECT ON execution.completed_days TO modelday_trigger, modelday_downloader;

-- Which of several results of a portfolio's date wins: the one with the highest revision.
-- `status.winning_days` is the same rule for the read model.
--
-- A winning day is repriced when it ran on bars that were replaced since, or without a split or dividend of what the
-- portfolio held. Without a price scope it counts as having read every symbol. While no price was ever changed, the first
-- condition of `repriced` spares all the others.
--
-- DISTINCT ON names all columns that identify the portfolio, so that a condition on any of them is applied before the
-- results are compared.
CREATE VIEW execution.winning_days AS
SELECT w.experiment, w.model, w.trial, w.portfolio_id, w.trading_date, w.revision, w.base_date, w.base_revision,
    w.config_hash,
    (SELECT version > 0 FROM market.price_version) AND EXISTS (
        SELECT FROM execution.jobs j
        LEFT JOIN execution.price_scopes s ON s.job_id = j.id AND s.model = w.model
        WHERE j.id = w.job_id AND j.price_version < (SELECT version FROM market.price_version)
            AND (
                EXISTS (
                    SELECT FROM market.replaced_bars c
                    WHERE c.version > j.price_version AND c.trading_date <= w.trading_date
                        AND (s.job_id IS NULL OR c.trading_date >= w.trading_date - s.days_back)
                        AND (s.job_id IS NULL OR c.symbol = ANY(s.symbols) OR w.holdings ? c.symbol)
                )
                OR EXISTS (
                    SELECT FROM execution.model_days base
                    JOIN market.corporate_actions c
                        ON c.version > j.price_version AND c.trading_date > base.trading_date
                            AND c.trading_date <= w.trading_date AND base.holdings ? c.symbol
                    WHERE base.portfolio_id = w.portfolio_id AND base.trading_date = w.base_date
                        AND base.revision = w.base_revision
                )
            )
    ) AS repriced
FROM (
    SELECT DISTINCT ON (d.portfolio_id, d.trading_date, p.experiment, p.model, p.trial)
        p.experiment, p.model, p.trial, d.portfolio_id, d.trading_date, d.job_id, d.revision, d.base_date,
        d.base_revision, d.config_hash, d.holdings
    FROM execution.model_days d
    JOIN execution.portfolios p ON p.id = d.portfolio_id
    WHERE d.state = 'completed'
    ORDER BY d.portfolio_id, d.trading_date, p.experiment, p.model, p.trial, d.revision DESC
) w;
GRANT SELECT ON execution.winning_days TO modelday_executor, modelday_trigger;

-- For downloader, which counts them, and status, which shows them as stale.
CREATE VIEW execution.repriced_days AS
SELECT experiment, model, trial, trading_date
FROM execution.winning_days
WHERE repriced;
GRANT SELECT ON execution.repriced_days TO modelday_downloader, modelday_status;

-- What each portfolio holds after its last winning day: a held symbol is still priced after it left the universe. The
-- rule of `winning_days` is written again, because only one row of each portfolio has to be read.
CREATE VIEW execution.held_symbols AS
SELECT portfolio.experiment, portfolio.model, portfolio.trial, symbol
FROM execution.portfolios AS portfolio
CROSS JOIN LATERAL (
    SELECT holdings
    FROM execution.model_days
    WHERE portfolio_id = portfolio.id AND state = 'completed'
    ORDER BY trading_date DESC, revision DESC
    LIMIT 1
) AS latest
CROSS JOIN LATERAL jsonb_object_keys(latest.holdings) AS symbol;
GRANT SELECT ON execution.held_symbols TO modelday_downloader, modelday_trigger;

-- Which model-days failed, for trigger, which makes a new job of them. The reasons stay with executor.
CREATE VIEW execution.failed_days AS
SELECT d.job_id, p.model, p.trial, d.trading_date
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'failed';
GRANT SELECT ON execution.failed_days TO modelday_trigger;

-- How jobs ended, for trigger, which does not cancel a job that has ended.
CREATE VIEW execution.ended_jobs AS
SELECT id AS job_id, state, ended_at FROM execution.jobs WHERE state <> 'running';
GRANT SELECT ON execution.ended_jobs TO modelday_trigger;

-- Whether a job is cancelled, for a transaction that is about to plan or to end it. Trigger takes the same lock to
-- cancel a job: a cancellation is either seen here, or waits for this transaction and finds the job ended.
-- A function, because what it reads has to be read with the lock held.
CREATE FUNCTION execution.is_cancelled(job uuid) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('end of a job'), hashtext(job::text));
    RETURN EXISTS (SELECT FROM trigger.cancellations WHERE job_id = job);
END
$$;
REVOKE ALL ON FUNCTION execution.is_cancelled FROM PUBLIC;
GRANT EXECUTE ON FUNCTION execution.is_cancelled TO modelday_executor;
