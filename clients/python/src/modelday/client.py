"""The API of one Modelday."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from . import events, frames, types
from .errors import ApiError, ModeldayError, Unreachable, api_error, did_you_mean
from .events import Event
from .job import Job

if TYPE_CHECKING:
    import pandas

Day = str | date


class Client:
    """Calls one Modelday.

    Without arguments: at `MODELDAY_URL`, or `http://127.0.0.1:8080`, with the token of `MODELDAY_TOKEN` if it is set.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout: float = 60.0) -> None:
        self.url = (url or os.environ.get("MODELDAY_URL") or "http://127.0.0.1:8080").rstrip("/")
        token = token or os.environ.get("MODELDAY_TOKEN", "").strip()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if not self.url.startswith(("http://", "https://")):
            raise ModeldayError(f"url: {self.url!r} is no address; write it as http://host:port")
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, trust_env=False)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    # Jobs

    def run(
        self,
        models: Sequence[str] | str | None = None,
        start: Day | None = None,
        end: Day | None = None,
        *,
        experiment: str = "default",
        wait: bool = True,
        progress: bool | None = None,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Job:
        """Runs models over dates and, unless `wait` is false, waits for the end.

        `models`: names; without them, all that are enabled.
        `start`, `end`: first and last date; without `start` each model continues after its last day.
        `experiment`: a new name starts from cash.
        `progress`: shown in notebooks and terminals unless it is set.
        `idempotency_key`: the same key with the same request is one job.
        `options`: other fields of `POST /simulate/trigger`, such as `replace_existing`, `wait_for_data`, `budget`.

        Raises `ApiError` when the request is refused, `JobFailed` when the job fails.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = self._request(models, start, end, experiment, options)
        accepted = self._post_request("/simulate/trigger", body, headers)
        job = Job(self, accepted["job_id"])
        if wait:
            job.wait(progress)
        return job

    def plan(
        self,
        models: Sequence[str] | str | None = None,
        start: Day | None = None,
        end: Day | None = None,
        *,
        experiment: str = "default",
        **options: Any,
    ) -> types.Plan:
        """What `run` with the same arguments would run, download and cost; runs nothing."""
        body = self._request(models, start, end, experiment, options)
        return cast(types.Plan, self._post_request("/simulate/plan", body, {}))

    def job(self, id: str) -> Job:
        """A job that was started before, here or elsewhere."""
        return Job(self, id)

    def jobs(self, status: str | None = None, model: str | None = None, limit: int = 100) -> list[types.JobSummary]:
        """At most `limit` jobs, newest first."""
        page = self.get("/jobs", status=status, model=model, limit=limit)
        return cast(list[types.JobSummary], page["jobs"])

    def events(
        self,
        after: int | None = None,
        *,
        type: str | None = None,
        experiment: str | None = None,
        model: str | None = None,
    ) -> Iterator[Event]:
        """The events of all jobs, or those of types such as `job.*`, of an experiment or a model; does not end.

        A lost connection is made again, without a gap.
        """
        return self.stream("/events", after, ends=False, type=type, experiment=experiment, model=model)

    # Results

    def equity(self, **of: Any) -> pandas.DataFrame:
        """The value of each portfolio, day by day: a row for each model-day.

        Keywords: `job`, `model`, `experiment`, `trial`, `start`, `end` choose rows; with `decimals=True` amounts are
        exact `Decimal`s instead of floats.
        """
        return self._table("equity", **of)

    def trades(self, **of: Any) -> pandas.DataFrame:
        """Every filled order. The keywords are those of `equity`."""
        return self._table("trades", **of)

    def positions(self, **of: Any) -> pandas.DataFrame:
        """What was held at the end of each day; `$CASH` is the cash. The keywords are those of `equity`."""
        return self._table("positions", **of)

    def returns(self, **of: Any) -> pandas.DataFrame:
        """Returns from close to close as fractions: a row for each date, a column for each portfolio.

        A column is what quantstats, empyrical and others want. The keywords are those of `equity`.
        """
        return frames.returns(self.equity(**of))

    def leaderboard(
        self,
        *,
        job: Job | str | None = None,
        models: Sequence[str] | str | None = None,
        experiment: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
        decimals: bool = False,
        **options: Any,
    ) -> pandas.DataFrame:
        """Portfolios and benchmarks with their figures; `options`: `reinvest`, `price_only`, `risk_free`."""
        names = ",".join(_names(models)) if models is not None else None
        query = {
            "job_id": _id(job),
            "models": names,
            "experiment": experiment,
            **_dates(start, end),
            **options,
        }
        response = self._send("GET", "/leaderboard", params=_query(query))
        body = response.json(parse_float=Decimal) if decimals else response.json()
        return frames.of_leaderboard(body["rows"], decimals)

    # Models and prices

    def models(self) -> list[types.ModelEntry]:
        """The models that jobs may name."""
        return cast(list[types.ModelEntry], self.get("/models")["models"])

    def coverage(
        self, symbol: str | None = None, start: Day | None = None, end: Day | None = None
    ) -> list[types.SymbolCoverage]:
        """Which prices are stored, symbol by symbol."""
        return list(self.pages("/prices/coverage", "symbols", symbol=symbol, **_dates(start, end)))

    def bars(
        self,
        symbols: Sequence[str] | str,
        start: Day | None = None,
        end: Day | None = None,
        *,
        as_of: Day | None = None,
        decimals: bool = False,
    ) -> pandas.DataFrame:
        """Stored prices: a row for each symbol and session, ordered by both.

        They are as they were traded; with `as_of`, as models saw them at the open of that day: the sessions before it,
        restated for the splits up to it. With `decimals=True` prices are exact `Decimal`s.
        """
        query = {"symbol": ",".join(_names(symbols)), "start": start, "end": end, "as_of": as_of}
        return frames.of_bars(self.download("/prices/bars", format="parquet", **query), decimals)

    def import_prices(
        self,
        prices: pandas.DataFrame | str | Path | bytes,
        *,
        replace: bool = False,
        dry_run: bool = False,
        **options: Any,
    ) -> types.ImportedPrices:
        """Stores daily prices: a frame, or a file as vendors write it (CSV, JSON or Parquet).

        `replace` stores over what differs, `dry_run` stores nothing and says what would be stored; `options`: `symbol`,
        `basis`, `kind` and others of `POST /prices/import`.
        """
        query = {**options, "replace": replace or None, "dry_run": dry_run or None}
        if isinstance(prices, bytes):
            content = prices
        elif isinstance(prices, (str, Path)):
            content = Path(prices).read_bytes()
            query.setdefault("file_name", Path(prices).name)
        else:
            named = prices if prices.index.names == [None] else prices.reset_index()
            content = named.to_csv(index=False).encode()
        headers = {"Content-Type": "application/octet-stream"}
        response = self._send("POST", "/prices/import", params=_query(query), content=content, headers=headers)
        return cast(types.ImportedPrices, response.json())

    # The API itself, for what has no method here

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET request."""
        return self._send("GET", path, params=_query(query)).json()

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The body of the response to a POST request with a JSON body, or without one."""
        return self._send("POST", path, json=body, headers=headers or {}).json()

    def download(self, path: str, **query: Any) -> bytes:
        """The bytes of a file."""
        return self._send("GET", path, params=_query(query)).content

    def pages(self, path: str, list_name: str, **query: Any) -> Iterator[Any]:
        """The items of a list of several pages."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page[list_name]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def stream(self, path: str, after: int | None, *, ends: bool, **query: str | None) -> Iterator[Event]:
        """The events of a stream, each once and in order."""
        selection = {name: value for name, value in query.items() if value is not None}

        def connect(last: int | None) -> AbstractContextManager[httpx.Response]:
            headers = {"Accept": "text/event-stream"}
            if last is not None:
                headers["Last-Event-ID"] = str(last)
            return self._http.stream("GET", path, headers=headers, params=selection)

        return events.stream(connect, 0 if after is None and ends else after, ends)

    def _table(
        self,
        name: str,
        *,
        job: Job | str | None = None,
        model: Sequence[str] | str | None = None,
        experiment: str | None = None,
        trial: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        decimals: bool = False,
    ) -> pandas.DataFrame:
        query = {"job_id": _id(job), "experiment": experiment, "trial": trial, **_dates(start, end)}
        numbers = "exact" if decimals else "float"
        files = [
            self.download(f"/{name}", format="parquet", numbers=numbers, model=one, **query)
            for one in (_names(model) if model is not None else [None])
        ]
        return frames.of_parquet(files)

    def _request(
        self,
        models: Sequence[str] | str | None,
        start: Day | None,
        end: Day | None,
        experiment: str,
        options: dict[str, Any],
    ) -> dict[str, Any]:
        if end is None:
            raise ModeldayError("end: the last date is missing; pass end='YYYY-MM-DD'")
        body = {**_dates(start, end), "experiment": experiment, **options}
        if models is not None:
            body["models"] = _names(models)
        return {name: _plain(value) for name, value in body.items() if value is not None}

    def _post_request(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        try:
            return self.post(path, body, headers)
        except ApiError as refused:
            hints = self._unknown(body.get("models", [])) if refused.status == 422 else []
            if hints:
                raise ApiError(
                    refused.status, "\n".join(hints), {"detail": refused.detail, "errors": refused.errors}
                ) from None
            raise

    def _unknown(self, names: list[str]) -> list[str]:
        """A sentence for each name that no model has."""
        try:
            known = [model["signature"] for model in self.models()]
        except ModeldayError:
            return []
        return [
            f"models: there is no model {name!r}; {did_you_mean(name, known)}" for name in names if name not in known
        ]

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as problem:
            hint = "start it with `make run`, or set MODELDAY_URL to where it runs"
            raise Unreachable(f"Modelday does not answer at {self.url} ({problem}); {hint}") from problem
        if not response.is_success:
            raise api_error(response)
        return response


def _names(models: Sequence[str] | str) -> list[str]:
    """A name alone means a list of it."""
    return [models] if isinstance(models, str) else list(models)


def _id(job: Job | str | None) -> str | None:
    return job.id if isinstance(job, Job) else job


def _dates(start: Day | None, end: Day | None) -> dict[str, str | None]:
    return {"start_date": _plain(start), "end_date": _plain(end)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: dates and instants as dates, decimals as text."""
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d")
    return str(value) if isinstance(value, Decimal) else value


def _query(query: dict[str, Any]) -> dict[str, str]:
    written = {name: _plain(value) for name, value in query.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in written.items()}
