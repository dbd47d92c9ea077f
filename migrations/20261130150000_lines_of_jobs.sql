-- Of a large job only some lanes stand in the line of their queue at a time. The others are parked: they hold their
-- portfolio, and their turn waits here until it is fed to the queue (decision 0027).
ALTER DOMAIN execution.lane_state DROP CONSTRAINT lane_state_check;
-- What is stored satisfied the narrower rule, so that no table has to be read.
ALTER DOMAIN execution.lane_state
    ADD CONSTRAINT lane_state_check CHECK (VALUE IN ('waiting', 'parked', 'ready', 'finished')) NOT VALID;

ALTER TABLE execution.jobs
    ADD COLUMN priority smallint NOT NULL DEFAULT 1,
    ADD COLUMN is_paced boolean NOT NULL DEFAULT false,
    ADD COLUMN planned_portfolios integer;
COMMENT ON COLUMN execution.jobs.priority IS 'Whose parked lanes go first: 2 high, 1 normal, 0 low';
COMMENT ON COLUMN execution.jobs.is_paced IS
    'Whether the job has more lanes than may stand in line, so that they are parked until they are fed';
COMMENT ON COLUMN execution.jobs.planned_portfolios IS
    'How many portfolios are planned so far, in the order of the request; null once all are';

-- The feeder counts the turns in line by job, and takes parked lanes in the order in which they were planned. The
-- conditions are on `state`, which other indexes have too: no update is dearer by them while the state stays.
CREATE INDEX lanes_ready ON execution.lanes (routing_key, job_id) WHERE state = 'ready';
CREATE INDEX lanes_parked ON execution.lanes (routing_key, job_id, ordinal) WHERE state = 'parked';
