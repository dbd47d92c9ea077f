"""One job, from its start to its results."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from . import types
from .errors import ApiError, JobFailed, Unreachable
from .events import PATIENCE, Event
from .progress import Progress

if TYPE_CHECKING:
    import pandas

    from .client import Client

ENDED = ("completed", "partial", "failed", "cancelled")


class Job:
    """A job of a Modelday.

    Frames have its portfolios over its dates, as the leaderboard does: also days that an earlier job had run, so that a
    notebook which is run again shows the same.
    """

    def __init__(self, client: Client, id: str) -> None:
        self.client = client
        self.id = id

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    def status(self) -> types.JobStatus:
        """What is known about the job, without its days."""
        body = self.client.get(f"/jobs/{self.id}", details=False)
        return cast(types.JobStatus, body)

    def wait(self, progress: bool | None = None) -> types.JobStatus:
        """Waits until the job has ended, and shows how far it is in notebooks and terminals.

        The job goes on when this is interrupted, and when Modelday restarts, which is waited for.

        Raises `JobFailed` when it failed or was cancelled. A partial job has results: it is a warning.
        """
        bar = Progress(progress)
        away_since = None
        try:
            while True:
                try:
                    status = self.status()
                    away_since = None
                except (Unreachable, ApiError) as problem:
                    if isinstance(problem, ApiError) and problem.status < 500 and problem.status != 429:
                        raise
                    away_since = away_since or time.monotonic()
                    if time.monotonic() - away_since > PATIENCE:
                        raise
                    time.sleep(1)
                    continue
                _show(bar, status)
                if status["status"] in ENDED:
                    break
                time.sleep(0.2)
        finally:
            bar.end()
        self._judge(status)
        return status

    def _judge(self, status: types.JobStatus) -> None:
        state, failed = status["status"], status["progress"]["failed"]
        if state in ("failed", "cancelled"):
            reason = status.get("error") or (f"{failed} model-days failed" if failed else "no reason is known")
            message = f"job {self.id} {'failed' if state == 'failed' else 'was cancelled'}: {reason}"
            raise JobFailed(message, cast(dict[str, Any], status))
        if state == "partial":
            warnings.warn(f"job {self.id} is partial: {failed} model-days failed; see .days()", stacklevel=3)

    def days(self, status: str | None = None, model: str | None = None) -> list[types.ModelDay]:
        """Its model-days, or those in one state: `completed`, `failed`, `skipped`, `running`, `pending`."""
        path = f"/jobs/{self.id}/model-days"
        return list(self.client.pages(path, "model_days", status=status, model=model))

    def events(
        self, after: int | None = None, *, type: str | None = None, model: str | None = None
    ) -> Iterator[Event]:
        """Its events, or those of types such as `model_day.*` or of a model, those of the past first; ends with the job.

        A lost connection is made again, without a gap.
        """
        return self.client.stream(f"/jobs/{self.id}/events", after, ends=True, type=type, model=model)

    def cancel(self) -> None:
        """Cancels it; what it has completed stays."""
        self.client.post(f"/jobs/{self.id}/cancel")

    def retry(self) -> Job:
        """Runs its failed model-days again, as a new job."""
        return Job(self.client, self.client.post(f"/jobs/{self.id}/retry")["job_id"])

    def day(self, model: str, date: str, trial: int = 0) -> types.EndedModelDay:
        """One ended model-day: how it ended, what it cost, and its conversation."""
        path = f"/jobs/{self.id}/model-days/{_segment(model)}/{_segment(date)}"
        body = self.client.get(path, trial=trial)
        return cast(types.EndedModelDay, body)

    def transcript(self, model: str, date: str, trial: int = 0) -> list[types.TranscriptTurn]:
        """What an agent read, said and did on a day, turn by turn; empty for models that say nothing."""
        return self.day(model, date, trial)["transcript"]

    def bundle(self) -> bytes:
        """The job as one file, for `modelday replay` and `modelday verify`; it must have ended."""
        return self.client.download(f"/jobs/{self.id}/bundle")

    def equity(self, model: Sequence[str] | str | None = None, *, decimals: bool = False) -> pandas.DataFrame:
        """The value of each portfolio, day by day."""
        return self.client.equity(**self._portfolios(model), decimals=decimals)

    def trades(self, model: Sequence[str] | str | None = None, *, decimals: bool = False) -> pandas.DataFrame:
        """Every filled order."""
        return self.client.trades(**self._portfolios(model), decimals=decimals)

    def positions(self, model: Sequence[str] | str | None = None, *, decimals: bool = False) -> pandas.DataFrame:
        """What was held at the end of each day."""
        return self.client.positions(**self._portfolios(model), decimals=decimals)

    def returns(self) -> pandas.DataFrame:
        """Returns from close to close as fractions: a row for each date, a column for each portfolio."""
        return self.client.returns(**self._portfolios(None))

    def _portfolios(self, model: Sequence[str] | str | None) -> dict[str, Any]:
        """The keywords of a table that choose the job's portfolios and dates."""
        status = self.status()
        dates = status["date_range"]
        chosen = status["models"] if model is None else model
        first, last = (dates[0], dates[-1]) if dates else (None, None)
        return {"model": chosen, "experiment": status["experiment"], "start": first, "end": last}

    def leaderboard(self, *, decimals: bool = False) -> pandas.DataFrame:
        """The portfolios of the job over its dates, with benchmarks."""
        return self.client.leaderboard(job=self, decimals=decimals)


def _segment(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _show(bar: Progress, status: types.JobStatus) -> None:
    download = status.get("download")
    if status["status"] == "downloading_data" and download:
        bar.show("prices", download["symbols_done"], download["symbols_total"])
    else:
        progress = status["progress"]
        done = progress["completed"] + progress["failed"] + progress["skipped"]
        bar.show(status["status"].replace("_", " "), done, progress["total_model_days"])
