-- More kinds of corporate action than splits and dividends. Of a spin-off and a merger for shares, `from_shares` and
-- `to_shares` are shares of the company and shares of `new_symbol`; of mergers and delistings, `per_share` is what is
-- paid for each share. A delisting without `per_share` is paid out at the last close.
ALTER TABLE market.corporate_actions
    DROP CONSTRAINT corporate_actions_kind_check,
    DROP CONSTRAINT corporate_actions_check,
    DROP CONSTRAINT corporate_actions_check1,
    -- The symbol whose shares holders receive.
    ADD COLUMN new_symbol text,
    -- Whether the row takes an earlier one back. Splits and dividends say it by one share for one, or nothing paid.
    ADD COLUMN is_cancelled boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT corporate_actions_kind CHECK (
        kind IN ('split', 'dividend', 'spin_off', 'rename', 'delisting', 'cash_merger', 'stock_merger')
    ),
    ADD CONSTRAINT corporate_actions_terms CHECK (
        is_cancelled
        OR (
            (kind IN ('split', 'spin_off', 'stock_merger')) = (from_shares IS NOT NULL AND to_shares IS NOT NULL)
            AND (kind IN ('spin_off', 'rename', 'stock_merger')) = (new_symbol IS NOT NULL)
            AND (per_share IS NOT NULL OR kind NOT IN ('dividend', 'cash_merger'))
            AND (per_share IS NULL OR kind IN ('dividend', 'cash_merger', 'stock_merger', 'delisting'))
        )
    );

-- What is received for a held symbol is looked for among all actions that name it.
CREATE INDEX corporate_actions_by_new_symbol ON market.corporate_actions (new_symbol) WHERE new_symbol IS NOT NULL;

ALTER TABLE market.imports
    DROP CONSTRAINT imports_kind_check,
    ADD CONSTRAINT imports_kind CHECK (
        kind IN ('bars', 'splits', 'dividends', 'spin_offs', 'renames', 'mergers', 'delistings')
    );

-- For benchmarks, which are holders too.
GRANT SELECT ON market.corporate_actions TO modelday_status;

-- What the days of a job are shown of the market. A job that was planned before goes on as it began: its prices are as
-- traded, and its bundle replays so.
ALTER TABLE execution.jobs ADD COLUMN market_rules text NOT NULL DEFAULT 'as_traded'
    CHECK (market_rules IN ('as_traded', 'restated'));

-- Which corporate actions the days of a model see beside those of what they hold, over the dates of the scope: a
-- momentum portfolio sees splits in the prices that it compares, an agent is told of all.
ALTER TABLE execution.price_scopes ADD COLUMN actions_seen text NOT NULL DEFAULT 'none'
    CHECK (actions_seen IN ('none', 'splits', 'all'));

CREATE OR REPLACE VIEW execution.winning_days AS
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
                OR EXISTS (
                    SELECT FROM market.corporate_actions c
                    WHERE (s.actions_seen = 'all' OR s.actions_seen = 'splits' AND c.kind = 'split')
                        AND c.version > j.price_version AND c.trading_date <= w.trading_date
                        AND c.trading_date >= w.trading_date - s.days_back
                        AND c.symbol = ANY(s.symbols)
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
