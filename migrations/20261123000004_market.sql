-- Daily bars, exactly as the provider gave them; insert-only.
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

-- What successful answers covered: a session inside a span without a bar is known to be absent.
CREATE TABLE market.answer_spans (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol text NOT NULL,
    from_date date NOT NULL,
    to_date date NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX answer_spans_by_symbol ON market.answer_spans (symbol, asked_at);

-- One row a budget window of a provider key; the state is the window's debits.
CREATE TABLE market.budgets (
    provider text NOT NULL,
    window_name text NOT NULL,
    state jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, window_name)
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

-- A symbol wanted by several preparations is fetched once.
CREATE TABLE market.downloads_in_flight (
    symbol text PRIMARY KEY,
    holder uuid NOT NULL,
    lease_until timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON market.bars, market.answer_spans, market.budgets, market.preparations, market.downloads_in_flight
    TO modelday_downloader;
GRANT SELECT ON market.bars TO modelday_executor, modelday_status;
