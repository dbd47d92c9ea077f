-- Held symbols that had no price for many sessions, for the job's warnings. It is a fact about prices, so it is stored
-- once, whichever portfolios hold the symbol.
CREATE TABLE execution.unpriced_holdings (
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    symbol text NOT NULL,
    -- The session of the last known price.
    price_date date NOT NULL,
    PRIMARY KEY (job_id, symbol)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.unpriced_holdings TO modelday_executor;
