-- To read events of some types without those between them: `GET /events?type=`. The position is written as a sum, because
-- PostgreSQL, which expects all types to be equally frequent, would read events of a rare type by `events_position`, with
-- all events between them.
CREATE INDEX events_of_kind ON status.events (kind, (position + 0));

-- The number of a job's last event at or before a position; 0 without any. The numbers of a job ascend with the positions,
-- because both are given under locks that are held to the commit; so a few rows of the index of numbers are read, however
-- many events the job has.
CREATE FUNCTION status.seq_at(of_job uuid, at_position bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low bigint := 0;
    high bigint := coalesce((SELECT last_seq FROM status.jobs WHERE id = of_job), 0);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT position FROM status.events WHERE job_id = of_job AND seq = middle) <= at_position THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
REVOKE ALL ON FUNCTION status.seq_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION status.seq_at TO modelday_status;

-- When a message was written, and not when its transaction began: a long transaction made it seconds too early.
ALTER TABLE trigger.outbox ALTER COLUMN created_at SET DEFAULT clock_timestamp();
ALTER TABLE market.outbox ALTER COLUMN created_at SET DEFAULT clock_timestamp();
ALTER TABLE execution.outbox ALTER COLUMN created_at SET DEFAULT clock_timestamp();
ALTER TABLE status.outbox ALTER COLUMN created_at SET DEFAULT clock_timestamp();
