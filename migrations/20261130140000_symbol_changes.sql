-- How often bars of a symbol were written. Readers that keep bars in memory see by the sum over their symbols whether what
-- they have is what is stored: no count ever goes down.
CREATE TABLE market.symbol_changes (
    symbol text PRIMARY KEY,
    changes bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO market.symbol_changes (symbol, changes) SELECT DISTINCT symbol, 1 FROM market.bars;

-- Counts the change of each symbol of a statement, in the order of the symbols, in which everybody locks their rows.
CREATE FUNCTION market.count_changes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO market.symbol_changes AS known (symbol, changes)
    SELECT DISTINCT symbol, 1 FROM changed ORDER BY symbol
    ON CONFLICT (symbol) DO UPDATE SET changes = known.changes + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_inserted AFTER INSERT ON market.bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION market.count_changes();
CREATE TRIGGER count_updated AFTER UPDATE ON market.bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION market.count_changes();
CREATE TRIGGER count_deleted AFTER DELETE ON market.bars
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION market.count_changes();

-- The sum over the symbols of a job's universe when it was planned.
ALTER TABLE execution.jobs ADD COLUMN price_changes bigint NOT NULL DEFAULT 0;

GRANT SELECT, INSERT, UPDATE, DELETE ON market.symbol_changes TO modelday_downloader;
GRANT SELECT ON market.symbol_changes TO modelday_executor;
