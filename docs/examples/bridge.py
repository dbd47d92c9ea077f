"""A bridge for frameworks that own their loop, such as LangGraph and pydantic-ai.

Modelday calls an agent step by step: it sends what is seen and gets calls of tools back. A framework calls its tools by
itself. Here each day of the framework's agent runs in a thread; a tool that it calls becomes the response to Modelday's
request, and the next request brings the result. It needs only Python; langgraph_agent.py and pydantic_ai_agent.py use it.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent import is_signed

Json = dict[str, Any]


class Abandoned(Exception):
    """Modelday has begun the day anew; what this run of it does has no effect."""


class Day:
    """One day of the agent: what it sees, and the tools that it may call."""

    def __init__(self, request: Json) -> None:
        self.date: str = request["date"]
        self.observation: Json = request["observation"]
        self.tools: list[Json] = request["tools"]
        self.prompt = f"Please analyze and update today's ({self.date}) positions."
        self._to_modelday: queue.Queue[Json] = queue.Queue()
        self._to_agent: queue.Queue[Any] = queue.Queue()
        self._one_call = threading.Lock()
        self._responses: dict[str, Json] = {}
        self._one_request = threading.Lock()

    def call(self, name: str, arguments: Json) -> Any:
        """Calls a tool of Modelday, from any thread, and returns its result."""
        with self._one_call:
            self._to_modelday.put({"tool_calls": [{"name": name, "arguments": arguments}]})
            result = self._to_agent.get()
            if result is Abandoned:
                self._to_agent.put(Abandoned)
                raise Abandoned
            return result

    def run(self, decide: Callable[["Day"], Json]) -> None:
        """Lets the agent decide. What it returns ends the day."""
        try:
            self._to_modelday.put({"finish": True, **decide(self)})
        except Abandoned:
            pass
        except Exception as error:  # whatever the framework raises is reported to Modelday
            self._to_modelday.put({"error": f"{type(error).__name__}: {error}"})

    def respond(self, identity: str, request: Json) -> Json:
        """The response to a request. The same one for a copy of it."""
        with self._one_request:
            if identity not in self._responses:
                for result in request["tool_results"]:
                    self._to_agent.put(result["result"])
                self._responses[identity] = self._to_modelday.get()
            return self._responses[identity]

    def abandon(self) -> None:
        self._to_agent.put(Abandoned)


class Bridge:
    """The days in progress."""

    def __init__(self, decide: Callable[[Day], Json]) -> None:
        self._decide = decide
        self._days: dict[tuple[str, str, int], tuple[str, Day]] = {}
        self._lock = threading.Lock()

    def respond(self, identity: str, request: Json) -> Json:
        portfolio = (request["experiment"], request["model"], request["trial"])
        with self._lock:
            first, day = self._days.get(portfolio, ("", None))
            if day is None or (request["step"] == 1 and identity != first):
                if day is not None:
                    day.abandon()
                day = Day(request)
                self._days[portfolio] = (identity, day)
                threading.Thread(target=day.run, args=(self._decide,), daemon=True).start()
        if day.date != request["date"]:
            return {"error": "the agent was restarted in the middle of this day; run the day again"}
        return day.respond(identity, request)


def serve(decide: Callable[[Day], Json]) -> None:
    """Serves the agent on the port of the first argument."""
    bridge = Bridge(decide)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            secret = os.environ.get("AGENT_SECRET")
            if secret and not is_signed(self.headers, body, secret):
                return self.answer(401, {"error": "the call is not signed with AGENT_SECRET"})
            response = bridge.respond(self.headers["idempotency-key"], json.loads(body))
            # 400 fails the day at once; Modelday would repeat a request that is answered with 500.
            return self.answer(400 if "error" in response else 200, response)

        def answer(self, status: int, content: Json) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
