-- The universes that jobs may name, one row each: what the API has stored covers what the file has. Executor tries agents in
-- them, and downloader says which of their prices are stored.
CREATE VIEW trigger.universes AS
WITH latest AS (
    SELECT DISTINCT ON (name, origin) name, origin, definition
    FROM trigger.catalogue_versions
    WHERE kind = 'universe'
    ORDER BY name, origin, version DESC
)
SELECT DISTINCT ON (one.name) one.name, one.definition,
    -- Jobs have it that name none: it has the name of the file's.
    EXISTS (
        SELECT FROM latest AS file
        WHERE file.name = one.name AND file.origin = 'file' AND file.definition IS NOT NULL
    ) AS is_default
FROM latest AS one
WHERE one.definition IS NOT NULL
ORDER BY one.name, one.origin;
GRANT SELECT ON trigger.universes TO modelday_executor, modelday_downloader;
