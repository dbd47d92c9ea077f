-- While no price was ever changed, no day is repriced, and none is read to find that out.
CREATE OR REPLACE VIEW execution.repriced_days AS
SELECT experiment, model, trial, trading_date
FROM execution.winning_days
WHERE (SELECT version > 0 FROM market.price_version) AND repriced;
