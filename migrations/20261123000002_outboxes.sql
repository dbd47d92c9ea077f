-- A message and the state that causes it commit together: one outbox a schema, all alike.
-- Consumers of a service's events may read its outbox, in case the broker forgot.
DO $$
DECLARE
    owner record;
BEGIN
    FOR owner IN
        SELECT *
        FROM (VALUES ('trigger', 'modelday_trigger'), ('market', 'modelday_downloader'),
                     ('execution', 'modelday_executor')) AS owners (schema, role)
    LOOP
        EXECUTE format($ddl$
            CREATE TABLE %1$I.outbox (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                event_id uuid NOT NULL UNIQUE,
                kind text NOT NULL,
                exchange text NOT NULL,
                routing_key text NOT NULL,
                job_id uuid NOT NULL,
                traceparent text,
                body text NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                sent_at timestamptz
            );
            CREATE INDEX outbox_unsent ON %1$I.outbox (id) WHERE sent_at IS NULL;
            CREATE INDEX outbox_of_job ON %1$I.outbox (job_id, id);
            CREATE INDEX outbox_sent_at ON %1$I.outbox (sent_at) WHERE sent_at IS NOT NULL;
            GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.outbox TO %2$I;
            GRANT SELECT ON %1$I.outbox TO modelday_status;
        $ddl$, owner.schema, owner.role);
    END LOOP;
END
$$;

GRANT SELECT ON trigger.outbox TO modelday_downloader;
GRANT SELECT ON market.outbox TO modelday_executor;
GRANT SELECT ON execution.outbox TO modelday_trigger;
