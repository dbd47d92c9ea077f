-- One schema for each service. The roles that the rights are granted to belong to the whole server; set-up makes them,
-- because the owner of one database may not.
DO $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(role, ', ') INTO missing
    FROM UNNEST(ARRAY['modelday_trigger', 'modelday_downloader', 'modelday_executor', 'modelday_status']) AS role
    WHERE NOT coalesce(pg_has_role(current_user, to_regrole(role), 'MEMBER'), false);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the user % is not a member of the roles %; an administrator makes the roles and the accounts of the services with deploy/postgres/setup.sql, as docs/accounts.md says',
            current_user, missing;
    END IF;
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
