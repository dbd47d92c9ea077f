-- Every event has a position among all: the order in which projections commit, without gaps. Whoever gives
-- positions holds this row until the end of the transaction, so that no lower position appears after a higher one.
-- The row is made by the first event, since `DEV` deployments empty their tables.
CREATE TABLE status.feed (
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    last_position bigint NOT NULL
);

CREATE FUNCTION status.next_position() RETURNS bigint
LANGUAGE sql VOLATILE
AS $$
    INSERT INTO status.feed AS feed (last_position) VALUES (1)
    ON CONFLICT (id) DO UPDATE SET last_position = feed.last_position + 1
    RETURNING last_position
$$;

ALTER TABLE status.events ADD COLUMN position bigint;
UPDATE status.events event
SET position = given.position
FROM (SELECT source, id, row_number() OVER (ORDER BY occurred_at, job_id, seq) AS position FROM status.events) AS given
WHERE event.source = given.source AND event.id = given.id;
INSERT INTO status.feed (last_position) SELECT count(*) FROM status.events HAVING count(*) > 0;
-- The default serves services of an older version that still run.
ALTER TABLE status.events ALTER COLUMN position SET DEFAULT status.next_position(), ALTER COLUMN position SET NOT NULL;
CREATE UNIQUE INDEX events_position ON status.events (position);

-- Streams of all processes learn of new events as these become visible.
CREATE FUNCTION status.announce_events() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('modelday_events', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER announce_events AFTER INSERT OR UPDATE ON status.feed
    FOR EACH STATEMENT EXECUTE FUNCTION status.announce_events();

GRANT SELECT, INSERT, UPDATE, DELETE ON status.feed TO modelday_status;
