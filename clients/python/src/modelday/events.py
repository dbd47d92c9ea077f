"""Server-sent events, with reconnection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx

from .errors import ApiError, ModeldayError, Unreachable, api_error

# How long a server may be away, in seconds: a restart takes less.
PATIENCE = 60.0

LAST = (
    "modelday.job.completed.v1",
    "modelday.job.partial.v1",
    "modelday.job.failed.v1",
    "modelday.job.cancelled.v1",
)


@dataclass(frozen=True)
class Event:
    """An event as Modelday publishes it."""

    id: int
    """Its number within the job; in the stream of all jobs, its position among all events. Both grow."""
    type: str
    """Its kind, such as `modelday.model_day.completed.v1`."""
    data: dict[str, Any]
    """Its body."""


Connect = Callable[[int | None], AbstractContextManager[httpx.Response]]


def stream(connect: Connect, after: int | None, ends: bool, patience: float = PATIENCE) -> Iterator[Event]:
    """All events after `after`, each once and in order, however often the connection is lost.

    `connect` opens the stream after an event. With `ends` the stream is of one job and ends with it.

    Raises `Unreachable` when the server has been away for `patience` seconds.
    """
    last, away_since, wait = after, None, 0.1
    while True:
        try:
            with connect(last) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    return
                if not response.is_success:
                    response.read()
                    raise api_error(response)
                for event in parse(response.iter_lines()):
                    away_since, wait = None, 0.1
                    # A reconnection may begin with what was already seen.
                    if last is None or event.id > last:
                        last = event.id
                        yield event
                        if ends and event.type in LAST:
                            return
        except (httpx.TransportError, ApiError) as problem:
            if isinstance(problem, ApiError) and problem.status < 500 and problem.status != 429:
                raise
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > patience:
                if isinstance(problem, ModeldayError):
                    raise
                raise Unreachable(f"the stream of events was lost ({problem})") from problem
        time.sleep(wait)
        wait = min(wait * 2, 5.0)


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Reads a stream's lines, as the HTML standard defines them."""
    number, kind, data = 0, "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(number, kind, json.loads("\n".join(data)))
            kind, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id" and value.isdigit():
            number = int(value)
        elif field == "event":
            kind = value
        elif field == "data":
            data.append(value)
