-- The keys that services sign their messages with. Whoever may read this table can make messages that are believed, so
-- only the four services may.
CREATE SCHEMA signing;
GRANT USAGE ON SCHEMA signing TO modelday_trigger, modelday_downloader, modelday_executor, modelday_status;

CREATE TABLE signing.keys (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-z-]+$'),
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    -- From then on the key signs; it verifies at once. In between, every running service reads the new key.
    signs_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON signing.keys TO modelday_trigger, modelday_downloader, modelday_executor, modelday_status;

-- A key from the server's strong random numbers: a random UUID has 122 such bits.
CREATE FUNCTION signing.add_key(signs_from timestamptz) RETURNS text
LANGUAGE sql
AS $$
    INSERT INTO signing.keys (id, secret, signs_from)
    VALUES (
        left(replace(gen_random_uuid()::text, '-', ''), 12),
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
        signs_from
    )
    RETURNING id
$$;
REVOKE ALL ON FUNCTION signing.add_key(timestamptz) FROM PUBLIC;

SELECT signing.add_key(now());
