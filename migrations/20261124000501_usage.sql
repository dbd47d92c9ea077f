-- What agents' days used, failed ones included, as `usage` of their events; null for days of other models.
-- Rows from before are filled when the read model is rebuilt from the log.
ALTER TABLE status.model_days ADD COLUMN usage jsonb;
CREATE INDEX model_days_usage_of_job ON status.model_days (job_id) WHERE usage IS NOT NULL;
CREATE INDEX model_days_usage_of_portfolio
    ON status.model_days (experiment, model, trial, trading_date) WHERE usage IS NOT NULL;
