-- The account `modelday_monitor` for PostgreSQL's exporter. A superuser runs this file in the installation's database,
-- with the password in the setting modelday.monitor_password. The account reads statistics and no table of Modelday.
DO $monitor$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'modelday_monitor') THEN
        CREATE ROLE modelday_monitor;
    END IF;
    EXECUTE format(
        'ALTER ROLE modelday_monitor LOGIN CONNECTION LIMIT 5 PASSWORD %L', current_setting('modelday.monitor_password')
    );
    GRANT pg_monitor TO modelday_monitor;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO modelday_monitor', current_database());
END
$monitor$;
