-- Daily bars, exactly as the provider or an import gave them. Only an import changes a stored bar.
CREATE TABLE market.bars (
    trading_date date NOT NULL,
    symbol text NOT NULL,
    open numeric NOT NULL CHECK (open > 0),
    high numeric NOT NULL,
    low numeric NOT NULL CHECK (low > 0),
    close numeric NOT NULL CHECK (close > 0),
    volume bigint NOT NULL CHECK (volume >= 0),
    source text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (trading_date, symbol),
    CHECK (high >= greatest(open, close, low) AND low <= least(open, close))
);
CREATE UNIQUE INDEX bars_by_symbol ON market.bars (symbol, trading_date);
GRANT SELECT ON market.bars TO modelday_executor, modelday_status;

-- Bars that an import replaced, as they were before it; `market.bars` has the new ones. A reader at price version N
-- takes, for each bar, the replaced one with the lowest version above N, if there is one.
CREATE TABLE market.replaced_bars (
    trading_date date NOT NULL,
    symbol text NOT NULL,
    -- The price version that replaced this bar.
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

-- How many times stored prices were changed. A change locks the row, so versions follow one another.
CREATE TABLE market.price_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO market.price_version (version) VALUES (0);

-- Splits and dividends that were imported. For one symbol, date and kind, the row with the highest version counts. A
-- row without an effect (one share for one, or nothing paid) takes an earlier row back.
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

GRANT SELECT ON market.price_version, market.replaced_bars, market.corporate_actions TO modelday_executor;

-- Ranges of dates that the provider's answers covered: a session inside a range, but without a bar, has no price.
CREATE TABLE market.answer_spans (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol text NOT NULL,
    from_date date NOT NULL,
    to_date date NOT NULL,
    requested_at timestamptz NOT NULL
);
CREATE INDEX answer_spans_by_symbol ON market.answer_spans (symbol, requested_at);

-- Call quotas: one row for each window of a provider key. The state is what has been used of the window.
CREATE TABLE market.call_quotas (
    provider text NOT NULL,
    window_name text NOT NULL,
    state jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, window_name)
);

-- Where downloader gets prices from, as noted when it last started. Without a name it has no key.
CREATE TABLE market.source (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name text,
    -- The `provider` of its rows in `market.call_quotas`.
    quota_key text,
    -- The windows of that quota.
    windows jsonb NOT NULL DEFAULT '[]',
    -- The longest time, in seconds, that a call waits for its quota.
    max_wait_seconds bigint NOT NULL DEFAULT 0,
    -- How many past sessions the key gives access to; null without a limit.
    recent_sessions integer,
    noted_at timestamptz NOT NULL DEFAULT now()
);

-- Jobs whose prices are being prepared. A worker holds a row by lease and epoch.
CREATE TABLE market.preparations (
    job_id uuid PRIMARY KEY,
    body text NOT NULL,
    traceparent text,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done')),
    epoch bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    not_before timestamptz,
    -- Symbols that lacked prices when the download began; null while nothing has to be fetched.
    symbols_total integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);
CREATE INDEX preparations_due ON market.preparations (created_at) WHERE state = 'due';

-- What was unexpected in the answers that a preparation received. Stored with the bars, so that the worker that ends
-- the preparation can report it even when another worker made the calls.
CREATE TABLE market.findings (
    job_id uuid NOT NULL REFERENCES market.preparations (job_id) ON DELETE CASCADE,
    symbol text NOT NULL,
    -- Sessions whose stored bar differs from the answer's; the stored one stays.
    revised date[] NOT NULL,
    -- Rows that are not bars, each with its problem.
    rejected text[] NOT NULL,
    PRIMARY KEY (job_id, symbol)
);

-- Symbols that are being downloaded: a symbol that several preparations need is fetched once.
CREATE TABLE market.downloads_in_flight (
    symbol text PRIMARY KEY,
    holder uuid NOT NULL,
    lease_until timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON market.bars, market.replaced_bars, market.price_version, market.corporate_actions, market.answer_spans,
        market.call_quotas, market.source, market.preparations, market.findings, market.downloads_in_flight
    TO modelday_downloader;

-- For the dry run of trigger: which prices are stored, and which are known not to exist.
CREATE VIEW market.stored_days AS
SELECT symbol, trading_date FROM market.bars;

CREATE VIEW market.answered_spans AS
SELECT symbol, from_date, to_date, requested_at FROM market.answer_spans;

-- For the dry run of trigger: the source with what has been used of its call quota. The key itself is not shown.
CREATE VIEW market.source_quota AS
SELECT s.name, s.windows, s.max_wait_seconds, s.recent_sessions,
    coalesce(
        (SELECT jsonb_object_agg(q.window_name, q.state) FROM market.call_quotas q WHERE q.provider = s.quota_key),
        '{}'
    ) AS states
FROM market.source s;

GRANT SELECT ON market.stored_days, market.answered_spans, market.source_quota TO modelday_trigger;
