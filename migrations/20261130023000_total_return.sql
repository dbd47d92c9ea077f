-- Symbols whose bars are adjusted for dividends, as some vendors' files are. All bars of a symbol are, or none: no trade
-- happened at such a price, and together with prices of the time they would show moves that never were.
CREATE TABLE market.total_return_symbols (
    symbol text PRIMARY KEY
);
GRANT SELECT ON market.total_return_symbols TO modelday_executor;
GRANT SELECT, INSERT, UPDATE, DELETE ON market.total_return_symbols TO modelday_downloader;
