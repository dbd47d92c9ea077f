-- Days of language-model and own agents: what was asked, what was answered, what it cost.

-- The calls of a lane count against its endpoint while somebody works on the lane.
ALTER TABLE execution.lanes
    ADD COLUMN endpoint text,
    ADD COLUMN endpoint_limit integer CHECK (endpoint_limit > 0),
    -- Whether it waits for another lane of its endpoint to end its turn.
    ADD COLUMN waits_for_endpoint boolean NOT NULL DEFAULT false;
CREATE INDEX lanes_of_endpoint ON execution.lanes (endpoint, lease_until) WHERE endpoint IS NOT NULL AND state = 'ready';

-- An attempt at one agent's day. It is resumed from its journal until it has ended.
CREATE TABLE execution.attempts (
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    trading_date date NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    attempt integer NOT NULL CHECK (attempt > 0),
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    -- How it ended; null while it is open.
    ended text,
    -- Time worked on it, waits left out.
    active_ms bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (portfolio_id, trading_date, revision, attempt)
);
CREATE UNIQUE INDEX attempts_open ON execution.attempts (portfolio_id, trading_date) WHERE ended IS NULL;
CREATE INDEX attempts_of_job ON execution.attempts (job_id, trading_date);

-- What an attempt asked and heard. Index 0 of a step is the model's answer, the others are tools.
CREATE TABLE execution.journal (
    portfolio_id uuid NOT NULL,
    trading_date date NOT NULL,
    revision integer NOT NULL,
    attempt integer NOT NULL,
    step integer NOT NULL CHECK (step >= 0),
    index integer NOT NULL CHECK (index >= 0),
    kind text NOT NULL CHECK (kind IN ('call', 'search', 'tool', 'stop')),
    -- SHA-256 of what is asked.
    hash text,
    -- Times it was sent, and times it came back refused without a bill.
    sent integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    last_refusal text,
    -- Dollars held back from the job's budget until the answer is there.
    reserved numeric NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    answer text,
    cost numeric CHECK (cost >= 0),
    written_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    PRIMARY KEY (portfolio_id, trading_date, revision, attempt, step, index),
    FOREIGN KEY (portfolio_id, trading_date, revision, attempt)
        REFERENCES execution.attempts (portfolio_id, trading_date, revision, attempt)
);

-- What a job may spend on calls, in dollars; a job without a row may spend without limit.
CREATE TABLE execution.budgets (
    job_id uuid PRIMARY KEY REFERENCES execution.jobs (id),
    allowed numeric NOT NULL CHECK (allowed >= 0),
    reserved numeric NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent numeric NOT NULL DEFAULT 0 CHECK (spent >= 0)
);

-- Tokens sent to an endpoint in a minute, over all executors.
CREATE TABLE execution.endpoint_minutes (
    endpoint text NOT NULL,
    minute timestamptz NOT NULL,
    tokens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint, minute)
);

-- The whole conversation of a day that has ended, for people.
CREATE TABLE execution.transcripts (
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    trading_date date NOT NULL,
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    revision integer NOT NULL,
    attempt integer NOT NULL,
    reason text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (job_id, portfolio_id, trading_date)
);

-- For status, which shows the reasoning of winning days.
CREATE VIEW execution.conversations AS
SELECT p.experiment, p.model, p.trial, t.trading_date, t.revision, t.job_id, t.reason, t.body
FROM execution.transcripts t
JOIN execution.portfolios p ON p.id = t.portfolio_id;
GRANT SELECT ON execution.conversations TO modelday_status;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON execution.attempts, execution.journal, execution.budgets, execution.endpoint_minutes, execution.transcripts
    TO modelday_executor;
