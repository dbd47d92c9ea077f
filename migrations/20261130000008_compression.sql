-- A job as a message is tens of kilobytes, and lz4 compresses it in less time than the default, pglz. A server that was
-- built without lz4 keeps pglz.
DO $$
DECLARE
    bodies text;
BEGIN
    FOREACH bodies IN ARRAY ARRAY[
        'trigger.jobs', 'trigger.outbox', 'market.outbox', 'market.preparations', 'execution.jobs'
    ] LOOP
        EXECUTE 'ALTER TABLE ' || bodies || ' ALTER COLUMN body SET COMPRESSION lz4';
    END LOOP;
EXCEPTION
    WHEN feature_not_supported THEN
        NULL;
END
$$;
