"""An agent in LangGraph that trades in Modelday: pip install langgraph langchain-openai, and bridge.py beside it.

MODEL_URL, MODEL_NAME and OPENAI_API_KEY say which language model it uses.
"""

import json
import os
from typing import Any

from bridge import Day, serve
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

INSTRUCTIONS = "You manage a paper portfolio. Trade with the tools; your last message ends the day."


def tool_of(day: Day, tool: dict[str, Any]) -> StructuredTool:
    def run(**arguments: Any) -> str:
        return json.dumps(day.call(tool["name"], arguments))

    return StructuredTool.from_function(
        func=run, name=tool["name"], description=tool["description"], args_schema=tool["parameters"]
    )


def decide(day: Day) -> dict[str, Any]:
    tools = [tool_of(day, tool) for tool in day.tools]
    model = ChatOpenAI(model=os.environ["MODEL_NAME"], base_url=os.environ["MODEL_URL"]).bind_tools(tools)

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    seen = SystemMessage(f"{INSTRUCTIONS}\n{json.dumps(day.observation)}")
    state = graph.compile().invoke({"messages": [seen, HumanMessage(day.prompt)]})
    spoken = [message for message in state["messages"] if isinstance(message, AIMessage)]
    usage = [message.usage_metadata for message in spoken if message.usage_metadata]
    return {
        "reasoning": spoken[-1].text if isinstance(spoken[-1].text, str) else spoken[-1].text(),
        "usage": {
            "prompt_tokens": sum(used["input_tokens"] for used in usage),
            "completion_tokens": sum(used["output_tokens"] for used in usage),
        },
    }


if __name__ == "__main__":
    serve(decide)
