"""An example of your own agent: buys the two symbols that fell most at the open, and first sells what it holds.

Modelday calls it over HTTP, step by step; see docs/agents.md. It needs only Python.
With AGENT_SECRET in the environment (whsec_...) it refuses calls that are not signed with this secret.
"""

import base64
import hmac
import json
import os
import sys
import time
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


def is_signed(headers, body, secret):
    """Whether the call is from who knows the secret, unchanged, and not older than five minutes (Standard Webhooks)."""
    sent_at = headers.get("webhook-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdigit() and abs(time.time() - int(sent_at)) <= 300):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    signatures = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures)


class Agent(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        secret = os.environ.get("AGENT_SECRET")
        if secret and not is_signed(self.headers, body, secret):
            return self.answer(401, {"error": "the call is not signed with AGENT_SECRET"})
        return self.answer(200, decide(json.loads(body)))

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
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
