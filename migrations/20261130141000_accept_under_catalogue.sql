-- A job is accepted under the state of the catalogue that it was made from: `catalogue` is that state, and `admission` is
-- `catalogue changed` when there is a newer one. So the state need not be read before each request. A null is any state.
DROP FUNCTION trigger.accept;
CREATE FUNCTION trigger.accept(
    new_job uuid, new_body text, new_accepted_at timestamptz, max_active bigint,
    new_event uuid, new_kind text, new_exchange text, new_routing_key text, new_traceparent text,
    new_token text, new_key text, new_hash bytea, new_response text, key_lifetime interval,
    new_requested_by text DEFAULT NULL, max_of_caller bigint DEFAULT NULL,
    catalogue bigint DEFAULT NULL,
    OUT admission text, OUT earlier text
)
LANGUAGE plpgsql
AS $$
DECLARE
    connections CONSTANT bigint := current_setting('max_connections');
    exclusive boolean := least(max_active, max_of_caller) <= connections;
BEGIN
    IF new_key IS NOT NULL THEN
        SELECT found.admission, found.earlier INTO admission, earlier
        FROM trigger.find_idempotency_key(new_token, new_key, new_hash, key_lifetime) AS found;
        IF admission IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF catalogue <> (SELECT coalesce(max(id), 0) FROM trigger.catalogue_versions) THEN
        admission := 'catalogue changed';
        RETURN;
    END IF;
    IF NOT exclusive THEN
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(7243001);
            -- The active jobs of a caller are no more than all of them.
            IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL) + connections
                > least(max_active, max_of_caller)
            THEN
                RAISE EXCEPTION USING ERRCODE = 'MD001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'MD001' THEN
            -- The block is rolled back, which releases the shared lock.
            exclusive := true;
        END;
    END IF;
    IF exclusive THEN
        PERFORM pg_advisory_xact_lock(7243001);
        IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL) >= max_active THEN
            admission := 'full';
            RETURN;
        END IF;
        IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL AND requested_by = new_requested_by)
            >= max_of_caller
        THEN
            admission := 'caller full';
            RETURN;
        END IF;
    END IF;
    INSERT INTO trigger.jobs (id, body, accepted_at, requested_by)
    VALUES (new_job, new_body, new_accepted_at, new_requested_by);
    INSERT INTO trigger.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body)
    VALUES (new_event, new_kind, new_exchange, new_routing_key, new_job, new_traceparent, new_body);
    IF new_key IS NOT NULL THEN
        INSERT INTO trigger.idempotency_keys (token, key, request_hash, job_id, response)
        VALUES (new_token, new_key, new_hash, new_job, new_response)
        ON CONFLICT (token, key) DO UPDATE
        SET request_hash = excluded.request_hash, job_id = excluded.job_id, response = excluded.response,
            created_at = now();
    END IF;
    admission := 'accepted';
END
$$;
REVOKE ALL ON FUNCTION trigger.accept FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trigger.accept TO modelday_trigger;
