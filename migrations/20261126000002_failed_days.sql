-- Which model-days failed, for trigger, which makes a new job of them. Why they did stays with executor.
CREATE VIEW execution.failed_days AS
SELECT d.job_id, p.model, p.trial, d.trading_date
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
WHERE d.state = 'failed';
GRANT SELECT ON execution.failed_days TO modelday_trigger;
