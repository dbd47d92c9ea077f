-- The accounts of one installation of Modelday on a PostgreSQL server. An administrator runs this file in the
-- installation's database, before the first migration, and again whenever a password changes. docs/accounts.md shows how.
--
-- Settings of the session that runs it, all optional:
--   modelday.installation          the name that the accounts begin with; without it the name of the database
--   modelday.owner_password, modelday.trigger_password, modelday.downloader_password, modelday.executor_password,
--   modelday.status_password       an account without one keeps its password; a new account cannot log in with any
--
-- Afterwards, for the installation `modelday`, there are
--   modelday_owner                 owns and migrates the database; no superuser, and may not make roles
--   modelday_trigger_login, modelday_downloader_login, modelday_executor_login, modelday_status_login
--                                  the services; each is a member of its group alone
-- and the groups that migrations grant rights to: modelday_trigger, modelday_downloader, modelday_executor and
-- modelday_status. Groups belong to the whole server, and cannot log in. No other account may connect to the database.
DO $setup$
DECLARE
    installation CONSTANT text := coalesce(nullif(current_setting('modelday.installation', true), ''), current_database());
    owner CONSTANT text := installation || '_owner';
    services CONSTANT text[] := ARRAY['trigger', 'downloader', 'executor', 'status'];
    schemas CONSTANT text[] := ARRAY['trigger', 'market', 'execution', 'status', 'signing'];
    service text;
    account text;
    password text;
    statement text;
BEGIN
    -- It says of each membership that is there already that it is there.
    SET LOCAL client_min_messages = warning;
    -- Postgres would cut a longer name off, and two installations might share an account.
    IF octet_length(installation || '_downloader_login') > 63 THEN
        RAISE EXCEPTION 'the name of the installation, %, is longer than 46 bytes', installation;
    END IF;

    FOREACH service IN ARRAY services LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'modelday_' || service);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another installation of this server has made it.
        END;
    END LOOP;

    FOREACH service IN ARRAY ARRAY['owner'] || services LOOP
        account := CASE service WHEN 'owner' THEN owner ELSE format('%s_%s_login', installation, service) END;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = account) THEN
            EXECUTE format('CREATE ROLE %I', account);
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN NOCREATEDB NOCREATEROLE', account);
        password := current_setting(format('modelday.%s_password', service), true);
        IF password <> '' THEN
            EXECUTE format('ALTER ROLE %I PASSWORD %L', account, password);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), account);
        IF service <> 'owner' THEN
            EXECUTE format('GRANT %I TO %I', 'modelday_' || service, account);
            -- So that one DATABASE_URL, that of the owner, is enough where all services trust each other.
            EXECUTE format('GRANT %I TO %I', 'modelday_' || service, owner);
        END IF;
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %I', owner);
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    -- Who is no superuser may give a database only to a role of which he is a member.
    IF current_setting('is_superuser') = 'off' THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', owner);
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), owner);

    -- What another account has migrated or restored becomes the owner's.
    FOR statement IN
        SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, owner)
        FROM pg_namespace
        WHERE nspname = ANY (schemas) AND nspowner <> owner::regrole
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', oid::regclass, owner)
        FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm') AND relowner <> owner::regrole
            AND (relnamespace::regnamespace::text = ANY (schemas) OR oid = to_regclass('public._sqlx_migrations'))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, owner)
        FROM pg_proc
        WHERE pronamespace::regnamespace::text = ANY (schemas) AND proowner <> owner::regrole
        UNION ALL
        SELECT format('ALTER DOMAIN %s OWNER TO %I', oid::regtype, owner)
        FROM pg_type
        WHERE typtype = 'd' AND typnamespace::regnamespace::text = ANY (schemas) AND typowner <> owner::regrole
    LOOP
        EXECUTE statement;
    END LOOP;
END
$setup$;
