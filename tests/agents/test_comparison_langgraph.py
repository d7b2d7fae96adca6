"""What LangGraph's own human-in-the-loop does not keep, counted; docs/agents.md has the table."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from .conftest import Bench, Died, kit_of
from .script import Call, Desk, Script, calls, refund
from .test_langgraph import graph_of

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def asking(desk: Desk) -> Any:
    """The framework's own way: a tool that interrupts before it does anything."""

    def refund(amount: int, customer: str) -> str:
        """Pay money back to a customer."""
        if interrupt({"amount": amount, "customer": customer}) != "yes":
            return "not done"
        return desk.refund(amount, customer)

    return refund


def own(script: Script, desk: Desk, saver: Any) -> Any:
    tools = ToolNode([asking(desk), desk.read_customer])
    return graph_of(script, desk, tools=tools).compile(checkpointer=saver)


def ask_for(graph: Any) -> None:
    graph.invoke({"messages": [("user", "help")]}, CONFIG)


def yes(graph: Any) -> Any:
    waiting = graph.get_state(CONFIG).interrupts
    return graph.invoke(Command(resume={each.id: "yes" for each in waiting}), CONFIG)


def test_should_have_nothing_to_go_on_from_after_a_restart() -> None:
    desk, script = Desk(), Script([calls(refund())])
    ask_for(own(script, desk, InMemorySaver()))
    after = own(script, desk, InMemorySaver())  # as another process builds it
    assert after.get_state(CONFIG).interrupts == ()
    assert desk.refunded == []


def test_should_refund_twice_when_a_process_dies_before_it_has_saved() -> None:
    desk, script = Desk(breaks=Died()), Script([calls(refund())])
    kept = InMemorySaver()  # stands for a database
    graph = own(script, desk, kept)
    ask_for(graph)
    with pytest.raises(Died):
        yes(graph)
    desk.breaks = None
    yes(own(script, desk, kept))
    assert len(desk.refunded) == 2


def test_should_run_a_tool_beside_one_that_asks_twice() -> None:
    """In one `ToolNode`: the node begins anew when it goes on."""
    desk = Desk()
    look = Call("r1", "read_customer", {"customer": "C-1"})
    graph = own(Script([calls(look, refund())]), desk, InMemorySaver())
    ask_for(graph)
    yes(graph)
    assert desk.read == ["C-1", "C-1"]
    assert len(desk.refunded) == 1


def test_should_call_the_model_twice_in_a_node_that_asks_after_it() -> None:
    script = Script([calls(refund()), calls(refund("c1", 7000))])
    seen: list[Any] = []

    def talk(state: MessagesState) -> Any:
        [call] = script.next([]).calls
        interrupt(f"pay {call.arguments['amount']}?")
        seen.append(call.arguments["amount"])
        return {"messages": []}

    graph = StateGraph(MessagesState)
    graph.add_node("talk", talk)
    graph.set_entry_point("talk")
    made = graph.compile(checkpointer=InMemorySaver())
    ask_for(made)
    yes(made)
    assert script.asked == 2
    assert seen == [7000]  # what was approved is 70


def test_should_do_none_of_it_in_a_run(bench: Bench) -> None:
    if type(bench.kit) is not type(kit_of("kit_langgraph")):
        return
    look = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(look, refund()))
    bench.approvals.approve(by="ann")
    run.result()
    assert run.invocations >= 2
    assert bench.desk.read == ["C-1"]
    assert bench.desk.refunded == [(70, "C-1")]
    assert bench.script.asked == 2
