-- Bars that an import replaced, as they were before it; market.bars has what they are. A reader that holds to
-- version N sees, for each bar, the replaced one of the lowest version above N, if there is any.
CREATE TABLE market.replaced_bars (
    trading_date date NOT NULL,
    symbol text NOT NULL,
    -- From this version on it is another one.
    version bigint NOT NULL CHECK (version > 0),
    open numeric NOT NULL,
    high numeric NOT NULL,
    low numeric NOT NULL,
    close numeric NOT NULL,
    volume bigint NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (symbol, trading_date, version)
);
CREATE INDEX replaced_bars_by_version ON market.replaced_bars (version);

-- How often stored prices were changed. Its row is locked by who changes them, so versions follow one another.
CREATE TABLE market.price_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO market.price_version (version) VALUES (0);

GRANT SELECT, INSERT, UPDATE, DELETE ON market.replaced_bars, market.price_version TO modelday_downloader;
