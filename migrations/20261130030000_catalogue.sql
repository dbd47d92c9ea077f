-- Models and universes that jobs may name: each change is a version, the latest one of an origin counts, and one of the API
-- covers that of the file. `id` increases with each commit, because whoever writes has the lock of `catalogue::lock`: its
-- highest value says which state of the catalogue this is.
CREATE TABLE trigger.catalogue_versions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('model', 'universe')),
    name text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    origin text NOT NULL CHECK (origin IN ('file', 'api')),
    -- Of the file: the place of the entry in it.
    position integer NOT NULL DEFAULT 0,
    -- The members of the entry, as JSON; null when this version is its removal.
    definition text,
    config_hash text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, name, version),
    CHECK ((definition IS NULL) = (config_hash IS NULL))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.catalogue_versions TO modelday_trigger;
