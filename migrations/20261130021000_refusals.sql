-- Symbols that a source of prices has refused: it does not know them, or gives none on the key's plan.
CREATE TABLE market.refusals (
    -- The source and its key, as in `market.call_quotas.provider`.
    source text NOT NULL,
    symbol text NOT NULL,
    -- For people.
    reason text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, source)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON market.refusals TO modelday_downloader;

-- For the dry run of trigger: the symbols that the sources in use have refused.
CREATE VIEW market.refused_symbols AS
SELECT symbol, source, reason, refused_at FROM market.refusals;

GRANT SELECT ON market.refused_symbols TO modelday_trigger;

-- The same, with the name under which the source's refusals are stored.
CREATE OR REPLACE VIEW market.source_quota AS
SELECT s.name, s.windows, s.max_wait_seconds, s.recent_sessions,
    coalesce(
        (SELECT jsonb_object_agg(q.window_name, q.state) FROM market.call_quotas q WHERE q.provider = s.quota_key),
        '{}'
    ) AS states,
    s.quota_key
FROM market.source s;
