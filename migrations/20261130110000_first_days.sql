-- When the first of a job's days began. How long that took is an objective of the service, so it is measured once for
-- each job, whichever process begins it.
ALTER TABLE execution.jobs ADD COLUMN began_at timestamptz;
UPDATE execution.jobs SET began_at = planned_at;
