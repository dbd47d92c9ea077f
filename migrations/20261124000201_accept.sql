-- Accepting a job in one round trip: look for the key, count, store the job with its message and its key. A
-- function and not one statement, because what it reads has to be read with the locks in hand, and in a
-- function each statement has a snapshot of its own.
--
-- Below the limit by more than the server has connections, acceptances go side by side, under a shared lock:
-- those that a count does not see yet hold a connection each, so they cannot fill the gap. Nearer to it they
-- go one at a time, so that each count sees every earlier acceptance.
CREATE FUNCTION trigger.accept(
    new_job uuid, new_body text, new_accepted_at timestamptz, most bigint,
    new_event uuid, new_kind text, new_exchange text, new_routing_key text, new_traceparent text,
    new_token text, new_key text, new_hash bytea, new_answer text,
    OUT admission text, OUT earlier text
)
LANGUAGE plpgsql
AS $$
DECLARE
    gap CONSTANT bigint := current_setting('max_connections');
    alone boolean := most <= gap;
    used trigger.idempotency_keys;
BEGIN
    IF new_key IS NOT NULL THEN
        -- Of two requests with the same key the second has to see the first.
        PERFORM pg_advisory_xact_lock(hashtext('trigger.idempotency_keys'), hashtext(new_token || ' ' || new_key));
        SELECT * INTO used
        FROM trigger.idempotency_keys
        WHERE token = new_token AND key = new_key AND created_at > now() - interval '24 hours';
        IF FOUND THEN
            admission := CASE WHEN used.request_hash = new_hash THEN 'replayed' ELSE 'key reused' END;
            earlier := used.answer;
            RETURN;
        END IF;
    END IF;
    IF NOT alone THEN
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(7243001);
            IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL) + gap > most THEN
                RAISE EXCEPTION USING ERRCODE = 'MD001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'MD001' THEN
            -- Rolled back to the beginning of the block, so that the shared lock is gone.
            alone := true;
        END;
    END IF;
    IF alone THEN
        PERFORM pg_advisory_xact_lock(7243001);
        IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL) >= most THEN
            admission := 'full';
            RETURN;
        END IF;
    END IF;
    INSERT INTO trigger.jobs (id, body, accepted_at)
    VALUES (new_job, new_body, new_accepted_at);
    INSERT INTO trigger.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
    VALUES (new_event, new_kind, new_exchange, new_routing_key, new_job, new_traceparent, new_body);
    IF new_key IS NOT NULL THEN
        INSERT INTO trigger.idempotency_keys (token, key, request_hash, job_id, answer)
        VALUES (new_token, new_key, new_hash, new_job, new_answer)
        ON CONFLICT (token, key) DO UPDATE
        SET request_hash = excluded.request_hash, job_id = excluded.job_id, answer = excluded.answer,
            created_at = now();
    END IF;
    admission := 'accepted';
END
$$;

REVOKE ALL ON FUNCTION trigger.accept FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trigger.accept TO modelday_trigger;
