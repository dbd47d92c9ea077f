-- Jobs that are planned from now on treat the shares of a company as the same ones before and after a rename. Those of
-- before keep their rules.
ALTER TABLE execution.jobs DROP CONSTRAINT jobs_market_rules_check;
ALTER TABLE execution.jobs ADD CONSTRAINT jobs_market_rules_check
    CHECK (market_rules IN ('as_traded', 'restated', 'continuous'));

-- Each preparation looks for the renames of its symbols, of which there are few among many splits and dividends.
CREATE INDEX corporate_actions_renames ON market.corporate_actions (symbol, new_symbol) WHERE kind = 'rename';
