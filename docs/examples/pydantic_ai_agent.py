"""An agent in pydantic-ai that trades in Modelday: pip install "pydantic-ai-slim[openai]", and bridge.py beside it.

MODEL_URL, MODEL_NAME and OPENAI_API_KEY say which language model it uses.
"""

import json
import os
from typing import Any

from bridge import Day, serve
from pydantic_ai import Agent, Tool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

INSTRUCTIONS = "You manage a paper portfolio. Trade with the tools; your last message ends the day."


def tool_of(day: Day, tool: dict[str, Any]) -> Tool:
    def run(**arguments: Any) -> Any:
        return day.call(tool["name"], arguments)

    return Tool.from_schema(
        run, name=tool["name"], description=tool["description"], json_schema=tool["parameters"]
    )


def decide(day: Day) -> dict[str, Any]:
    provider = OpenAIProvider(base_url=os.environ["MODEL_URL"], api_key=os.environ["OPENAI_API_KEY"])
    agent = Agent(
        OpenAIChatModel(os.environ["MODEL_NAME"], provider=provider),
        instructions=f"{INSTRUCTIONS}\n{json.dumps(day.observation)}",
        tools=[tool_of(day, tool) for tool in day.tools],
    )
    result = agent.run_sync(day.prompt)
    usage = result.usage
    return {
        "reasoning": result.output,
        "usage": {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens},
    }


if __name__ == "__main__":
    serve(decide)
