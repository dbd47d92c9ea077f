-- Overnight moves of held symbols that look like splits nobody told of, for the job's warnings. The move is a fact
-- about prices, so it is noted once, whichever portfolios hold the symbol and however often a day is begun.
CREATE TABLE execution.suspected_splits (
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    symbol text NOT NULL,
    trading_date date NOT NULL,
    -- New shares for old ones.
    ratio text NOT NULL,
    PRIMARY KEY (job_id, symbol, trading_date)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.suspected_splits TO modelday_executor;
