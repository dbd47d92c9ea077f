"""Without a server: streams that break, errors in words, and a client without pandas."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelday import ApiError, Client, ModeldayError, NotFound, Unreachable
from modelday.errors import api_error
from modelday.events import Event, parse, stream

DAY = "modelday.model_day.completed.v1"
END = "modelday.job.completed.v1"


def text(*events: tuple[int, str]) -> str:
    return "".join(f'id: {number}\nevent: {kind}\ndata: {{"n":\ndata: {number}}}\n\n' for number, kind in events)


class Broken(httpx.SyncByteStream):
    """A body that breaks off."""

    def __init__(self, body: str) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body.encode()
        raise httpx.ReadError("connection reset")


def client(handler: Any) -> Client:
    made = Client("http://modelday.test")
    made._http = httpx.Client(transport=httpx.MockTransport(handler), base_url=made.url)
    return made


def test_a_stream_that_breaks_goes_on_after_the_last_event_and_repeats_none() -> None:
    requested: list[str | None] = []
    # The second body begins with what was seen; the third connection is refused by a server that starts.
    answers = iter(
        [
            httpx.Response(200, stream=Broken(": beat\n\n" + text((1, DAY), (2, DAY)) + "id: 3\nevent: half")),
            httpx.Response(200, text=text((2, DAY), (3, DAY))),
            httpx.Response(503, json={"detail": "starting"}),
            httpx.Response(200, text=text((4, END))),
        ]
    )

    def handler(request: httpx.Request) -> httpx.Response:
        requested.append(request.headers.get("last-event-id"))
        return next(answers)

    events = list(client(handler).job("j").events())

    assert [event.id for event in events] == [1, 2, 3, 4]
    assert events[0] == Event(1, DAY, {"n": 1})
    assert requested == ["0", "2", "3", "3"]


def test_a_stream_whose_server_stays_away_ends_with_an_error() -> None:
    def connect(_: int | None) -> Any:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable, match="refused"):
        list(stream(connect, None, ends=True, patience=0.2))


def test_an_event_without_its_empty_line_is_not_given_out() -> None:
    assert list(parse(["data: {}", "", "data: {}"])) == [Event(0, "", {})]


def test_an_error_names_the_parameter_and_not_the_json_path() -> None:
    body = {
        "detail": "2 things are wrong",
        "errors": [
            {
                "loc": ["body", "start_date"],
                "msg": "Value error, Invalid date format: x. Expected YYYY-MM-DD",
            },
            {"loc": ["query", "models", 0], "msg": "is no name"},
        ],
        "trace_id": "abc",
    }

    problem = api_error(httpx.Response(422, json=body))

    assert str(problem) == "start: Invalid date format: x. Expected YYYY-MM-DD\nmodels.0: is no name"
    assert (problem.status, problem.trace_id, len(problem.errors)) == (422, "abc", 2)


def test_each_error_says_what_to_do() -> None:
    request = httpx.Request("GET", "http://modelday.test/")
    missing = api_error(httpx.Response(404, json={"detail": "Job x not found"}))
    page = api_error(httpx.Response(502, text="<html>", request=request))
    token = api_error(httpx.Response(401, json={"detail": "no token"}))
    busy = api_error(httpx.Response(429, json={"detail": "too many"}, headers={"Retry-After": "3"}))

    assert isinstance(missing, NotFound) and str(missing) == "Job x not found"
    assert str(page) == "http://modelday.test/ answered 502"
    assert "set MODELDAY_TOKEN" in str(token)
    assert str(busy) == "too many; try again in 3 s"
    with pytest.raises(ModeldayError, match="write it as http://host:port"):
        Client("localhost:8080")
    with pytest.raises(ModeldayError, match="^end: the last date is missing"):
        Client().run(start="2025-10-01")
    with pytest.raises(Unreachable, match="set MODELDAY_URL"):
        Client("http://127.0.0.1:9").models()


def test_a_misspelt_model_gets_the_name_that_is_meant() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/models":
            return httpx.Response(200, json={"models": [{"signature": "momentum-20"}, {"signature": "cash"}]})
        return httpx.Response(422, json={"detail": "models: unknown", "errors": []})

    with pytest.raises(ApiError) as refused:
        client(handler).run(models=["momentum20", "cash", "zzz"], end="2025-10-29")

    assert str(refused.value).splitlines() == [
        "models: there is no model 'momentum20'; did you mean 'momentum-20'?",
        "models: there is no model 'zzz'; known are cash, momentum-20",
    ]


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ModeldayError, match=r"pip install 'modelday\[pandas\]'"):
        client(lambda _: httpx.Response(200, json={"rows": []})).leaderboard()
