-- Every message is written once and marked once; each index costs both times. Nobody looks messages up by
-- `event_id`, and what was sent long ago is found at the front of the table.
DO $$
DECLARE
    owner text;
BEGIN
    FOREACH owner IN ARRAY ARRAY['trigger', 'market', 'execution'] LOOP
        EXECUTE format('ALTER TABLE %I.outbox DROP CONSTRAINT outbox_event_id_key', owner);
        EXECUTE format('DROP INDEX %I.outbox_sent_at', owner);
    END LOOP;
END
$$;

-- A job as a message is tens of kilobytes. Where Postgres was built without lz4, they stay with pglz.
DO $$
DECLARE
    bodies text;
BEGIN
    FOREACH bodies IN ARRAY ARRAY['trigger.jobs', 'trigger.outbox', 'market.outbox', 'market.preparations', 'execution.jobs'] LOOP
        EXECUTE 'ALTER TABLE ' || bodies || ' ALTER COLUMN body SET COMPRESSION lz4';
    END LOOP;
EXCEPTION
    WHEN feature_not_supported THEN
        NULL;
END
$$;
