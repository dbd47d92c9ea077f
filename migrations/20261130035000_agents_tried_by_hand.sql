-- Agents that are tried by hand: one day, of which nothing is stored.

-- The agents of trigger's catalogue as a job would take them now. Executor, which has the keys and calls the endpoints,
-- reads them here when one is tried.
CREATE TABLE trigger.agents (
    signature text PRIMARY KEY,
    -- The model as messages carry it.
    body text NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON trigger.agents TO modelday_trigger;
GRANT SELECT ON trigger.agents TO modelday_executor;

-- Tries in progress, which count against the concurrency of their endpoints as lanes do. A row ends with its try, or with
-- the process that makes it.
CREATE TABLE execution.rehearsals (
    id uuid PRIMARY KEY,
    endpoint text NOT NULL,
    holder bigint,
    lease_until timestamptz NOT NULL
);
CREATE INDEX rehearsals_of_endpoint ON execution.rehearsals (endpoint);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.rehearsals TO modelday_executor;
