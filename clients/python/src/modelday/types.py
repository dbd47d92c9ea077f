"""Types of the API's bodies. Made by generate.py from docs/openapi.json; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class Accepted(TypedDict):
    """The response to an accepted request."""

    # `PROD` or `DEV`.
    deployment_mode: str
    # Whether the mode is `DEV`.
    is_dev_mode: bool
    job_id: str
    # A sentence about what will run.
    message: str
    # In `DEV`: whether data are kept over a restart. Null in `PROD`.
    preserve_dev_data: NotRequired[bool | None]
    # Of a retry: the job whose failed days this one runs again.
    retry_of: NotRequired[str | None]
    # Always `pending`.
    status: str
    # Weekdays in the range, times models and their trials.
    total_model_days: int
    # Warnings that are known at once; the job may add more.
    warnings: NotRequired[list[str] | None]


class Bars(TypedDict):
    """A page of bars."""

    bars: list[PriceBar]
    count: int
    next_cursor: NotRequired[str | None]


class BudgetWindow(TypedDict):
    """A limit of the key."""

    # `calls` or `distinct_symbols`.
    counts: str
    id: str
    # `rolling`, or `fixed` where all calls come back at once.
    kind: str
    # 0 while the provider refuses.
    left: int
    limit: int
    # `second`, `minute`, `hour`, `day` or `month`.
    per: str
    # When some of what was used, or in a fixed window all of it, is available again; null when nothing is
    # used.
    resets_at: NotRequired[str | None]
    # The zone in which a fixed window begins.
    time_zone: NotRequired[str | None]
    used: int


class CancelledJob(TypedDict):
    """A job that is cancelled."""

    job_id: str
    # How the job ends: always `cancelled`. Its status changes to that when all its work has stopped.
    status: str


class CatalogueChange(TypedDict):
    """A change: a version of a model or a universe, or its removal."""

    changed_at: str
    # The name of the API token that stored it, `anonymous`, `start` or `SIGHUP`.
    changed_by: str
    # Hash of what affects the outcome; null when this version is the removal.
    config_hash: NotRequired[str | None]
    # `model` or `universe`.
    kind: str
    name: str
    # `file` or `api`.
    origin: str
    # Counted from 1.
    version: int


class CatalogueChanges(TypedDict):
    """Changes of models and universes."""

    changes: list[CatalogueChange]
    count: int


class ConfidenceInterval(TypedDict):
    """Confidence interval of the mean, with this level."""

    high: float
    level: float
    low: float


class CoverageTotals(TypedDict):
    bars: int
    known_absent: int
    missing_sessions: int
    symbols: int


class Curve(TypedDict):
    """The course of a portfolio or a benchmark."""

    # `model` or `benchmark`.
    kind: str
    model: str
    # The first stale day; all later ones are. Null when none is.
    stale_from: NotRequired[str | None]
    # Dollars at its beginning.
    starting_value: float
    trial: NotRequired[int | None]
    # The return since its beginning at the close of each of `dates`, as a fraction, rounded to six places:
    # of a date without a day of its own that of the day before; null before its first day and after its
    # last.
    values: list[float | None]


class Curves(TypedDict):
    """The course of portfolios and benchmarks."""

    count: int
    curves: list[Curve]
    # The dates of the points, oldest first.
    dates: list[str]
    experiment: str
    # How many dates there are; more than `dates` has when they were thinned out.
    total_dates: int


class DailyMetrics(TypedDict):
    days_since_last_trading: int
    profit: Number
    return_pct: Number


class DayCorporateAction(TypedDict):
    # `split`, `dividend`, `spin_off`, `rename`, `stock_merger`, `cash_merger` or `delisting`.
    action_type: str
    # Dollars that were paid, those for fractions of shares included.
    cash: Number
    # True when nobody knew what is paid for a share, and the last close was taken.
    estimated: NotRequired[bool]
    # How many shares of it were received.
    new_shares: NotRequired[int]
    # The symbol whose shares were received; only of spin-offs, renames and mergers.
    new_symbol: NotRequired[str]
    per_share: NotRequired[Number | None]
    # Of a split: new to old shares, e.g. `10:1`. Of a spin-off or a merger: shares of the new symbol for
    # shares of the old one.
    ratio: NotRequired[str | None]
    shares_after: int
    shares_before: int
    symbol: str


class DayMetadata(TypedDict):
    completed_at: str
    session_duration_seconds: float
    total_actions: int


class DayResult(TypedDict):
    """A model-day."""

    # The effects of corporate actions on the holdings before the open.
    corporate_actions: list[DayCorporateAction]
    daily_metrics: DailyMetrics
    date: str
    experiment: str
    final_position: Position
    # Whether the day is within the model's training data; null when its cutoff is unknown.
    in_sample: NotRequired[bool | None]
    job_id: str
    metadata: DayMetadata
    model: str
    reasoning: NotRequired[Reasoning | None]
    refused_orders: list[RefusedOrder]
    revision: int
    stale: bool
    starting_position: Position
    # What was traded or held at prices that are adjusted for dividends, at which no trade happened.
    total_return_symbols: NotRequired[list[str]]
    trades: list[DayTrade]
    trial: int


class DayResults(TypedDict):
    """The model-days of a date."""

    count: int
    results: list[DayResult]


class DayTrade(TypedDict):
    action_type: str
    created_at: str
    fee: Number
    price: Number
    quantity: int
    symbol: str


class DeadLetter(TypedDict):
    # The beginning of the body; bytes that are not UTF-8 are shown as `\u{fffd}`.
    body: str
    body_bytes: int
    body_truncated: bool
    died_at: str
    # When it was discarded.
    discarded_at: NotRequired[str | None]
    # The name of the API token that discarded it, or `anonymous`.
    discarded_by: NotRequired[str | None]
    exchange: NotRequired[str | None]
    headers: Any
    id: int
    message_id: NotRequired[str | None]
    queue: NotRequired[str | None]
    reason: str
    # When it was replayed.
    replayed_at: NotRequired[str | None]
    # The name of the API token that replayed it, or `anonymous`.
    replayed_by: NotRequired[str | None]
    routing_key: str
    # `open`, `replayed` or `discarded`.
    state: str
    # Null when it is not known.
    trace_id: NotRequired[str | None]
    # Where it is shown; null when that is not known (`TRACE_URL_TEMPLATE`).
    trace_url: NotRequired[str | None]
    type: NotRequired[str | None]


class DeadLetters(TypedDict):
    """A page of dead letters."""

    count: int
    dead_letters: list[DeadLetter]
    next_cursor: NotRequired[str | None]


class Deployment(TypedDict):
    """The deployment's mode, as fields that responses end with."""

    # `PROD` or `DEV`.
    deployment_mode: str
    # Whether the mode is `DEV`.
    is_dev_mode: bool
    # In `DEV`: whether data are kept over a restart. Null in `PROD`.
    preserve_dev_data: NotRequired[bool | None]


class Download(TypedDict):
    """Progress of the download."""

    budget: NotRequired[int | None]
    symbols_done: int
    symbols_total: int


class EndedModelDay(TypedDict):
    """A model-day that has ended, with what an agent said and did."""

    # How often it was begun.
    attempt: int
    completed_at: str
    date: str
    # Why an agent's day ended.
    end_reason: NotRequired[str | None]
    # Why it failed, or was skipped.
    error: NotRequired[str | None]
    job_id: str
    model: str
    # Of a completed day: the highest of a portfolio's date counts.
    revision: NotRequired[int | None]
    # `completed`, `failed` or `skipped`.
    status: str
    # What the agent said last.
    summary: NotRequired[str | None]
    # All turns in order; empty for models that say nothing. A recorded model has what came with its orders.
    transcript: list[TranscriptTurn]
    trial: int
    # Tokens and dollars.
    usage: NotRequired[dict[str, Any] | None]


class Equity(TypedDict):
    """A page of days' values."""

    count: int
    equity: list[EquityRow]
    next_cursor: NotRequired[str | None]


EquityRow = TypedDict(
    "EquityRow",
    {
        # Dollars of it that are cash.
        "cash": "float",
        # The session.
        "date": "str",
        # The portfolio's experiment.
        "experiment": "str",
        # The job that ran the day.
        "job_id": "str",
        # The portfolio's model.
        "model": "str",
        # As in `/results`: open to open, overnight moves included.
        "profit": "float",
        # Close to close, as a fraction; of a first day, from the capital it began with. The leaderboard's
        # statistics are of these. Null when there was nothing to begin with.
        "return": "float | None",
        # `profit` in percent.
        "return_pct": "float",
        # Dollars at the open, before the first order.
        "starting_value": "float",
        # The portfolio's trial, from 0.
        "trial": "int",
        # Dollars at the close.
        "value_at_close": "float",
        # Dollars after the last order, at the open's prices.
        "value_at_open": "float",
    },
)


class Event(TypedDict):
    """An event: its CloudEvents 1.0 attributes, and its positions in the log."""

    # The body as it was sent, or cut.
    data: dict[str, Any]
    datacontenttype: str
    dataschema: str
    # Unique together with `source`.
    id: str
    # Its number within the job.
    number: int
    # Its position among all events.
    position: int
    source: str
    specversion: str
    # The job's id.
    subject: str
    time: str
    traceparent: NotRequired[str | None]
    type: str


class EventPage(TypedDict):
    """A page of events."""

    count: int
    events: list[Event]
    # The value of `after` for the next page; unchanged at the end of the log.
    next_after: int


class Experiment(TypedDict):
    """An experiment with a completed day."""

    experiment: str
    # How many models have completed a day in it.
    models: int
    # How many portfolios have: models times trials.
    portfolios: int


class Experiments(TypedDict):
    """A page of experiments."""

    count: int
    experiments: list[Experiment]
    next_cursor: NotRequired[str | None]


class Failure(TypedDict):
    """The failed days with one cause."""

    # How many days failed so.
    days: int
    # Why the first of them failed.
    error: str
    first_date: str
    last_date: str
    # The model of the first of them.
    model: str
    # The models concerned.
    models: list[str]
    # Its trial.
    trial: int


class Failures(TypedDict):
    """Why days of a job failed."""

    count: int
    failures: list[Failure]
    job_id: str


class FileMistake(TypedDict):
    """A mistake in a file."""

    # What to do about it.
    fix: str
    # Where, such as `models.NAME.trials` or `line 3`.
    key: str
    problem: str


class Grid(TypedDict):
    """The states of a job's model-days."""

    # The requested dates, oldest first.
    dates: list[str]
    job_id: str
    # A lane for each portfolio, in the order of the request.
    lanes: list[GridLane]
    # The value of `after` for the next page; null on the last.
    next_after: NotRequired[int | None]
    # How many lanes the job has.
    total_lanes: int


class GridLane(TypedDict):
    """The model-days of one portfolio."""

    model: str
    # A letter for each of `dates`: `c` completed, `f` failed, `r` running, `.` pending, `h` skipped since
    # the market was closed, `a` skipped since an earlier job had completed it, `s` skipped for another
    # reason, a space where the job was not requested for it.
    states: str
    trial: int


class Health(TypedDict):
    """Health of the process."""

    # `connected` or `disconnected`.
    broker: str
    # `connected` or `disconnected`.
    database: str
    # What does not go on, and why. Absent when all is well.
    degraded: NotRequired[list[str]]
    # `PROD` or `DEV`.
    deployment_mode: str
    # Whether the mode is `DEV`.
    is_dev_mode: bool
    # In `DEV`: whether data are kept over a restart. Null in `PROD`.
    preserve_dev_data: NotRequired[bool | None]
    # What another process does at this moment; this one takes it over within a second when that one ends.
    # Absent when this process does everything.
    standing_by: NotRequired[list[str]]
    # `healthy`, `degraded` when callers are served but something does not go on, or `unhealthy`.
    status: str
    # The current time.
    timestamp: str


class Holding(TypedDict):
    # The session of that price.
    price_date: NotRequired[str]
    quantity: int
    # True when the symbol had no bar on the day and is valued at its last known price.
    stale: NotRequired[bool]
    symbol: str


# An import.
Import = TypedDict(
    "Import",
    {
        # The first date of the file.
        "from": "str",
        "id": "int",
        "imported_at": "str",
        # The name of the API token that sent it, or `anonymous`.
        "imported_by": "str",
        "inserted": "int",
        # `bars`, `splits` or `dividends`.
        "kind": "str",
        "replaced": "int",
        "symbols": "int",
        # The last date of the file.
        "to": "str",
        "unchanged": "int",
    },
)


# The first and the last date of a file.
ImportedDates = TypedDict(
    "ImportedDates",
    {
        "from": "str",
        "to": "str",
    },
)


class ImportedPrices(TypedDict):
    """What an import did."""

    # Rows of a file of bars.
    bars_received: NotRequired[int]
    # What the prices of a file of bars are based on, as the file's columns or the parameter say.
    basis: NotRequired[str]
    dates: ImportedDates
    # Rows of a file of delistings.
    delistings_received: NotRequired[int]
    # Rows of a file of dividends, or dividends in the columns of a file of bars.
    dividends_received: NotRequired[int]
    # True when nothing was stored, because the request said so.
    dry_run: NotRequired[bool]
    # Columns that were not read.
    ignored_columns: NotRequired[list[str]]
    # Rows that were new.
    inserted: int
    # Rows of a file of mergers.
    mergers_received: NotRequired[int]
    # What was done with the rows beyond reading them, in sentences.
    notes: NotRequired[list[str]]
    # Rows of a file of changed symbols.
    renames_received: NotRequired[int]
    # Rows that took the place of different ones.
    replaced: int
    # Rows of a file of spin-offs.
    spin_offs_received: NotRequired[int]
    # Rows of a file of splits, or splits in the columns of a file of bars.
    splits_received: NotRequired[int]
    # Completed model-days, of this import and earlier ones, that stand on prices which were replaced after
    # they ran, or on corporate actions which were imported then. A job with `reprocess_stale` runs them
    # again.
    stale_days: int
    # Different symbols of the file.
    symbols: int
    # Rows that were stored already.
    unchanged: int


class Imports(TypedDict):
    """A page of imports."""

    count: int
    imports: list[Import]
    next_cursor: NotRequired[str | None]


class InvalidField(TypedDict):
    """One invalid field."""

    # The value in the request.
    input: Any
    # Path to the field: `body`, `query`, `path` or `header`, then names and indices.
    loc: list[Any]
    # What is wrong with it.
    msg: str
    # The name of the violated rule.
    type: str


class JobStatus(TypedDict):
    """The status of a job."""

    # The name of the API token that cancelled it, or `anonymous`.
    cancelled_by: NotRequired[str | None]
    completed_at: NotRequired[str | None]
    created_at: str
    date_range: list[str]
    # `PROD` or `DEV`.
    deployment_mode: str
    details: list[ModelDay]
    # Path to the rest of the details.
    details_next: NotRequired[str | None]
    download: NotRequired[Download | None]
    error: NotRequired[str | None]
    experiment: str
    # Whether the mode is `DEV`.
    is_dev_mode: bool
    job_id: str
    models: list[str]
    # What is paused that the job waits for; absent when it waits for none.
    paused: NotRequired[list[PauseDetail]]
    # In `DEV`: whether data are kept over a restart. Null in `PROD`.
    preserve_dev_data: NotRequired[bool | None]
    # Which jobs go first: `low`, `normal` or `high`.
    priority: str
    progress: Progress
    # The name of the API token that started it, or `anonymous`; null when that was not recorded.
    requested_by: NotRequired[str | None]
    # The job whose failed model-days this one runs again.
    retry_of: NotRequired[str | None]
    # Known once the job has ended.
    stale_days: NotRequired[int | None]
    started_at: NotRequired[str | None]
    status: str
    total_duration_seconds: NotRequired[float | None]
    # Null when it is not known.
    trace_id: NotRequired[str | None]
    # Where it is shown; null when that is not known (`TRACE_URL_TEMPLATE`).
    trace_url: NotRequired[str | None]
    usage: NotRequired[Usage | None]
    waiting: NotRequired[Waiting | None]
    # Until when the job waits for the provider's budget; null when it does not wait.
    waiting_for: NotRequired[str | None]
    # The codes of `warnings`, in their order.
    warning_codes: NotRequired[list[str] | None]
    warning_details: list[Warning]
    warnings: NotRequired[list[str] | None]


class JobSummary(TypedDict):
    """A job in short: as `GET /jobs` lists it, and as part of its status."""

    # The name of the API token that cancelled it, or `anonymous`.
    cancelled_by: NotRequired[str | None]
    completed_at: NotRequired[str | None]
    created_at: str
    error: NotRequired[str | None]
    experiment: str
    job_id: str
    models: list[str]
    # What is paused that the job waits for; absent when it waits for none.
    paused: NotRequired[list[PauseDetail]]
    # Which jobs go first: `low`, `normal` or `high`.
    priority: str
    progress: Progress
    # The name of the API token that started it, or `anonymous`; null when that was not recorded.
    requested_by: NotRequired[str | None]
    # The job whose failed model-days this one runs again.
    retry_of: NotRequired[str | None]
    started_at: NotRequired[str | None]
    status: str
    total_duration_seconds: NotRequired[float | None]
    # The codes of `warnings`, in their order.
    warning_codes: NotRequired[list[str] | None]
    warnings: NotRequired[list[str] | None]


class Jobs(TypedDict):
    """A page of jobs."""

    count: int
    jobs: list[JobSummary]
    next_cursor: NotRequired[str | None]
    # With `counts`: how many jobs are in each state, whatever `status`, `ids` and `cursor` are; states
    # without a job are left out.
    states: NotRequired[dict[str, Any]]


class KeyMistake(TypedDict):
    """A mistake in the file, or in a setting that names keys."""

    # What to do about it.
    fix: str
    key: str
    problem: str


class KeysFile(TypedDict):
    """What reading the file of keys again has changed, by the names of variables."""

    added: list[str]
    # Those with another value, or for other hosts.
    changed: list[str]
    # The file, as its setting names it.
    file: str
    # `key`.
    kind: str
    mistakes: list[KeyMistake]
    removed: list[str]
    # Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool
    # How many keys are as they were.
    unchanged: int


class Leaderboard(TypedDict):
    """The leaderboard; the dates are those of the days shown, null without any."""

    # The benchmark of alpha, beta and the information ratio: the universe's index fund. Null when its
    # prices are unknown.
    benchmark: NotRequired[str | None]
    # Pairs of models of which at least one has several trials.
    comparisons: list[ModelComparison]
    count: int
    end_date: NotRequired[str | None]
    experiment: str
    # Each model over its trials, by name.
    models: list[ModelTrials]
    # What cash earns each session, as a fraction.
    risk_free: float
    rows: list[LeaderboardRow]
    start_date: NotRequired[str | None]


# Fractions unless a name says percent. An undefined figure is null, and `reasons` says why.
LeaderboardFigures = TypedDict(
    "LeaderboardFigures",
    {
        # Return over a year that `beta` does not explain.
        "alpha": "NotRequired[float | None]",
        # The return over a year of 252 sessions; noise when there are few.
        "annual_return": "NotRequired[float | None]",
        # How far the daily returns move with the benchmark's.
        "beta": "NotRequired[float | None]",
        # `annual_return` over the largest fall.
        "calmar": "NotRequired[float | None]",
        "final_value": "Number",
        # Mean daily return beyond the benchmark's over its standard deviation, over a year.
        "information_ratio": "NotRequired[float | None]",
        # The largest fall from an earlier high: 0 or less.
        "max_drawdown": "NotRequired[float | None]",
        "model_days": "NotRequired[int | None]",
        "reasons": "dict[str, Any]",
        "return": "NotRequired[float | None]",
        "return_pct": "NotRequired[Number | None]",
        # Mean daily return beyond `risk_free` over its standard deviation, over a year.
        "sharpe": "NotRequired[float | None]",
        # As `sharpe`, over the deviation of losses only.
        "sortino": "NotRequired[float | None]",
        "stale_days": "NotRequired[int | None]",
        "starting_value": "Number",
        "trades": "NotRequired[int | None]",
        # Dollars bought and sold over the mean value.
        "turnover": "NotRequired[float | None]",
        # Standard deviation of the daily returns, over a year.
        "volatility": "NotRequired[float | None]",
        # Share of all days with a gain.
        "win_rate": "NotRequired[float | None]",
    },
)


# A model's portfolio or a benchmark, with its figures.
LeaderboardRow = TypedDict(
    "LeaderboardRow",
    {
        # Whether the agent called a tool in any of its completed days; null for other models, and when it
        # is unknown.
        "acted": "NotRequired[bool | None]",
        # Return over a year that `beta` does not explain.
        "alpha": "NotRequired[float | None]",
        # The return over a year of 252 sessions; noise when there are few.
        "annual_return": "NotRequired[float | None]",
        # How far the daily returns move with the benchmark's.
        "beta": "NotRequired[float | None]",
        # `annual_return` over the largest fall.
        "calmar": "NotRequired[float | None]",
        "final_value": "Number",
        "in_sample": "NotRequired[SamplePart | None]",
        "in_sample_reason": "NotRequired[str | None]",
        # Mean daily return beyond the benchmark's over its standard deviation, over a year.
        "information_ratio": "NotRequired[float | None]",
        "kind": "str",
        # The largest fall from an earlier high: 0 or less.
        "max_drawdown": "NotRequired[float | None]",
        "model": "str",
        "model_days": "NotRequired[int | None]",
        "out_of_sample": "NotRequired[SamplePart | None]",
        "out_of_sample_reason": "NotRequired[str | None]",
        # The figures of a benchmark without its dividends; only where it was paid any.
        "price_only": "NotRequired[LeaderboardFigures]",
        "rank": "int",
        "reasons": "dict[str, Any]",
        "return": "NotRequired[float | None]",
        "return_pct": "NotRequired[Number | None]",
        # Mean daily return beyond `risk_free` over its standard deviation, over a year.
        "sharpe": "NotRequired[float | None]",
        # As `sharpe`, over the deviation of losses only.
        "sortino": "NotRequired[float | None]",
        # What is held at the end without a bar of the last day, and valued at its last known price.
        "stale": "NotRequired[list[StaleHolding]]",
        "stale_days": "NotRequired[int | None]",
        # The first day of the portfolio that is stale; all later ones are. Absent when none is.
        "stale_from": "NotRequired[str]",
        "starting_value": "Number",
        # What was traded or held at prices that are adjusted for dividends: no trade happened at them, and
        # figures of such days do not compare with others.
        "total_return_symbols": "NotRequired[list[str]]",
        "trades": "NotRequired[int | None]",
        "training_cutoff": "NotRequired[str]",
        "trial": "NotRequired[int | None]",
        # Dollars bought and sold over the mean value.
        "turnover": "NotRequired[float | None]",
        "usage": "NotRequired[Usage | None]",
        # Standard deviation of the daily returns, over a year.
        "volatility": "NotRequired[float | None]",
        # Share of all days with a gain.
        "win_rate": "NotRequired[float | None]",
    },
)


# Sessions that follow each other.
MissingSessions = TypedDict(
    "MissingSessions",
    {
        "from": "str",
        "sessions": "int",
        "to": "str",
    },
)


class ModelComparison(TypedDict):
    """Whether the returns of two models differ significantly. The p-values are null together with
    `distinguishable`.
    """

    a: str
    b: str
    # Mean return of `a` minus that of `b`.
    difference: NotRequired[float | None]
    distinguishable: NotRequired[bool | None]
    # The same after Holm's correction over all tested pairs; this one decides.
    p_adjusted: NotRequired[float | None]
    # P-value of Welch's test, two-sided.
    p_value: NotRequired[float | None]
    reason: NotRequired[str | None]
    significance: float


class ModelDay(TypedDict):
    """A model-day."""

    completed_at: NotRequired[str | None]
    date: str
    duration_seconds: NotRequired[float | None]
    error: NotRequired[str | None]
    model: str
    started_at: NotRequired[str | None]
    status: str
    trial: int


class ModelDays(TypedDict):
    """A page of a job's model-days."""

    count: int
    job_id: str
    model_days: list[ModelDay]
    next_cursor: NotRequired[str | None]


class ModelDetails(TypedDict):
    """A model with its members and versions."""

    changed_at: str
    # Who stored this version: the name of an API token, `anonymous`, `start` or `SIGHUP`.
    changed_by: str
    # Hash of everything in its configuration that affects the outcome.
    config_hash: str
    # Whether it runs when a request names no models.
    enabled: bool
    # Cash before its first day.
    initial_cash: Number
    # How it decides: `recorded`, `policy`, `llm`, `http` or `mcp`.
    kind: str
    # The members of its entry, with the texts of the files that it names.
    members: dict[str, Any]
    # Where this version comes from: `file` or `api`.
    origin: str
    # Whether it can run: its endpoint may be called, and the executor has its key.
    ready: bool
    # Its name.
    signature: str
    # Last date that its training data may contain; null when that is unknown.
    training_cutoff: NotRequired[str | None]
    # How many separate portfolios it runs.
    trials: int
    # The number of this version.
    version: int
    # The last 100 versions, newest first.
    versions: list[VersionBody]
    # Why it cannot; absent when it can.
    why: NotRequired[str]


class ModelEntry(TypedDict):
    """A configured model."""

    # Hash of everything in its configuration that affects the outcome.
    config_hash: str
    # Whether it runs when a request names no models.
    enabled: bool
    # Cash before its first day.
    initial_cash: Number
    # How it decides: `recorded`, `policy`, `llm`, `http` or `mcp`.
    kind: str
    # Where this version comes from: `file` or `api`.
    origin: str
    # Whether it can run: its endpoint may be called, and the executor has its key.
    ready: bool
    # Its name.
    signature: str
    # Last date that its training data may contain; null when that is unknown.
    training_cutoff: NotRequired[str | None]
    # How many separate portfolios it runs.
    trials: int
    # The number of this version.
    version: int
    # Why it cannot; absent when it can.
    why: NotRequired[str]


class ModelMembers(TypedDict):
    """The members of a model, as in an entry of `configs/models.toml`; docs/configuration.md says what
    they mean.
    """

    # `llm`, `http`: the executor's environment variable that holds the key; it must belong to the
    # endpoint's host.
    api_key_env: NotRequired[str | None]
    # `llm`: the address of the endpoint.
    base_url: NotRequired[str | None]
    # `llm`: the model's name at the endpoint.
    basemodel: NotRequired[str | None]
    # `llm`, `http`: days of the endpoint that run at the same time.
    concurrency: NotRequired[int | None]
    # `llm`, `http`: `reported` or `prices`.
    cost_basis: NotRequired[str | None]
    # `bps`, `per_share`, `min`, `max_bps_of_notional`, `slippage_bps`.
    costs: NotRequired[dict[str, Any] | None]
    # `recorded`: lines of `model,date,sequence,action,symbol,quantity`.
    decisions_csv: NotRequired[str | None]
    # `llm`: the endpoint's protocol: `chat_completions`, `messages` or `responses`.
    dialect: NotRequired[str | None]
    # Whether it runs when a request names no models; false when absent.
    enabled: NotRequired[bool | None]
    # Dollars before the first day, as text or number; 10000 when absent.
    initial_cash: NotRequired[Any]
    # How it decides: `recorded`, `policy`, `llm` or `http`.
    kind: str
    # `llm`, `http`: limits of a day.
    limits: NotRequired[dict[str, Any] | None]
    # `policy`: the rule with its parameters.
    policy: NotRequired[dict[str, Any] | None]
    # `llm`, `http`: dollars a million tokens.
    prices: NotRequired[dict[str, Any] | None]
    # `llm`: the name of the prompt.
    prompt: NotRequired[str | None]
    # `llm`: the text of the prompt.
    prompt_text: NotRequired[str | None]
    # `llm`, `http`: sampling parameters.
    sampling: NotRequired[dict[str, Any] | None]
    # `llm`, `http`: whether it may search the web.
    search: NotRequired[bool | None]
    # As in the address, or absent.
    signature: NotRequired[str | None]
    # `llm`, `http`: seconds without a byte after which a call is aborted.
    timeout_seconds: NotRequired[int | None]
    # `llm`, `http`: tokens that are sent to the endpoint in a minute.
    tokens_per_minute: NotRequired[int | None]
    # Last date of the model's training data.
    training_cutoff: NotRequired[str | None]
    # Separate portfolios; 1 when absent.
    trials: NotRequired[int | None]
    # `http`: the address of the agent.
    url: NotRequired[str | None]


class ModelTrials(TypedDict):
    """A model over its trials; figures are fractions. An undefined figure is null, and `reasons` says why."""

    interval: NotRequired[ConfidenceInterval | None]
    mean_return: NotRequired[float | None]
    model: str
    reasons: dict[str, Any]
    std_dev: NotRequired[float | None]
    trials: int


class Models(TypedDict):
    """The configured models."""

    count: int
    models: list[ModelEntry]


# An exact decimal, written digit by digit.
Number: TypeAlias = "float"


class Pause(TypedDict):
    """A pause, and what it holds up."""

    # Turns, preparations or calls of it that still run. With 0, a second after the pause or later, it is
    # drained.
    in_hand: int
    # The jobs of them, at most ten; calls name none.
    jobs_in_hand: list[str]
    # What is paused: `model`, `source` or `queue`.
    kind: str
    # The same in a sentence.
    message: str
    name: str
    paused_at: str
    # The name of the API token that paused it, or `anonymous`.
    paused_by: str
    # The reason, as it was given; null without a reason.
    reason: NotRequired[str | None]
    # Jobs that have lanes or prices that wait because of it.
    waiting_jobs: int
    # Lanes that wait because of it.
    waiting_lanes: int


class PauseDetail(TypedDict):
    """Something paused that a job waits for."""

    # `model`, `source` or `queue`.
    kind: str
    # The same in a sentence.
    message: str
    name: str
    paused_at: str
    # The name of the API token that paused it, or `anonymous`.
    paused_by: str
    # The reason, as it was given; null without a reason.
    reason: NotRequired[str | None]


class PauseMembers(TypedDict):
    """Why something is paused."""

    # Why, for those who read that it is paused. Absent: the reason stays as it is.
    reason: NotRequired[str | None]


class Pauses(TypedDict):
    """Everything that is paused."""

    count: int
    pauses: list[Pause]


class PeriodMetrics(TypedDict):
    annualized_return_pct: NotRequired[float | None]
    calendar_days: int
    ending_portfolio_value: Number
    period_return_pct: float
    starting_portfolio_value: Number
    trading_days: int


class Plan(TypedDict):
    """What a job would do if it were triggered now."""

    cost: PlanCost
    # `PROD` or `DEV`.
    deployment_mode: str
    end_date: str
    experiment: str
    # Whether the mode is `DEV`.
    is_dev_mode: bool
    model_days: PlannedDays
    models: list[PlannedModel]
    # In `DEV`: whether data are kept over a restart. Null in `PROD`.
    preserve_dev_data: NotRequired[bool | None]
    prices: PlannedDownload
    start_date: str
    total_model_days: int
    warnings: NotRequired[list[str] | None]


class PlanAmount(TypedDict):
    """An amount for all days that would run, and what it is based on."""

    basis: str
    # Past days that the amount is based on.
    past_days: int
    per_day: NotRequired[Number | None]
    total: NotRequired[Number | None]


class PlanCost(TypedDict):
    """Dollars of all agents."""

    basis: str
    budget: NotRequired[Number | None]
    budget_suffices: NotRequired[bool | None]
    # The part of the total that is known.
    known: Number
    reason: NotRequired[str | None]
    total: NotRequired[Number | None]
    unknown_models: list[str]


class PlanEstimate(TypedDict):
    cost: PlanAmount
    tokens: PlanAmount


class PlannedDays(TypedDict):
    """Requested model-days, by what would become of them."""

    already_completed: int
    incomplete_prices: int
    market_closed: int
    to_run: int


class PlannedDownload(TypedDict):
    """What would be downloaded, if anything."""

    # Calls left in the tightest windows of an hour or more, of all providers together; null without one, or
    # when it is unknown.
    budget_left: NotRequired[int | None]
    # When the budget does not suffice: when it returns.
    budget_returns_at: NotRequired[str | None]
    # Whether the budget covers the requests; null when that is unknown.
    budget_suffices: NotRequired[bool | None]
    # Sessions that lack some.
    dates: int
    first_date: NotRequired[str | None]
    last_date: NotRequired[str | None]
    # Sessions whose prices no provider can have yet.
    not_yet_available: int
    # When the budget does not suffice: what is missing then, and what can be done.
    outlook: NotRequired[str | None]
    # The most preferred one; null when there is none, or it is unknown.
    provider: NotRequired[str | None]
    reason: NotRequired[str | None]
    # Calls that would fetch them.
    requests: int
    # Symbols that lack prices.
    symbols: int
    # When the budget does not suffice: in how many of its windows, beside this one, the rest fits.
    windows: NotRequired[int | None]


class PlannedModel(TypedDict):
    estimate: NotRequired[PlanEstimate | None]
    # First and last session that would be run; null when there is none.
    first_date: NotRequired[str | None]
    kind: str
    last_date: NotRequired[str | None]
    model: str
    model_days: PlannedDays
    # Whether it can run; a job with a model that cannot is refused.
    ready: bool
    trials: int
    # Why it cannot; absent when it can.
    why: NotRequired[str]


class PortfolioSeries(TypedDict):
    """A portfolio over a range of dates, cut to its first and last day."""

    daily_portfolio_values: list[Any]
    end_date: str
    experiment: str
    model: str
    period_metrics: PeriodMetrics
    stale_days: int
    start_date: str
    # What was traded or held at prices that are adjusted for dividends, at which no trade happened.
    total_return_symbols: NotRequired[list[str]]
    trial: int


class Position(TypedDict):
    """What was held, and its value at the day's open. `portfolio_value_close` is the value at the day's
    close for the final position, and at the close of the previous day for the starting one.
    """

    cash: Number
    holdings: list[Holding]
    portfolio_value: Number
    portfolio_value_close: Number


class PositionRow(TypedDict):
    # The session.
    date: str
    # The portfolio's experiment.
    experiment: str
    # The job that ran the day.
    job_id: str
    # The portfolio's model.
    model: str
    # Dollars a share at the day's close, or at the last one known before; null for the cash.
    price: float | None
    # The session of the price; null for the cash.
    price_date: str | None
    # Shares; null for the cash.
    quantity: int | None
    # Whether the price is of an earlier session than the day.
    stale: bool
    # What is held; `$CASH` in the row of the cash.
    symbol: str
    # The portfolio's trial, from 0.
    trial: int
    # Dollars; null when no price is known.
    value: float | None


class Positions(TypedDict):
    """A page of positions."""

    count: int
    next_cursor: NotRequired[str | None]
    positions: list[PositionRow]


class PriceBar(TypedDict):
    """The bar of a symbol and a session."""

    close: Number
    date: str
    high: Number
    low: Number
    open: Number
    symbol: str
    volume: int


class PriceCoverage(TypedDict):
    """Which bars there are."""

    end_date: NotRequired[str | None]
    next_cursor: NotRequired[str | None]
    # Sessions in the range.
    sessions: int
    # The range that the counts are about; null when nothing is stored and none was requested.
    start_date: NotRequired[str | None]
    symbols: list[SymbolCoverage]
    # Over all symbols, not only those of this page.
    totals: CoverageTotals


class Problem(TypedDict):
    """An error response, as RFC 9457 defines it."""

    # What is wrong, and what to do about it.
    detail: str
    # With status 422: every invalid field.
    errors: NotRequired[list[InvalidField]]
    # The requested path.
    instance: NotRequired[str | None]
    # The status; absent where clients of the original API would take it for the status of a job.
    status: NotRequired[int]
    # The status in words.
    title: str
    # The trace of the request, by which the log can be searched.
    trace_id: NotRequired[str | None]
    # Always `about:blank`: the status says which kind of error it is.
    type: str


class Progress(TypedDict):
    """Model-days by state; the five add up to the total."""

    completed: int
    failed: int
    pending: int
    running: int
    skipped: int
    total_model_days: int


class ProviderBudget(TypedDict):
    """A provider with its budget."""

    # Calls left in the tightest window of an hour or more; null when there is none.
    calls_left: NotRequired[int | None]
    # Whether there is a key; without one nothing is downloaded.
    key_configured: bool
    # E.g. `alpha_vantage`.
    name: str
    # What its key was bought for, as it is configured.
    plan: str
    # Until when the provider has said that it refuses calls; null when it has not.
    refused_until: NotRequired[str | None]
    windows: list[BudgetWindow]


class Providers(TypedDict):
    """Where prices come from."""

    providers: list[ProviderBudget]


class RangeResults(TypedDict):
    """The portfolios over a range of dates."""

    count: int
    results: list[PortfolioSeries]


Reasoning: TypeAlias = "str | list[SaidTurn]"


class RecordedConversation(TypedDict):
    """A conversation."""

    # All turns in order.
    turns: list[RecordedTurn]


# Who said it.
RecordedRole: TypeAlias = "Literal['system', 'user', 'assistant', 'tool']"


class RecordedTurn(TypedDict):
    """A turn of a conversation."""

    # Of a tool's answer: the arguments, as the model wrote them.
    arguments: NotRequired[str | None]
    content: str
    # Of a tool's answer: the tool.
    name: NotRequired[str | None]
    # Of a model's message: its reasoning.
    reasoning: NotRequired[str | None]
    role: RecordedRole
    # From 1; 0 when absent.
    step: NotRequired[int]


class RefusedOrder(TypedDict):
    action_type: str
    code: str
    quantity: str
    symbol: str


class Reloaded(TypedDict):
    """What reading the files again has changed."""

    files: list[ReloadedFile]


class ReloadedFile(TypedDict):
    """What reading a file again has changed."""

    added: list[str]
    changed: list[str]
    # Entries that do not count, because the API has stored others of these names.
    covered: list[str]
    # The file, as its setting names it.
    file: str
    # What its entries are: `model` or `universe`.
    kind: str
    mistakes: list[FileMistake]
    removed: list[str]
    # Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool
    # How many entries are as they were.
    unchanged: int


class ReloadedKeys(TypedDict):
    """What reading the keys again has changed."""

    # The file of `KEYS_FILE`; none when that is not set.
    files: list[KeysFile]


class ReloadedSources(TypedDict):
    """What reading the sources again has changed."""

    files: list[SourcesFile]


# Results of a day, or of a range.
Results: TypeAlias = "DayResults | RangeResults"


class SaidTurn(TypedDict):
    """A message of a conversation, with the field names of the original API."""

    content: str
    name: NotRequired[str | None]
    role: str
    step: int
    tool_input: NotRequired[str | None]


# The figures of a part, with its first and last day.
SamplePart = TypedDict(
    "SamplePart",
    {
        # Return over a year that `beta` does not explain.
        "alpha": "NotRequired[float | None]",
        # The return over a year of 252 sessions; noise when there are few.
        "annual_return": "NotRequired[float | None]",
        # How far the daily returns move with the benchmark's.
        "beta": "NotRequired[float | None]",
        # `annual_return` over the largest fall.
        "calmar": "NotRequired[float | None]",
        "end_date": "str",
        "final_value": "Number",
        # Mean daily return beyond the benchmark's over its standard deviation, over a year.
        "information_ratio": "NotRequired[float | None]",
        # The largest fall from an earlier high: 0 or less.
        "max_drawdown": "NotRequired[float | None]",
        "model_days": "NotRequired[int | None]",
        "reasons": "dict[str, Any]",
        "return": "NotRequired[float | None]",
        "return_pct": "NotRequired[Number | None]",
        # Mean daily return beyond `risk_free` over its standard deviation, over a year.
        "sharpe": "NotRequired[float | None]",
        # As `sharpe`, over the deviation of losses only.
        "sortino": "NotRequired[float | None]",
        "stale_days": "NotRequired[int | None]",
        "start_date": "str",
        "starting_value": "Number",
        "trades": "NotRequired[int | None]",
        # Dollars bought and sold over the mean value.
        "turnover": "NotRequired[float | None]",
        # Standard deviation of the daily returns, over a year.
        "volatility": "NotRequired[float | None]",
        # Share of all days with a gain.
        "win_rate": "NotRequired[float | None]",
    },
)


class SampleParts(TypedDict):
    """The figures up to the model's training cutoff, and after it; only of models that have a cutoff."""

    in_sample: NotRequired[SamplePart | None]
    in_sample_reason: NotRequired[str | None]
    out_of_sample: NotRequired[SamplePart | None]
    out_of_sample_reason: NotRequired[str | None]
    training_cutoff: NotRequired[str]


class SimulationRequest(TypedDict):
    """Which models to run over which dates."""

    # Dollars that the job's agents may cost, above zero: a decimal as text, or a number. Absent: no limit.
    budget: NotRequired[str | float | None]
    # Last date, `YYYY-MM-DD`; not in the future.
    end_date: str
    # Portfolios of one name continue each other; a new name starts from cash.
    experiment: NotRequired[str]
    # Names of configured models. Null, absent or empty: all that are enabled.
    models: NotRequired[list[str] | None]
    # After a failed day: `continue` with the next, or `stop`.
    on_failure: NotRequired[str]
    # Which jobs go first while more lanes are ready than can run: `low`, `normal` or `high`. It changes no
    # result.
    priority: NotRequired[str]
    replace_existing: NotRequired[bool | Literal['true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 't', 'f', '1', '0'] | Literal[0, 1]]
    reprocess_stale: NotRequired[bool | Literal['true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 't', 'f', '1', '0'] | Literal[0, 1]]
    # First date, `YYYY-MM-DD`. Null, absent or empty: each model continues after its last completed day.
    start_date: NotRequired[str | None]
    # The symbols that may be traded, in place of a universe.
    symbols: NotRequired[list[str] | None]
    # Name of the universe whose symbols may be traded. Null or absent: the default one, unless there are
    # `symbols`.
    universe: NotRequired[str | None]
    wait_for_data: NotRequired[bool | Literal['true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 't', 'f', '1', '0'] | Literal[0, 1]]


class SourceMistake(TypedDict):
    """A mistake in the file."""

    # What to do about it.
    fix: str
    key: str
    problem: str


class SourcesFile(TypedDict):
    """What reading the file of sources again has changed."""

    added: list[str]
    # `order` and `hand_over` are among them when these changed.
    changed: list[str]
    # The file, as its setting names it.
    file: str
    # `source`.
    kind: str
    mistakes: list[SourceMistake]
    removed: list[str]
    # Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool
    # How many sources are as they were.
    unchanged: int


class StaleHolding(TypedDict):
    """A holding that is valued at an earlier price."""

    # The session of the price; null when it is unknown.
    price_date: NotRequired[str | None]
    symbol: str


class SymbolCoverage(TypedDict):
    """One symbol's bars in the range."""

    bars: int
    first_bar: NotRequired[str | None]
    # Whether it belongs to the universe or is its benchmark; null when no universe is stored.
    in_universe: NotRequired[bool | None]
    # Sessions without a bar according to the provider; they are not downloaded again.
    known_absent: int
    last_bar: NotRequired[str | None]
    # The first 100 stretches of them.
    missing: list[MissingSessions]
    # Sessions of which nothing is known; a job that needs them downloads them.
    missing_sessions: int
    symbol: str


class Trace(TypedDict):
    """A trace."""

    # Null when it is not known.
    trace_id: NotRequired[str | None]
    # Where it is shown; null when that is not known (`TRACE_URL_TEMPLATE`).
    trace_url: NotRequired[str | None]


class TradeRow(TypedDict):
    # `buy` or `sell`.
    action_type: str
    # Dollars left after the trade.
    cash_after: float
    # When the day was completed.
    created_at: str
    # The session.
    date: str
    # The portfolio's experiment.
    experiment: str
    # Dollars.
    fee: float
    # The job that ran the day.
    job_id: str
    # The portfolio's model.
    model: str
    # Dollars a share.
    price: float
    # Shares.
    quantity: int
    # Place among the day's orders, from 0; refused ones count.
    sequence: int
    # What was traded.
    symbol: str
    # The portfolio's trial, from 0.
    trial: int


class Trades(TypedDict):
    """A page of trades."""

    count: int
    next_cursor: NotRequired[str | None]
    trades: list[TradeRow]


# One turn of a conversation.
TranscriptTurn = TypedDict(
    "TranscriptTurn",
    {
        # Of a tool's answer: the arguments, as the model wrote them.
        "arguments": "NotRequired[str]",
        # Of a tool's answer: the call's id.
        "call_id": "NotRequired[str]",
        # Of a model's message: its kind.
        "class": "NotRequired[str]",
        "content": "str",
        # What goes back to the endpoint unchanged: other members of the model's message or of the tool's
        # call, or the parts of the message as they came.
        "extra": "NotRequired[Any]",
        # Of a tool's answer: the call's place in the model's message, from 0.
        "index": "NotRequired[int]",
        # Of a tool's answer: the tool.
        "name": "NotRequired[str]",
        # Of a model's message: what the endpoint shows of its reasoning.
        "reasoning": "NotRequired[str]",
        # `system`, `user`, `assistant` or `tool`.
        "role": "str",
        # From 1; 0 for what is said before the first.
        "step": "int",
        # Of a model's message: how many tools it called.
        "tool_calls": "NotRequired[int]",
    },
)


class TryRequest(TypedDict):
    """What to try."""

    # The day: a session of the exchange whose prices are stored.
    date: str
    # Begin from the model's portfolio in this experiment, as it was after its last completed day before
    # `date`. Without it, the day begins from the model's cash.
    experiment: NotRequired[str | None]
    # What may be traded; without it and `universe`, the default universe.
    symbols: NotRequired[list[str] | None]
    # The portfolio's trial; 0 when absent.
    trial: NotRequired[int | None]
    # The name of a universe, in place of `symbols`.
    universe: NotRequired[str | None]


class UniverseDetails(TypedDict):
    """A universe with its versions."""

    # The index fund that results are compared with; it may be traded too. Null without one.
    benchmark: NotRequired[str | None]
    changed_at: str
    # Who stored this version: the name of an API token, `anonymous`, `start` or `SIGHUP`.
    changed_by: str
    # Hash of symbols and benchmark.
    config_hash: str
    # Whether jobs have it that name none.
    is_default: bool
    name: str
    # Where this version comes from: `file` or `api`.
    origin: str
    # The symbols that may be traded.
    symbols: list[str]
    # The number of this version.
    version: int
    # The last 100 versions, newest first.
    versions: list[VersionBody]


class UniverseEntry(TypedDict):
    """A universe."""

    # The index fund that results are compared with; it may be traded too. Null without one.
    benchmark: NotRequired[str | None]
    # Hash of symbols and benchmark.
    config_hash: str
    # Whether jobs have it that name none.
    is_default: bool
    name: str
    # Where this version comes from: `file` or `api`.
    origin: str
    # The symbols that may be traded.
    symbols: list[str]
    # The number of this version.
    version: int


class UniverseMembers(TypedDict):
    """The members of a universe."""

    # The index fund that results are compared with. Absent: that of the default universe. Null: none.
    benchmark: NotRequired[str | None]
    # The symbols that may be traded.
    symbols: list[str]


class Universes(TypedDict):
    """The universes."""

    count: int
    universes: list[UniverseEntry]


class Usage(TypedDict):
    """Sums over days. Prompt tokens include the cached ones, completion tokens the reasoning ones."""

    cached_tokens: int
    calls: int
    completion_tokens: int
    cost: NotRequired[Number | None]
    # Days whose usage is known.
    days: int
    possibly_paid_twice: int
    prompt_tokens: int
    reasoning_tokens: int
    # Calls of tools that the tools could use; null when they were not counted.
    tool_calls: NotRequired[int | None]
    # Calls whose tokens are unknown and not counted.
    unknown_calls: int
    # Calls whose cost is unknown and not counted.
    unpriced_calls: int


class VersionBody(TypedDict):
    """A version of a model or a universe."""

    changed_at: str
    # The name of the API token that stored it, `anonymous`, `start` or `SIGHUP`.
    changed_by: str
    # Hash of what affects the outcome; null when this version is the removal.
    config_hash: NotRequired[str | None]
    # `file` or `api`.
    origin: str
    # Counted from 1.
    version: int


class Waiting(TypedDict):
    """What a job waits for."""

    # The same in a sentence, and what can be done instead of waiting.
    message: str
    # Symbols that still lack prices.
    symbols_missing: int
    # When calls are allowed again.
    until: str
    # In how many windows of the budget, the next one included, they will be there; null when it is not
    # known.
    windows: NotRequired[int | None]


class Warning(TypedDict):
    """A problem that a job continued in spite of."""

    # A stable name, such as `RATE_LIMITED`.
    code: str
    # How many things are concerned.
    count: int
    # The dates concerned, if any.
    dates: list[str]
    # A sentence for people.
    message: str
    # The symbols concerned, if any.
    symbols: list[str]
