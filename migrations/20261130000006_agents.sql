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

-- Stores what one step of an agent has to store, in one round trip: the last response with its cost, the results of its
-- tools, and the intent to make the next call. Returns `allowed`; or `over rate`, `over budget` or `budget busy`, with
-- all but the intent stored; or `fenced`, with nothing stored, when another worker has taken the lane.
CREATE FUNCTION execution.write_journal(
    the_lane uuid, the_epoch bigint, the_job uuid,
    the_portfolio uuid, the_date date, the_revision integer, the_attempt integer, worked_ms bigint,
    response_step integer, response_text text, response_cost numeric, response_tokens bigint,
    result_steps integer[], result_indexes integer[], result_kinds text[], result_texts text[],
    intent_step integer, intent_index integer, intent_kind text, intent_hash text, intent_reserve numeric,
    limited_endpoint text, tokens_a_minute bigint, tokens_needed bigint
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    died integer;
    held numeric;
    over boolean;
BEGIN
    SELECT crashes INTO died FROM execution.lanes
    WHERE id = the_lane AND epoch = the_epoch AND state = 'ready'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'fenced';
    END IF;
    IF died > 0 THEN
        -- It makes progress.
        UPDATE execution.lanes SET crashes = 0 WHERE id = the_lane;
    END IF;
    IF worked_ms > 0 THEN
        UPDATE execution.attempts SET active_ms = active_ms + worked_ms
        WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
            AND attempt = the_attempt;
    END IF;

    IF response_step IS NOT NULL THEN
        -- What the call really cost takes the place of what was held back for it.
        SELECT reserved INTO held FROM execution.journal
        WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
            AND attempt = the_attempt AND step = response_step AND index = 0;
        UPDATE execution.journal SET response = response_text, cost = response_cost, responded_at = now(), reserved = 0
        WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
            AND attempt = the_attempt AND step = response_step AND index = 0;
        UPDATE execution.budgets SET reserved = reserved - held, spent = spent + coalesce(response_cost, held)
        WHERE job_id = the_job AND held IS NOT NULL;
        IF response_tokens <> 0 THEN
            UPDATE execution.endpoint_minutes AS used SET tokens = used.tokens + response_tokens
            FROM execution.lanes
            WHERE lanes.id = the_lane AND used.endpoint = lanes.endpoint AND used.minute = date_trunc('minute', now());
        END IF;
    END IF;

    INSERT INTO execution.journal
        (portfolio_id, trading_date, revision, attempt, step, index, kind, response, responded_at)
    SELECT the_portfolio, the_date, the_revision, the_attempt, result.*, now()
    FROM UNNEST(result_steps, result_indexes, result_kinds, result_texts) AS result
    ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
        DO UPDATE SET response = EXCLUDED.response, responded_at = now();

    IF intent_step IS NULL THEN
        RETURN 'allowed';
    END IF;
    IF limited_endpoint IS NOT NULL THEN
        -- A call larger than a whole minute has one to itself.
        INSERT INTO execution.endpoint_minutes AS used (endpoint, minute, tokens)
        VALUES (limited_endpoint, date_trunc('minute', now()), tokens_needed)
        ON CONFLICT (endpoint, minute) DO UPDATE SET tokens = used.tokens + EXCLUDED.tokens
        WHERE used.tokens = 0 OR used.tokens + EXCLUDED.tokens <= tokens_a_minute;
        IF NOT FOUND THEN
            RETURN 'over rate';
        END IF;
    END IF;
    -- What an earlier copy of the call holds back counts as spent: that copy may have been billed.
    SELECT reserved INTO held FROM execution.journal
    WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
        AND attempt = the_attempt AND step = intent_step AND index = intent_index;
    held := coalesce(held, 0);
    UPDATE execution.budgets SET reserved = reserved - held + intent_reserve, spent = spent + held
    WHERE job_id = the_job AND spent + reserved + intent_reserve <= allowed;
    IF NOT FOUND THEN
        SELECT spent + intent_reserve > allowed INTO over FROM execution.budgets WHERE job_id = the_job;
        IF FOUND THEN
            RETURN CASE WHEN over THEN 'over budget' ELSE 'budget busy' END;
        END IF;
    END IF;
    INSERT INTO execution.journal AS known
        (portfolio_id, trading_date, revision, attempt, step, index, kind, hash, sent, reserved)
    VALUES (the_portfolio, the_date, the_revision, the_attempt, intent_step, intent_index, intent_kind, intent_hash, 1, intent_reserve)
    ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
        DO UPDATE SET sent = known.sent + 1, reserved = EXCLUDED.reserved;
    RETURN 'allowed';
END
$$;

-- Notes that a call came back refused, which costs nothing: what was held back for it is free again. Answers
-- false, with nothing stored, when the lane has gone into other hands.
CREATE FUNCTION execution.note_refusal(
    the_lane uuid, the_epoch bigint, the_job uuid,
    the_portfolio uuid, the_date date, the_revision integer, the_attempt integer,
    the_step integer, the_index integer, the_refusal text
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    held numeric;
BEGIN
    PERFORM FROM execution.lanes
    WHERE id = the_lane AND epoch = the_epoch AND state = 'ready'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT reserved INTO held FROM execution.journal
    WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
        AND attempt = the_attempt AND step = the_step AND index = the_index;
    UPDATE execution.journal SET refused = refused + 1, last_refusal = the_refusal, reserved = 0
    WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
        AND attempt = the_attempt AND step = the_step AND index = the_index;
    UPDATE execution.budgets SET reserved = reserved - held WHERE job_id = the_job AND held IS NOT NULL;
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION execution.write_journal, execution.note_refusal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION execution.write_journal, execution.note_refusal TO modelday_executor;
