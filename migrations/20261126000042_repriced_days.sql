-- Splits and dividends that were imported. Of a symbol's date and kind, the row of the highest version counts; one
-- that says nothing (shares stay as they are, nothing is paid) takes an earlier one back.
CREATE TABLE market.corporate_actions (
    symbol text NOT NULL,
    -- The session before whose open it takes effect.
    trading_date date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('split', 'dividend')),
    version bigint NOT NULL CHECK (version > 0),
    -- Of a split: shares before and after.
    from_shares bigint CHECK (from_shares > 0),
    to_shares bigint CHECK (to_shares > 0),
    -- Of a dividend: dollars for each share.
    per_share numeric CHECK (per_share >= 0),
    PRIMARY KEY (symbol, trading_date, kind, version),
    CHECK ((kind = 'split') = (from_shares IS NOT NULL AND to_shares IS NOT NULL)),
    CHECK ((kind = 'dividend') = (per_share IS NOT NULL))
);
CREATE INDEX corporate_actions_by_version ON market.corporate_actions (version);
GRANT SELECT, INSERT, UPDATE, DELETE ON market.corporate_actions TO modelday_downloader;
GRANT SELECT ON market.price_version, market.replaced_bars, market.corporate_actions TO modelday_executor;

-- A job runs on prices as they were when it was planned.
ALTER TABLE execution.jobs ADD COLUMN price_version bigint NOT NULL DEFAULT 0;

-- Which prices the days of a model in a job look at, besides those of what is held.
CREATE TABLE execution.watches (
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    model text NOT NULL,
    symbols text[] NOT NULL,
    -- How many calendar days before a day.
    days_back integer NOT NULL CHECK (days_back >= 0),
    PRIMARY KEY (job_id, model)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.watches TO modelday_executor;

-- Winning days that ran on bars which were replaced since, or without a split or dividend of what they held. Of
-- days from before there were watches, every symbol is taken to be looked at. While nothing was changed, the first
-- condition spares all the others.
CREATE VIEW execution.repriced_days AS
SELECT d.portfolio_id, p.experiment, p.model, p.trial, d.trading_date, d.revision
FROM execution.model_days d
JOIN execution.jobs j ON j.id = d.job_id
JOIN execution.portfolios p ON p.id = d.portfolio_id
LEFT JOIN execution.watches w ON w.job_id = d.job_id AND w.model = p.model
WHERE (SELECT version > 0 FROM market.price_version)
    AND d.state = 'completed'
    AND j.price_version < (SELECT version FROM market.price_version)
    AND NOT EXISTS (
        SELECT FROM execution.model_days later
        WHERE later.portfolio_id = d.portfolio_id AND later.trading_date = d.trading_date
            AND later.revision > d.revision
    )
    AND (
        EXISTS (
            SELECT FROM market.replaced_bars c
            WHERE c.version > j.price_version AND c.trading_date <= d.trading_date
                AND (w.job_id IS NULL OR c.trading_date >= d.trading_date - w.days_back)
                AND (w.job_id IS NULL OR c.symbol = ANY(w.symbols) OR d.holdings ? c.symbol)
        )
        OR EXISTS (
            SELECT FROM execution.model_days base
            JOIN market.corporate_actions c
                ON c.version > j.price_version AND c.trading_date > base.trading_date
                    AND c.trading_date <= d.trading_date AND base.holdings ? c.symbol
            WHERE base.portfolio_id = d.portfolio_id AND base.trading_date = d.base_date
                AND base.revision = d.base_revision
        )
    );

CREATE OR REPLACE VIEW execution.winning_days AS
SELECT DISTINCT ON (p.experiment, p.model, p.trial, d.trading_date)
    p.experiment, p.model, p.trial, d.trading_date, d.revision, d.base_date, d.base_revision, d.config_hash,
    (d.portfolio_id, d.trading_date, d.revision)
        IN (SELECT r.portfolio_id, r.trading_date, r.revision FROM execution.repriced_days r) AS repriced
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'completed'
ORDER BY p.experiment, p.model, p.trial, d.trading_date, d.revision DESC;

GRANT SELECT ON execution.repriced_days TO modelday_executor, modelday_downloader, modelday_status;
