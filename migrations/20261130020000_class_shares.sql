-- A class of shares is written with a point: `BRK.B`. Rows with `BRK-B` get this spelling, in which they are looked for
-- from now on. Where both spellings are stored, the rows with the point stay.
UPDATE market.bars AS bar SET symbol = replace(symbol, '-', '.')
WHERE symbol ~ '^[A-Z]+-[A-Z]$' AND NOT EXISTS (
    SELECT FROM market.bars AS other
    WHERE other.trading_date = bar.trading_date AND other.symbol = replace(bar.symbol, '-', '.')
);
DELETE FROM market.bars WHERE symbol ~ '^[A-Z]+-[A-Z]$';

UPDATE market.replaced_bars AS bar SET symbol = replace(symbol, '-', '.')
WHERE symbol ~ '^[A-Z]+-[A-Z]$' AND NOT EXISTS (
    SELECT FROM market.replaced_bars AS other
    WHERE other.trading_date = bar.trading_date AND other.version = bar.version
        AND other.symbol = replace(bar.symbol, '-', '.')
);
DELETE FROM market.replaced_bars WHERE symbol ~ '^[A-Z]+-[A-Z]$';

UPDATE market.corporate_actions AS action SET symbol = replace(symbol, '-', '.')
WHERE symbol ~ '^[A-Z]+-[A-Z]$' AND NOT EXISTS (
    SELECT FROM market.corporate_actions AS other
    WHERE other.trading_date = action.trading_date AND other.kind = action.kind AND other.version = action.version
        AND other.symbol = replace(action.symbol, '-', '.')
);
DELETE FROM market.corporate_actions WHERE symbol ~ '^[A-Z]+-[A-Z]$';

UPDATE market.answer_spans SET symbol = replace(symbol, '-', '.') WHERE symbol ~ '^[A-Z]+-[A-Z]$';

UPDATE execution.fills SET symbol = replace(symbol, '-', '.') WHERE symbol ~ '^[A-Z]+-[A-Z]$';

UPDATE execution.price_scopes
SET symbols = ARRAY(SELECT regexp_replace(symbol, '^([A-Z]+)-([A-Z])$', '\1.\2') FROM unnest(symbols) AS symbol)
WHERE EXISTS (SELECT FROM unnest(symbols) AS symbol WHERE symbol ~ '^[A-Z]+-[A-Z]$');

UPDATE execution.model_days
SET holdings = (
    SELECT jsonb_object_agg(symbol, shares)
    FROM (
        SELECT regexp_replace(key, '^([A-Z]+)-([A-Z])$', '\1.\2') AS symbol, sum(value::text::bigint) AS shares
        FROM jsonb_each(holdings)
        GROUP BY 1
    ) AS held
)
WHERE EXISTS (SELECT FROM jsonb_object_keys(holdings) AS key WHERE key ~ '^[A-Z]+-[A-Z]$');
