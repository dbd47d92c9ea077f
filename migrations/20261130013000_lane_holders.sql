-- The process that holds a lane. It holds an advisory lock of this number on a connection of its own, so that the end of
-- the process ends its hold at once, and not only when the lease runs out. Null: only the lease counts.
ALTER TABLE execution.lanes ADD COLUMN holder bigint;

-- Whether the process of that number is gone. A null is no process, and not gone.
CREATE FUNCTION execution.is_gone(holder bigint) RETURNS boolean
LANGUAGE sql
RETURN coalesce(pg_try_advisory_xact_lock_shared(holder), false);
REVOKE ALL ON FUNCTION execution.is_gone FROM PUBLIC;
GRANT EXECUTE ON FUNCTION execution.is_gone TO modelday_executor;

-- Lanes that wait for an instant are few, and looked for each second.
CREATE INDEX lanes_put_off ON execution.lanes (not_before) WHERE not_before IS NOT NULL AND state = 'ready';
