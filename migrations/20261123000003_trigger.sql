-- Accepted jobs. The body is that of job.requested; the job is active until its end is known.
CREATE TABLE trigger.jobs (
    id uuid PRIMARY KEY,
    body text NOT NULL,
    accepted_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX jobs_active ON trigger.jobs (id) WHERE ended_at IS NULL;

CREATE TABLE trigger.idempotency_keys (
    token text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL REFERENCES trigger.jobs (id),
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotency_keys_created_at ON trigger.idempotency_keys (created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.jobs, trigger.idempotency_keys TO modelday_trigger;
GRANT SELECT ON trigger.jobs TO modelday_status, modelday_downloader;
