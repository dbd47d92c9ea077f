-- What each portfolio holds after its last completed day, for downloader: a held symbol keeps being priced
-- when it has left the universe.
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

GRANT SELECT ON execution.held_symbols TO modelday_downloader;
