"""An agent with a fault for each path: what people who write one get wrong. Tests try it with `modelday try`."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def once(request: dict[str, Any], *calls: dict[str, Any]) -> dict[str, Any]:
    """These calls in the first step, and then the end of the day."""
    return {"tool_calls": list(calls)} if request["step"] == 1 else {"finish": True}


def decide(fault: str, request: dict[str, Any]) -> Any:
    today = request["date"]
    match fault:
        case "right":
            return once(request, call("buy", symbol="AAPL", amount=2))
        case "misspelt":
            return {"toolCalls": [call("buy", symbol="AAPL", amount=1)], "done": True}
        case "idle":
            return {"reasoning": "I would rather wait.", "tool_calls": []}
        case "list-of-calls":
            return [call("buy", symbol="AAPL", amount=1)]
        case "calls-no-list":
            return {"tool_calls": call("buy", symbol="AAPL", amount=1)}
        case "arguments-no-json":
            return once(request, {"name": "buy", "arguments": "symbol=AAPL, amount=1"})
        case "missing-argument":
            return once(request, call("buy", symbol="AAPL"))
        case "unknown-tool":
            return once(request, call("short", symbol="AAPL", amount=1))
        case "too-many":
            return once(request, call("buy", symbol="AAPL", amount=1_000_000))
        case "nothing-to-sell":
            return once(request, call("sell", symbol="AAPL", amount=1))
        case "half-a-share":
            return once(request, call("buy", symbol="AAPL", amount=0.5))
        case "unknown-symbol":
            return once(request, call("buy", symbol="ZZZZ", amount=1))
        case "tomorrow":
            later = today[:8] + str(int(today[8:]) + 1).zfill(2)
            return once(request, call("get_price_local", symbol="AAPL", date=later))
        case "crash":
            raise ZeroDivisionError("a fault of the agent")
        case _:
            return {"finish": True}


class Agent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fault = self.path.strip("/")
        match fault:
            case "unauthorized":
                return self.answer(401, b'{"error": "no"}')
            case "nowhere":
                return self.answer(404, b"Not Found")
            case "no-json":
                return self.answer(200, b"buy AAPL")
            case "huge":
                return self.answer(200, b'{"reasoning": "' + b"x" * 5_000 + b'"}')
            case "late":
                time.sleep(3)
            case "moved":
                self.send_response(307)
                self.send_header("location", "http://elsewhere.example/agent")
                self.send_header("content-length", "0")
                return self.end_headers()
            case "cut":
                self.send_response(200)
                self.send_header("content-length", "500")
                self.end_headers()
                return self.wfile.write(b'{"tool_calls"') and None
        try:
            self.answer(200, json.dumps(decide(fault, request)).encode())
        except ZeroDivisionError as error:
            self.answer(500, json.dumps({"error": str(error)}).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass  # who called did not wait

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Agent)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
