-- Schema `execution`, days of agents: the calls that were made, their results, and what they cost.

-- An attempt at one agent's day. A worker resumes it from its journal until it has ended.
CREATE TABLE execution.attempts (
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    trading_date date NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    attempt integer NOT NULL CHECK (attempt > 0),
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    -- How it ended; null while it is open.
    ended text,
    -- Time worked on it, without waits.
    active_ms bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (portfolio_id, trading_date, revision, attempt)
);
CREATE UNIQUE INDEX attempts_open ON execution.attempts (portfolio_id, trading_date) WHERE ended IS NULL;
CREATE INDEX attempts_of_job ON execution.attempts (job_id, trading_date);

CREATE DOMAIN execution.not_negative AS integer CHECK (VALUE >= 0);
CREATE DOMAIN execution.entry_kind AS text CHECK (VALUE IN ('call', 'search', 'tool', 'stop'));
CREATE DOMAIN execution.dollars AS numeric CHECK (VALUE >= 0);

-- The calls of an attempt and their responses. In each step, index 0 is the call of the model; the others are tools.
CREATE TABLE execution.journal (
    portfolio_id uuid NOT NULL,
    trading_date date NOT NULL,
    revision integer NOT NULL,
    attempt integer NOT NULL,
    step execution.not_negative NOT NULL,
    index execution.not_negative NOT NULL,
    kind execution.entry_kind NOT NULL,
    -- SHA-256 of the request.
    hash text,
    -- How often it was sent, and how often it was refused without being billed.
    sent integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    last_refusal text,
    -- Dollars of the job's budget that are reserved until the response is there.
    reserved execution.dollars NOT NULL DEFAULT 0,
    response text,
    cost execution.dollars,
    written_at timestamptz NOT NULL DEFAULT now(),
    responded_at timestamptz,
    PRIMARY KEY (portfolio_id, trading_date, revision, attempt, step, index),
    FOREIGN KEY (portfolio_id, trading_date, revision, attempt)
        REFERENCES execution.attempts (portfolio_id, trading_date, revision, attempt)
);

-- What a job may spend on calls, in dollars. A job without a row may spend without a limit.
CREATE TABLE execution.budgets (
    job_id uuid PRIMARY KEY REFERENCES execution.jobs (id),
    allowed numeric NOT NULL CHECK (allowed >= 0),
    reserved numeric NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent numeric NOT NULL DEFAULT 0 CHECK (spent >= 0)
);

-- Tokens sent to an endpoint in a minute, over all executors.
CREATE TABLE execution.endpoint_minutes (
    endpoint text NOT NULL,
    minute timestamptz NOT NULL,
    tokens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint, minute)
);

-- The whole conversation of a day that has ended, for people to read.
CREATE TABLE execution.transcripts (
    portfolio_id uuid NOT NULL REFERENCES execution.portfolios (id),
    trading_date date NOT NULL,
    job_id uuid NOT NULL REFERENCES execution.jobs (id),
    revision integer NOT NULL,
    attempt integer NOT NULL,
    reason text NOT NULL,
    body jsonb NOT NULL,
    -- A column of its own, so that reading it does not read the conversation.
    usage jsonb GENERATED ALWAYS AS (body -> 'usage') STORED,
    PRIMARY KEY (job_id, portfolio_id, trading_date)
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON execution.attempts, execution.journal, execution.budgets, execution.endpoint_minutes, execution.transcripts
    TO modelday_executor;

-- For status, which shows the reasoning of winning days.
CREATE VIEW execution.conversations AS
SELECT p.experiment, p.model, p.trial, t.trading_date, t.revision, t.job_id, t.reason, t.body
FROM execution.transcripts t
JOIN execution.portfolios p ON p.id = t.portfolio_id;
GRANT SELECT ON execution.conversations TO modelday_status;

-- What completed days of agents used, for the cost estimate of trigger's dry run.
CREATE VIEW execution.agent_days AS
SELECT p.experiment, p.model, p.trial, d.trading_date, d.config_hash, t.usage
FROM execution.model_days d
JOIN execution.portfolios p ON p.id = d.portfolio_id
JOIN execution.transcripts t
    ON t.job_id = d.job_id AND t.portfolio_id = d.portfolio_id AND t.trading_date = d.trading_date
WHERE d.state = 'completed';
GRANT SELECT ON execution.agent_days TO modelday_trigger;

-- Whether a call may be sent, and what it costs, is decided by the next three functions, in the transaction that stores
-- the call: executors share the job's budget and the endpoint's rate, and a step has one round trip (decision 0021).

-- Reserves `dollars` of the job's budget for a call. `lost` is what an earlier copy of the same call had reserved; it
-- counts as spent, because that copy may have been billed. Returns `allowed`; `over budget`, when the rest of the budget
-- is too small; or `budget busy`, when it is too small only because of what other calls have reserved.
CREATE FUNCTION execution.reserve_dollars(of_job uuid, dollars numeric, lost numeric) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    is_over boolean;
BEGIN
    UPDATE execution.budgets SET reserved = reserved - lost + dollars, spent = spent + lost
    WHERE job_id = of_job AND spent + reserved + dollars <= allowed;
    IF FOUND THEN
        RETURN 'allowed';
    END IF;
    SELECT spent + dollars > allowed INTO is_over FROM execution.budgets WHERE job_id = of_job;
    RETURN CASE
        WHEN is_over IS NULL THEN 'allowed' -- The job has no budget, which is no limit.
        WHEN is_over THEN 'over budget'
        ELSE 'budget busy'
    END;
END
$$;

-- Replaces what was reserved for a call by what it cost; an unknown cost counts as the whole reservation.
CREATE FUNCTION execution.settle_dollars(of_job uuid, was_reserved numeric, cost numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE execution.budgets SET reserved = reserved - was_reserved, spent = spent + coalesce(cost, was_reserved)
    WHERE job_id = of_job AND was_reserved IS NOT NULL;
END
$$;

-- Counts the tokens of a call against the endpoint's present minute; false when the minute has no room for them. A call
-- that is larger than a whole minute is allowed in a minute that is still empty.
CREATE FUNCTION execution.reserve_tokens(of_endpoint text, per_minute bigint, needed bigint) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO execution.endpoint_minutes AS used (endpoint, minute, tokens)
    VALUES (of_endpoint, date_trunc('minute', now()), needed)
    ON CONFLICT (endpoint, minute) DO UPDATE SET tokens = used.tokens + EXCLUDED.tokens
    WHERE used.tokens = 0 OR used.tokens + EXCLUDED.tokens <= per_minute;
    RETURN FOUND;
END
$$;

-- Commits what a step of an agent has to store, in one round trip: the last response with its cost, the results of its
-- tools, and the intent of the next call. Returns `allowed`; or `over rate`, `over budget` or `budget busy`, with all but
-- the intent stored; or `fenced`, with nothing stored, when another worker has taken the lane.
CREATE FUNCTION execution.commit_step(
    of_lane uuid, lane_epoch bigint, of_date date, of_revision integer, of_attempt integer, worked_ms bigint,
    response_step integer, response_text text, response_cost numeric, unplanned_tokens bigint,
    result_steps integer[], result_indexes integer[], result_kinds text[], result_texts text[],
    intent_step integer, intent_index integer, intent_kind text, intent_hash text, intent_dollars numeric,
    tokens_per_minute bigint, intent_tokens bigint
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    crashes_before integer;
    of_job uuid;
    of_portfolio uuid;
    of_endpoint text;
    was_reserved numeric;
    permission text;
BEGIN
    SELECT crashes, job_id, portfolio_id, endpoint INTO crashes_before, of_job, of_portfolio, of_endpoint
    FROM execution.lanes
    WHERE id = of_lane AND epoch = lane_epoch AND state = 'ready'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'fenced';
    END IF;
    IF crashes_before > 0 THEN
        -- The lane makes progress.
        UPDATE execution.lanes SET crashes = 0 WHERE id = of_lane;
    END IF;
    -- A condition of the UPDATE instead of an IF would make PostgreSQL plan the UPDATE anew in each step, which takes
    -- longer than to run it.
    IF worked_ms > 0 THEN
        UPDATE execution.attempts SET active_ms = active_ms + worked_ms
        WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
            AND attempt = of_attempt;
    END IF;

    IF response_step IS NOT NULL THEN
        SELECT reserved INTO was_reserved FROM execution.journal
        WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
            AND attempt = of_attempt AND step = response_step AND index = 0;
        UPDATE execution.journal SET response = response_text, cost = response_cost, responded_at = now(), reserved = 0
        WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
            AND attempt = of_attempt AND step = response_step AND index = 0;
        PERFORM execution.settle_dollars(of_job, was_reserved, response_cost);
        IF unplanned_tokens <> 0 THEN
            UPDATE execution.endpoint_minutes SET tokens = tokens + unplanned_tokens
            WHERE endpoint = of_endpoint AND minute = date_trunc('minute', now());
        END IF;
    END IF;

    INSERT INTO execution.journal
        (portfolio_id, trading_date, revision, attempt, step, index, kind, response, responded_at)
    SELECT of_portfolio, of_date, of_revision, of_attempt, result.*, now()
    FROM UNNEST(result_steps, result_indexes, result_kinds, result_texts) AS result
    ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
        DO UPDATE SET response = EXCLUDED.response, responded_at = now();

    IF intent_step IS NULL THEN
        RETURN 'allowed';
    END IF;
    IF tokens_per_minute IS NOT NULL THEN
        IF NOT execution.reserve_tokens(of_endpoint, tokens_per_minute, intent_tokens) THEN
            RETURN 'over rate';
        END IF;
    END IF;
    SELECT reserved INTO was_reserved FROM execution.journal
    WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
        AND attempt = of_attempt AND step = intent_step AND index = intent_index;
    permission := execution.reserve_dollars(of_job, intent_dollars, coalesce(was_reserved, 0));
    IF permission = 'allowed' THEN
        INSERT INTO execution.journal AS known
            (portfolio_id, trading_date, revision, attempt, step, index, kind, hash, sent, reserved)
        VALUES (of_portfolio, of_date, of_revision, of_attempt, intent_step, intent_index, intent_kind, intent_hash,
            1, intent_dollars)
        ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
            DO UPDATE SET sent = known.sent + 1, reserved = EXCLUDED.reserved;
    END IF;
    RETURN permission;
END
$$;

-- Records that a call was refused, which costs nothing: what was reserved for it is free again. Returns false, with
-- nothing stored, when another worker has taken the lane.
CREATE FUNCTION execution.record_refusal(
    of_lane uuid, lane_epoch bigint, of_date date, of_revision integer, of_attempt integer,
    of_step integer, of_index integer, refusal text
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    of_job uuid;
    of_portfolio uuid;
    was_reserved numeric;
BEGIN
    SELECT job_id, portfolio_id INTO of_job, of_portfolio FROM execution.lanes
    WHERE id = of_lane AND epoch = lane_epoch AND state = 'ready'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT reserved INTO was_reserved FROM execution.journal
    WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
        AND attempt = of_attempt AND step = of_step AND index = of_index;
    UPDATE execution.journal SET refused = refused + 1, last_refusal = refusal, reserved = 0
    WHERE portfolio_id = of_portfolio AND trading_date = of_date AND revision = of_revision
        AND attempt = of_attempt AND step = of_step AND index = of_index;
    PERFORM execution.settle_dollars(of_job, was_reserved, 0);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION execution.reserve_dollars, execution.settle_dollars, execution.reserve_tokens,
    execution.commit_step, execution.record_refusal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION execution.reserve_dollars, execution.settle_dollars, execution.reserve_tokens,
    execution.commit_step, execution.record_refusal TO modelday_executor;
