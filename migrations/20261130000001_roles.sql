-- One schema and one role for each service. Roles belong to the whole server, so another database of the server may
-- have created them already.
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['trigger', 'downloader', 'executor', 'status'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'modelday_' || service);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        -- All services may share one DATABASE_URL: each one does SET ROLE to its own role.
        IF NOT pg_has_role(current_user, 'modelday_' || service, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', 'modelday_' || service);
        END IF;
    END LOOP;
END
$$;

CREATE SCHEMA trigger;
CREATE SCHEMA market;
CREATE SCHEMA execution;
CREATE SCHEMA status;

GRANT USAGE ON SCHEMA trigger TO modelday_trigger, modelday_downloader, modelday_executor, modelday_status;
GRANT USAGE ON SCHEMA market TO modelday_downloader, modelday_trigger, modelday_executor, modelday_status;
GRANT USAGE ON SCHEMA execution TO modelday_executor, modelday_trigger, modelday_downloader, modelday_status;
GRANT USAGE ON SCHEMA status TO modelday_status;
