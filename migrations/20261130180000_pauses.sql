-- What operators have paused. Without a row it is not paused.
CREATE TABLE trigger.pauses (
    kind text NOT NULL CHECK (kind IN ('model', 'source', 'queue')),
    -- Of a queue, the service that works it off: `executor` or `downloader`.
    name text NOT NULL,
    reason text,
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.pauses TO modelday_trigger;
GRANT SELECT ON trigger.pauses TO modelday_downloader, modelday_executor, modelday_status;

-- Whether a lane waits for its model to be resumed. Its turn is put off meanwhile.
ALTER TABLE execution.lanes ADD COLUMN is_paused boolean NOT NULL DEFAULT false;
CREATE INDEX lanes_paused ON execution.lanes (model) WHERE is_paused AND state = 'ready';

-- For trigger, which counts what a pause holds up, and for status, which says so.
CREATE VIEW execution.open_lanes AS
SELECT job_id, model, coalesce(lease_until > now(), false) AS is_in_hand
FROM execution.lanes
WHERE state <> 'finished';
GRANT SELECT ON execution.open_lanes TO modelday_trigger, modelday_status;

-- The source without which a preparation cannot go on. It is claimed again when that is not paused any more.
ALTER TABLE market.preparations ADD COLUMN waits_for_source text;
CREATE VIEW market.open_preparations AS
SELECT job_id, waits_for_source, coalesce(lease_until > now(), false) AS is_in_hand
FROM market.preparations
WHERE state = 'due';
GRANT SELECT ON market.open_preparations TO modelday_trigger, modelday_status;

-- Which source a download in flight is from.
ALTER TABLE market.downloads_in_flight ADD COLUMN source text;
CREATE VIEW market.calls_in_flight AS
SELECT source
FROM market.downloads_in_flight
WHERE lease_until > now();
GRANT SELECT ON market.calls_in_flight TO modelday_trigger;
