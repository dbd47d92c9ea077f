"""An example of your own agent: buys the two symbols that fell most at the open, and first sells what it holds.

Modelday calls it over HTTP, step by step; see docs/agents.md. It needs only Python.
"""

import json
import sys
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def decide(request):
    """The tool calls of one step. `request` has all data for the decision."""
    seen = request["observation"]
    if request["step"] == 1 and seen["holdings"]:
        sales = [call("sell", symbol, amount) for symbol, amount in seen["holdings"].items()]
        return {"tool_calls": sales, "reasoning": "Yesterday's choice is sold first."}
    opens, closes = seen["opens"], seen["previous_closes"]
    change = {
        symbol: Decimal(str(opens[symbol])) / Decimal(str(closes[symbol])) - 1
        for symbol in seen["universe"]
        if symbol in opens and symbol in closes
    }
    losers = sorted(change, key=lambda symbol: (change[symbol], symbol))[:2]
    cash = Decimal(str(seen["cash"])) / max(len(losers), 1)
    orders = [(symbol, int(cash / Decimal(str(opens[symbol])))) for symbol in losers]
    buys = [call("buy", symbol, amount) for symbol, amount in orders if amount > 0]
    return {"tool_calls": buys, "finish": True, "reasoning": f"{', '.join(losers)} fell most."}


def call(side, symbol, amount):
    return {"name": side, "arguments": {"symbol": symbol, "amount": amount}}


class Agent(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(decide(request)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    server = ThreadingHTTPServer(("127.0.0.1", port), Agent)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
