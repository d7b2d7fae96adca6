"""LangGraph agents whose model says a script."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from .script import Desk, Script


class ScriptedModel(BaseChatModel):
    """A chat model that says what a script says."""

    script: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_: Any, **__: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        answers = [str(each.text) for each in messages if isinstance(each, ToolMessage)]
        says = self.script.next(answers)
        calls = [{"id": one.id, "name": one.tool, "args": one.arguments} for one in says.calls]
        message = AIMessage(says.text, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


class MadeKit:
    edits = True

    def agent(self, script: Script, desk: Desk) -> Any:
        model = ScriptedModel(script=script)

        def talk(state: MessagesState) -> dict[str, Any]:
            return {"messages": [model.invoke(state["messages"])]}

        graph = StateGraph(MessagesState)
        graph.add_node("model", talk)
        graph.add_node("tools", ToolNode([desk.refund, desk.read_customer]))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", tools_condition)
        graph.add_edge("tools", "model")
        return graph.compile()
