-- Accepted jobs. The body is the body of `job.requested`. A job is active until its end is known.
CREATE TABLE trigger.jobs (
    id uuid PRIMARY KEY,
    body text NOT NULL,
    accepted_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX jobs_active ON trigger.jobs (id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.jobs TO modelday_trigger;
GRANT SELECT ON trigger.jobs TO modelday_status, modelday_downloader;

-- Idempotency keys of clients, with the response that a repeated request gets again.
CREATE TABLE trigger.idempotency_keys (
    token text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL REFERENCES trigger.jobs (id),
    response text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotency_keys_created_at ON trigger.idempotency_keys (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.idempotency_keys TO modelday_trigger;

-- Jobs that their users cancelled. The row commits together with the command that carries the cancellation out.
-- Downloader reads it before each call of the provider; executor reads it when it plans a job and when it ends one.
CREATE TABLE trigger.cancellations (
    job_id uuid PRIMARY KEY REFERENCES trigger.jobs (id),
    requested_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.cancellations TO modelday_trigger;
GRANT SELECT ON trigger.cancellations TO modelday_downloader, modelday_executor;

-- Whether a request is the same as an earlier one. A key of the same token, of the last `lifetime`, decides: `admission`
-- is `replayed`, with the earlier response, when the request has the same hash; `key reused`, when it has another one; or
-- null, when the key is new. Takes a lock, so that of two requests with the same key the second one sees the first.
CREATE FUNCTION trigger.find_idempotency_key(
    of_token text, of_key text, of_hash bytea, lifetime interval,
    OUT admission text, OUT earlier text
)
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('trigger.idempotency_keys'), hashtext(of_token || ' ' || of_key));
    SELECT CASE WHEN request_hash = of_hash THEN 'replayed' ELSE 'key reused' END, response INTO admission, earlier
    FROM trigger.idempotency_keys
    WHERE token = of_token AND key = of_key AND created_at > now() - lifetime;
END
$$;

-- Accepts a job in one round trip: looks for the idempotency key, counts the active jobs, and stores the job with its
-- message and its key. `admission` is `accepted`, `full`, or what `find_idempotency_key` says.
--
-- A function instead of one statement: what it reads has to be read with the locks held, and in a function each
-- statement has a snapshot of its own.
--
-- While the number of active jobs is below the limit by more than the server has connections, acceptances run side by
-- side under a shared lock: an acceptance that a count does not see yet holds a connection, so all of them together
-- cannot reach the limit. Nearer to the limit they run one at a time, so that each count sees all earlier ones.
CREATE FUNCTION trigger.accept(
    new_job uuid, new_body text, new_accepted_at timestamptz, max_active bigint,
    new_event uuid, new_kind text, new_exchange text, new_routing_key text, new_traceparent text,
    new_token text, new_key text, new_hash bytea, new_response text, key_lifetime interval,
    OUT admission text, OUT earlier text
)
LANGUAGE plpgsql
AS $$
DECLARE
    connections CONSTANT bigint := current_setting('max_connections');
    exclusive boolean := max_active <= connections;
BEGIN
    IF new_key IS NOT NULL THEN
        SELECT found.admission, found.earlier INTO admission, earlier
        FROM trigger.find_idempotency_key(new_token, new_key, new_hash, key_lifetime) AS found;
        IF admission IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF NOT exclusive THEN
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(7243001);
            IF (SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL) + connections > max_active THEN
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
    END IF;
    INSERT INTO trigger.jobs (id, body, accepted_at)
    VALUES (new_job, new_body, new_accepted_at);
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

REVOKE ALL ON FUNCTION trigger.find_idempotency_key, trigger.accept FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trigger.find_idempotency_key, trigger.accept TO modelday_trigger;
