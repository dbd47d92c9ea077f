-- Jobs that their users cancelled: the row commits with the command that carries it out. Downloader looks here
-- before each call of the provider; executor when it plans a job and when it ends one.
CREATE TABLE trigger.cancellations (
    job_id uuid PRIMARY KEY REFERENCES trigger.jobs (id),
    requested_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.cancellations TO modelday_trigger;
GRANT USAGE ON SCHEMA trigger TO modelday_executor;
GRANT SELECT ON trigger.cancellations TO modelday_downloader, modelday_executor;

-- How jobs ended, for trigger, which does not cancel what has ended.
CREATE VIEW execution.ended_jobs AS
SELECT id AS job_id, state, ended_at FROM execution.jobs WHERE state <> 'running';
GRANT SELECT ON execution.ended_jobs TO modelday_trigger;
CREATE INDEX jobs_running ON execution.jobs (id) WHERE state = 'running';

-- Whether a job is cancelled, for whoever is about to end or to plan it. The lock is the one that trigger takes to
-- cancel: until this transaction is over nobody can, so that a cancellation is either seen here or finds the job
-- ended. A function, because what it reads has to be read with the lock in hand.
CREATE FUNCTION execution.is_cancelled(job uuid) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('end of a job'), hashtext(job::text));
    RETURN EXISTS (SELECT FROM trigger.cancellations WHERE job_id = job);
END
$$;
REVOKE ALL ON FUNCTION execution.is_cancelled FROM PUBLIC;
GRANT EXECUTE ON FUNCTION execution.is_cancelled TO modelday_executor;
