-- What takes less than a millisecond adds no time worked. Asked within the UPDATE, that made PostgreSQL plan it anew in
-- each step, which took longer than to run it.
CREATE OR REPLACE FUNCTION execution.write_journal(
    the_lane uuid, the_epoch bigint, the_job uuid,
    the_portfolio uuid, the_date date, the_revision integer, the_attempt integer, worked_ms bigint,
    settled_step integer, settled_answer text, settled_cost numeric, settled_tokens bigint,
    told_steps integer[], told_indexes integer[], told_kinds text[], told_answers text[],
    next_step integer, next_index integer, next_kind text, next_hash text, next_reserve numeric,
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

    IF settled_step IS NOT NULL THEN
        -- What the call really cost takes the place of what was held back for it.
        SELECT reserved INTO held FROM execution.journal
        WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
            AND attempt = the_attempt AND step = settled_step AND index = 0;
        UPDATE execution.journal SET answer = settled_answer, cost = settled_cost, answered_at = now(), reserved = 0
        WHERE portfolio_id = the_portfolio AND trading_date = the_date AND revision = the_revision
            AND attempt = the_attempt AND step = settled_step AND index = 0;
        UPDATE execution.budgets SET reserved = reserved - held, spent = spent + coalesce(settled_cost, held)
        WHERE job_id = the_job AND held IS NOT NULL;
        IF settled_tokens <> 0 THEN
            UPDATE execution.endpoint_minutes AS used SET tokens = used.tokens + settled_tokens
            FROM execution.lanes
            WHERE lanes.id = the_lane AND used.endpoint = lanes.endpoint AND used.minute = date_trunc('minute', now());
        END IF;
    END IF;

    INSERT INTO execution.journal
        (portfolio_id, trading_date, revision, attempt, step, index, kind, answer, answered_at)
    SELECT the_portfolio, the_date, the_revision, the_attempt, told.*, now()
    FROM UNNEST(told_steps, told_indexes, told_kinds, told_answers) AS told
    ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
        DO UPDATE SET answer = EXCLUDED.answer, answered_at = now();

    IF next_step IS NULL THEN
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
        AND attempt = the_attempt AND step = next_step AND index = next_index;
    held := coalesce(held, 0);
    UPDATE execution.budgets SET reserved = reserved - held + next_reserve, spent = spent + held
    WHERE job_id = the_job AND spent + reserved + next_reserve <= allowed;
    IF NOT FOUND THEN
        SELECT spent + next_reserve > allowed INTO over FROM execution.budgets WHERE job_id = the_job;
        IF FOUND THEN
            RETURN CASE WHEN over THEN 'over budget' ELSE 'budget busy' END;
        END IF;
    END IF;
    INSERT INTO execution.journal AS known
        (portfolio_id, trading_date, revision, attempt, step, index, kind, hash, sent, reserved)
    VALUES (the_portfolio, the_date, the_revision, the_attempt, next_step, next_index, next_kind, next_hash, 1, next_reserve)
    ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
        DO UPDATE SET sent = known.sent + 1, reserved = EXCLUDED.reserved;
    RETURN 'allowed';
END
$$;
