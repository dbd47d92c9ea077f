"""Two real MCP clients trade the portfolio at the address of the first argument: the SDK's own, and LangChain's, which
opens a session for each call. Prints what they got as JSON."""

import asyncio
import json
import sys
from typing import Any

from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def sdk(url: str) -> dict[str, Any]:
    """A day of the official client."""
    async with streamable_http_client(url) as (read, write, *_), ClientSession(read, write) as session:
        hello = await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]

        async def call(name: str, **arguments: Any) -> dict[str, Any]:
            result = await session.call_tool(name, arguments)
            return {"refused": result.isError, **json.loads(result.content[0].text)}

        today = await call("get_today")
        bought = await call("buy", symbol="AAPL", amount=3)
        refused = await call("buy", symbol="AAPL", amount=3_000_000)
        prompt = await session.get_prompt("trade_today")
        closed = await call("next_day", date=today["date"], reasoning="from the SDK")
    return {
        "instructions": hello.instructions,
        "tools": tools,
        "bought": bought,
        "refused": refused,
        "prompt": prompt.messages[0].content.text,
        "closed": closed,
    }


def text_of(answer: Any) -> str:
    """The text of a tool's answer, whatever form this version of LangChain gives it."""
    return answer if isinstance(answer, str) else answer[0]["text"]


async def langchain(url: str) -> dict[str, Any]:
    """A day of LangChain's client."""
    client = MultiServerMCPClient({"modelday": {"transport": "streamable_http", "url": url}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    today = json.loads(text_of(await tools["get_today"].ainvoke({})))
    sold = json.loads(text_of(await tools["sell"].ainvoke({"symbol": "AAPL", "amount": 1})))
    closed = json.loads(text_of(await tools["next_day"].ainvoke({"date": today["date"]})))
    return {"today": today, "sold": sold, "closed": closed}


async def main(url: str) -> None:
    print(json.dumps({"sdk": await sdk(url), "langchain": await langchain(url)}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
