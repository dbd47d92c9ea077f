-- What `POST /simulate/plan` reads of other services, so that it can say what a job would do.

-- Winning days with what they stand on, so that a plan knows which are kept and which are run again.
CREATE VIEW execution.winning_days AS
SELECT DISTINCT ON (p.experiment, p.model, p.trial, d.trading_date)
    p.experiment, p.model, p.trial, d.trading_date, d.revision, d.base_date, d.base_revision, d.config_hash
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'completed'
ORDER BY p.experiment, p.model, p.trial, d.trading_date, d.revision DESC;

-- A column of its own, so that reading it does not read the conversation.
ALTER TABLE execution.transcripts ADD COLUMN usage jsonb GENERATED ALWAYS AS (body -> 'usage') STORED;

-- What completed days of agents used.
CREATE VIEW execution.agent_days AS
SELECT p.experiment, p.model, p.trial, d.trading_date, d.config_hash, t.usage
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
JOIN execution.transcripts t
    ON t.job_id = d.job_id AND t.portfolio_id = d.portfolio_id AND t.trading_date = d.trading_date
WHERE d.state = 'completed';

-- Which prices are there, and which are known not to exist.
CREATE VIEW market.stored_days AS
SELECT symbol, trading_date FROM market.bars;
CREATE VIEW market.answered_spans AS
SELECT symbol, from_date, to_date, asked_at FROM market.answer_spans;

-- Where downloader gets prices from, as it last started; without a name it has no key.
CREATE TABLE market.source (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name text,
    -- The provider of its rows in market.budgets.
    budget_key text,
    -- The windows of that budget.
    windows jsonb NOT NULL DEFAULT '[]',
    -- Seconds that a call waits for its budget at most.
    max_wait_seconds bigint NOT NULL DEFAULT 0,
    -- How many sessions the key's plan reaches back; null without a limit.
    recent_sessions integer,
    noted_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON market.source TO modelday_downloader;

-- The source with what has been used of its budget. Which key it is stays with downloader.
CREATE VIEW market.source_budget AS
SELECT s.name, s.windows, s.max_wait_seconds, s.recent_sessions,
    coalesce(
        (SELECT jsonb_object_agg(b.window_name, b.state) FROM market.budgets b WHERE b.provider = s.budget_key),
        '{}'
    ) AS states
FROM market.source s;

GRANT USAGE ON SCHEMA market TO modelday_trigger;
GRANT SELECT ON execution.winning_days, execution.agent_days, execution.held_symbols,
    market.stored_days, market.answered_spans, market.source_budget
    TO modelday_trigger;
