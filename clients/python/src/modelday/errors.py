"""What can go wrong, in sentences that say what to do about it."""

from __future__ import annotations

import difflib
import re
from typing import Any

import httpx

# The parameters of this package by the names of the fields that they become.
PARAMETERS = {
    "start_date": "start",
    "end_date": "end",
    "job_id": "job",
    "on_failure": "stop_on_failure",
    "Idempotency-Key": "idempotency_key",
}


class ModeldayError(Exception):
    """Any error of this package."""


class Unreachable(ModeldayError):
    """Modelday does not answer, or stopped in the middle of an answer. The same call may work later."""


class ApiError(ModeldayError):
    """A refused request. `errors` has the invalid fields, `trace_id` is what the server's log can be searched for."""

    def __init__(self, status: int, message: str, body: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.detail: str = str(body.get("detail", message))
        self.errors: list[dict[str, Any]] = body.get("errors") or []
        self.trace_id: str | None = body.get("trace_id")


class NotFound(ApiError):
    """There is no such job, model-day or path."""


class JobFailed(ModeldayError):
    """The job that was waited for failed or was cancelled; `status` is all that is known about it."""

    def __init__(self, message: str, status: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status


def api_error(response: httpx.Response) -> ApiError:
    """The error of a response that is no success. Its body must have been read."""
    try:
        body = response.json()
        detail = str(body["detail"])
    except (ValueError, KeyError, TypeError):
        # A proxy has answered with a page for browsers.
        body, detail = {}, f"{response.url} answered {response.status_code}"
    fields = [_field(error) for error in body.get("errors") or [] if isinstance(error, dict)]
    message = "\n".join(fields) or detail
    if response.status_code == 401:
        message += "; set MODELDAY_TOKEN, or pass token= to Client"
    if wait := response.headers.get("Retry-After"):
        message += f"; try again in {wait} s"
    kind = NotFound if response.status_code == 404 else ApiError
    return kind(response.status_code, message, body)


def _field(error: dict[str, Any]) -> str:
    """One invalid field: the parameter that it came from, and what is wrong with it."""
    place = [str(part) for part in error.get("loc") or []]
    if place and place[0] in ("body", "query", "path", "header"):
        place = place[1:]
    name = ".".join(PARAMETERS.get(part, part) for part in place)
    text = re.sub(r"^Value error, ", "", str(error.get("msg", "")))
    return f"{name}: {text}" if name else text


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint at the known name that is closest, or at all of them when none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(sorted(known))}" if known else "none is configured"
