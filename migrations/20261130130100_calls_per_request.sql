-- How many calls of its quota a source takes for the prices of a symbol: more than one where corporate actions are calls of
-- their own.
ALTER TABLE market.sources ADD COLUMN calls_per_request integer NOT NULL DEFAULT 1 CHECK (calls_per_request > 0);

CREATE OR REPLACE VIEW market.source_quotas AS
SELECT s.position, s.name, s.quota_key, s.windows, s.max_wait_seconds, s.recent_sessions, s.shape,
    coalesce(
        (SELECT jsonb_object_agg(q.window_name, q.state) FROM market.call_quotas q WHERE q.provider = s.quota_key),
        '{}'
    ) AS states,
    s.calls_per_request
FROM market.sources s;
