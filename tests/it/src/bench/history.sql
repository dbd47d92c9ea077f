-- Days of the history. A job is of one experiment, of so many sessions, first or second run.
CREATE UNLOGGED TABLE public.history AS
SELECT experiment, run, session, model, date, previous, chunk,
    ('01990000-0000-7000-8000-' || lpad(to_hex((chunk * 100 + experiment) * 2 + run), 12, '0'))::uuid AS job_id,
    ('01990000-0000-7000-9000-'
        || lpad(to_hex(((experiment * 10000 + session) * 2 + run) * 100 + place), 12, '0'))::uuid AS event_id,
    CASE experiment WHEN 1 THEN 'default' ELSE 'experiment-' || experiment END AS experiment_name,
    10000 + session * 1.01 + place AS worth
FROM (
    SELECT date, row_number() OVER (ORDER BY date) AS session, lag(date) OVER (ORDER BY date) AS previous,
        (row_number() OVER (ORDER BY date) - 1) / :per_job AS chunk
    FROM (
        SELECT trading_date AS date FROM market.bars
        WHERE symbol = 'QQQ' AND trading_date <= :last ORDER BY trading_date DESC LIMIT :sessions
    ) dates
) sessions
CROSS JOIN generate_series(1, :experiments) AS experiment
CROSS JOIN generate_series(0, 1) AS run
CROSS JOIN UNNEST(:models) WITH ORDINALITY AS models (model, place)

-- Their jobs.
CREATE UNLOGGED TABLE public.history_jobs AS
SELECT job_id, experiment_name, min(date) AS first, max(date) AS last, count(*) AS days
FROM public.history
GROUP BY job_id, experiment_name

INSERT INTO trigger.jobs (id, body, accepted_at, ended_at)
SELECT job_id, replace(:accepted, :template, job_id::text), now(), now()
FROM public.history_jobs

INSERT INTO status.jobs (id, state, view, last_seq, completed, failed, skipped)
SELECT job_id, 'completed',
    replace(replace(replace(replace(:view, :template_start, first::text), :template_end, last::text),
        '"template"', '"' || experiment_name || '"'), :template, job_id::text)::jsonb,
    days, days, 0, 0
FROM public.history_jobs

-- Jobs that came to nothing, so that a page of jobs is full whatever the history.
INSERT INTO trigger.jobs (id, body, accepted_at, ended_at)
SELECT ('01980000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, :accepted, now(), now()
FROM generate_series(1, 200) AS number

INSERT INTO status.jobs (id, state, view, last_seq, completed, failed, skipped)
SELECT ('01980000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 'completed', :view::jsonb, 1, 0, 0, 0
FROM generate_series(1, 200) AS number

INSERT INTO status.events (position, source, id, job_id, seq, kind, occurred_at, traceparent, body)
SELECT (SELECT last_position FROM status.feed) + row_number() OVER (ORDER BY chunk, experiment, run, date, model),
    '/modelday/executor', event_id, job_id, row_number() OVER (PARTITION BY job_id ORDER BY date, model),
    'modelday.model_day.completed.v1', now(), NULL,
    replace(replace(replace(replace(replace(:day, '@JOB', job_id::text), '@EXPERIMENT', experiment_name),
        '@MODEL', model), '@DATE', date::text), '@BASE', coalesce(previous, date - 1)::text)
FROM public.history
ORDER BY 1

UPDATE status.feed SET last_position = (SELECT max(position) FROM status.events)

INSERT INTO status.model_days (job_id, experiment, model, trial, trading_date, state, attempt, started_at, ended_at,
    event_source, event_id, revision, base_date, base_revision, starting_value, value_at_open, value_at_close, trades, traded)
SELECT job_id, experiment_name, model, 0, date, 'completed', 1, now(), now(), '/modelday/executor', event_id, run + 1,
    previous, CASE WHEN previous IS NOT NULL THEN run + 1 END, worth - 1, worth, worth + 0.5, 2, 400
FROM public.history
ORDER BY chunk, experiment, run, date

INSERT INTO status.chains (experiment, model, trial)
SELECT DISTINCT experiment_name, model, 0
FROM public.history

DROP TABLE public.history, public.history_jobs

VACUUM (ANALYZE) status.model_days, status.events, status.jobs, trigger.jobs, market.bars
