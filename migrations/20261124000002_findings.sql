-- What was odd in the answers that a job's preparation brought, stored with the bars: whoever ends the
-- preparation tells it, also when that is not the worker that made the calls.
CREATE TABLE market.findings (
    job_id uuid NOT NULL REFERENCES market.preparations (job_id) ON DELETE CASCADE,
    symbol text NOT NULL,
    -- Sessions whose stored bar differs from the answer's; the stored one stays.
    revised date[] NOT NULL,
    -- Rows that are not bars, with what is wrong with each.
    rejected text[] NOT NULL,
    PRIMARY KEY (job_id, symbol)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON market.findings TO modelday_downloader;
