-- The chain of a portfolio's winning days, and from which of them on they stand on a replaced or later filled day: from
-- the first one whose base is not the winner before it. Kept up by whoever writes model-days, who locks the row first.
-- Without it every answer about a month would have to look at all the years before.
CREATE TABLE status.chains (
    experiment text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    trial integer NOT NULL,
    stale_from date,
    PRIMARY KEY (experiment, model, trial)
) WITH (fillfactor = 70);

INSERT INTO status.chains (experiment, model, trial, stale_from)
SELECT experiment, model, trial,
    min(trading_date) FILTER (WHERE (base_date, base_revision) IS DISTINCT FROM (previous_date, previous_revision))
FROM (
    SELECT experiment, model, trial, trading_date, base_date, base_revision,
        lag(trading_date) OVER chain AS previous_date, lag(revision) OVER chain AS previous_revision
    FROM (
        SELECT DISTINCT ON (experiment, model, trial, trading_date)
            experiment, model, trial, trading_date, revision, base_date, base_revision
        FROM status.model_days
        WHERE state = 'completed'
        ORDER BY experiment, model, trial, trading_date, revision DESC
    ) winners
    WINDOW chain AS (PARTITION BY experiment, model, trial ORDER BY trading_date)
) links
GROUP BY experiment, model, trial;

GRANT SELECT, INSERT, UPDATE, DELETE ON status.chains TO modelday_status;
