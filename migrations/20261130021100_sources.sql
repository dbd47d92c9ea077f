-- Where downloader gets prices from, in order of preference, as noted when it last started. `market.source` has the
-- first of them, or a row without a name when there is none.
CREATE TABLE market.sources (
    position integer PRIMARY KEY CHECK (position >= 0),
    name text NOT NULL,
    -- The `provider` of its rows in `market.call_quotas`, and the `source` of its rows in `market.refusals`.
    quota_key text NOT NULL,
    -- The windows of that quota.
    windows jsonb NOT NULL,
    -- The longest time, in seconds, that a call waits for its quota.
    max_wait_seconds bigint NOT NULL,
    -- How many past sessions the key gives access to; null without a limit.
    recent_sessions integer,
    -- What one call brings.
    shape text NOT NULL CHECK (shape IN ('by_symbol', 'by_date', 'either'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON market.sources TO modelday_downloader;

-- For the dry run of trigger: the sources with what has been used of their call quotas. No key is shown.
CREATE VIEW market.source_quotas AS
SELECT s.position, s.name, s.quota_key, s.windows, s.max_wait_seconds, s.recent_sessions, s.shape,
    coalesce(
        (SELECT jsonb_object_agg(q.window_name, q.state) FROM market.call_quotas q WHERE q.provider = s.quota_key),
        '{}'
    ) AS states
FROM market.sources s;

GRANT SELECT ON market.source_quotas TO modelday_trigger;
