-- One outbox for each schema, all alike: a message commits together with the state that causes it.
-- A consumer of a service's events may read the service's outbox, in case the broker lost a message.
--
-- Every message is inserted once and updated once, and each index costs both times. So there is no index on
-- `event_id`, which no statement looks up, and none on `sent_at`: old rows stand at the front of the table.
DO $$
DECLARE
    owner record;
BEGIN
    FOR owner IN
        SELECT *
        FROM (VALUES ('trigger', 'modelday_trigger'), ('market', 'modelday_downloader'),
                     ('execution', 'modelday_executor'), ('status', 'modelday_status')) AS owners (schema, role)
    LOOP
        EXECUTE format($ddl$
            CREATE TABLE %1$I.outbox (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                event_id uuid NOT NULL,
                kind text NOT NULL,
                exchange text NOT NULL,
                routing_key text NOT NULL,
                job_id uuid NOT NULL,
                traceparent text,
                body text NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                sent_at timestamptz,
                -- The envelope of a message that was published before; null for a new message.
                original jsonb,
                -- The process that writes a message may publish it itself, right after the commit. The relay then
                -- leaves the message alone until this time, and publishes it if it is still unsent.
                relay_from timestamptz
            );
            CREATE INDEX outbox_unsent ON %1$I.outbox (id) WHERE sent_at IS NULL;
            GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.outbox TO %2$I;
            GRANT SELECT ON %1$I.outbox TO modelday_status;
        $ddl$, owner.schema, owner.role);
    END LOOP;
END
$$;

CREATE INDEX outbox_of_job ON trigger.outbox (job_id, id);
CREATE INDEX outbox_of_job ON market.outbox (job_id, id);
CREATE INDEX outbox_of_job ON execution.outbox (job_id, id);

GRANT SELECT ON trigger.outbox TO modelday_downloader;
GRANT SELECT ON market.outbox TO modelday_executor;
GRANT SELECT ON execution.outbox TO modelday_trigger;
