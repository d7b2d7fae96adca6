"""What holds for LangGraph beyond what holds for every framework."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph import channels
from langgraph.channels import LastValue
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import RetryPolicy, interrupt
from pydantic import BaseModel

from hitl_approval.agents import allow, ask, field, run
from hitl_approval.testing import Approvals, Run, RunFailed
from hitl_approval.testing.plugin import approvals  # noqa: F401  a fixture

from .kit_langgraph import ScriptedModel
from .script import Call, Desk, Says, Script, calls, refund

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
TOOLS = {"read_*": allow()}


class DeltaChannel(LastValue[Any]):
    """Stands for the framework's own in a version that has none yet."""


OWN = getattr(channels, "DeltaChannel", None)
CHANNEL: Any = OWN(add_messages) if OWN else DeltaChannel(list)


class Spread(TypedDict):
    """A state whose value is spread over checkpoints."""

    messages: Annotated[list[AnyMessage], CHANNEL]


def graph_of(script: Script, desk: Desk, *, tools: Any = None, state: Any = MessagesState) -> Any:
    """A model and its tools, not compiled."""
    model = ScriptedModel(script=script)

    def talk(state: Any) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(state)
    graph.add_node("model", talk)
    graph.add_node("tools", tools or ToolNode([desk.refund, desk.read_customer]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph


def started(approvals: Approvals, agent: Any, task: Any = "help C-1", **options: Any) -> Run:  # noqa: F811
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        made = agent() if not hasattr(agent, "invoke") else agent
        given = {"requester": "support-agent", "tools": TOOLS, **options}
        return run(context, made, task, **given)

    return approvals.start(handler, {})


def test_should_go_on_in_a_graph_that_another_process_has_built(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    script = Script([calls(refund("c1")), calls(refund("c2", 80))])
    built: list[Any] = []

    def build() -> Any:
        built.append(graph_of(script, desk).compile())
        return built[-1]

    run = started(approvals, build)
    approvals.approve(by="ann")
    approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert len(built) > 2
    assert script.asked == 3
    assert len(desk.refunded) == 2


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_should_run_each_call_once_whether_or_not_each_is_a_task(
    approvals: Approvals,  # noqa: F811
    version: Any,
) -> None:
    """`v2` of the prebuilt agent sends each call to a task of its own."""
    desk = Desk()
    look = Call("r1", "read_customer", {"customer": "C-1"})
    script = Script([calls(look, refund("c1", 70), refund("c2", 80), text="Twice.")])
    agent = create_react_agent(
        ScriptedModel(script=script), [desk.refund, desk.read_customer], version=version
    )
    run = started(approvals, agent)
    first, second = sorted(approvals.pending(), key=lambda each: each.subject)
    assert "Twice." in first.context
    approvals.reject(second, by="ann", comments="once is enough")
    approvals.approve(first, by="ann")
    answer = run.result()
    assert "C-1 is known" in answer
    assert "refunded 70 to C-1" in answer
    assert "once is enough" in answer
    assert desk.read == ["C-1"]
    assert desk.refunded == [(70, "C-1")]
    assert script.asked == 2


def test_should_ask_about_tools_of_a_graph_in_the_graph(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    script = Script([calls(refund(), text="Charged twice.")])
    outer = StateGraph(MessagesState)
    outer.add_node("helper", graph_of(script, desk).compile())
    outer.add_edge(START, "helper")
    run = started(approvals, outer.compile(), conversation=True)
    [asked] = approvals.pending()
    assert "Charged twice." in asked.context
    approvals.approve(asked, by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert desk.refunded == [(70, "C-1")]
    assert script.asked == 2


def past_the_gate(desk: Desk, way: str) -> Any:
    """A node that runs tools where the gate is not."""
    inner = ToolNode([desk.refund])
    made = tool(desk.refund)

    def by_hand(state: Any) -> Any:
        call = state["messages"][-1].tool_calls[0]
        answer = made.invoke(call["args"])
        return {"messages": [ToolMessage(answer, tool_call_id=call["id"])]}

    def by_node(state: Any) -> Any:
        return inner.invoke(state)

    async def by_node_later(state: Any) -> Any:
        return await inner.ainvoke(state)

    ways = {
        "by hand": by_hand,
        "by node": by_node,
        "by node, later": by_node_later,
        "with a fallback": inner.with_fallbacks([ToolNode([desk.read_customer])]),
    }
    return ways[way]


@pytest.mark.parametrize("way", ["by hand", "by node", "by node, later", "with a fallback"])
def test_should_not_run_a_tool_past_the_gate(approvals: Approvals, way: str) -> None:  # noqa: F811
    desk = Desk()
    agent = graph_of(Script([calls(refund())]), desk, tools=past_the_gate(desk, way)).compile()
    with pytest.raises(RunFailed, match="outside of a ToolNode"):
        started(approvals, agent).result()
    assert desk.refunded == []
    assert desk.read == []


def inner_of(inner: Any) -> Any:
    def help_out(state: Any) -> Any:
        return inner.invoke(state)

    return help_out


def test_should_not_run_a_tool_past_the_gate_in_a_graph_in_a_function(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    inner = graph_of(Script([calls(refund())]), desk).compile()
    outer = StateGraph(MessagesState)
    outer.add_node("helper", inner_of(inner))
    outer.add_edge(START, "helper")
    with pytest.raises(RunFailed, match="outside of a ToolNode"):
        started(approvals, outer.compile()).result()
    assert desk.refunded == []


def test_should_not_run_a_tool_past_the_gate_that_an_approved_tool_calls(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    inner = graph_of(Script([calls(refund())]), desk).compile()

    def delegate(task: str) -> str:
        """Let another agent do it."""
        return str(inner.invoke({"messages": [("user", task)]})["messages"][-1].text)

    script = Script([calls(Call("d1", "delegate", {"task": "help C-1"}))])
    agent = graph_of(script, desk, tools=ToolNode([delegate])).compile()
    run = started(approvals, agent)
    approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="runs refund outside of a ToolNode"):
        run.result()
    assert desk.refunded == []


@pytest.mark.parametrize("way", ["by hand", "by node", "by node, later"])
def test_should_run_a_tool_wherever_it_is_that_the_policy_allows(
    approvals: Approvals,  # noqa: F811
    way: str,
) -> None:
    desk = Desk()
    agent = graph_of(Script([calls(refund())]), desk, tools=past_the_gate(desk, way)).compile()
    policy = {"refund": allow(when=field("amount") < 100)}
    assert started(approvals, agent, tools=policy).result() == "done: refunded 70 to C-1"
    assert desk.refunded == [(70, "C-1")]


def own_wrapper(kind: str, *, times: int = 1, change: bool = False) -> dict[str, Any]:
    def of(request: Any) -> Any:
        call = request.tool_call
        changed = {**call, "args": {**call["args"], "amount": 7000}}
        return request.override(tool_call=changed) if change else request

    def wrap(request: Any, execute: Any) -> Any:
        return [execute(of(request)) for _ in range(times)][-1]

    async def awrap(request: Any, execute: Any) -> Any:
        return [await execute(of(request)) for _ in range(times)][-1]

    return {"wrap_tool_call": wrap} if kind == "sync" else {"awrap_tool_call": awrap}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_should_keep_a_wrapper_of_tool_calls(approvals: Approvals, kind: str) -> None:  # noqa: F811
    desk = Desk()
    tools = ToolNode([desk.refund], **own_wrapper(kind))
    run = started(approvals, graph_of(Script([calls(refund())]), desk, tools=tools).compile())
    approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert None not in desk.keys


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_should_not_run_an_approved_call_again_for_a_wrapper_that_retries(
    approvals: Approvals,  # noqa: F811
    kind: str,
) -> None:
    desk = Desk()
    tools = ToolNode([desk.refund], handle_tool_errors=True, **own_wrapper(kind, times=2))
    run = started(approvals, graph_of(Script([calls(refund())]), desk, tools=tools).compile())
    approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="was changed, or has run"):
        run.result()
    assert desk.refunded == [(70, "C-1")]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_should_not_run_what_a_wrapper_has_changed(approvals: Approvals, kind: str) -> None:  # noqa: F811
    desk = Desk()
    tools = ToolNode([desk.refund], **own_wrapper(kind, change=True))
    run = started(approvals, graph_of(Script([calls(refund())]), desk, tools=tools).compile())
    approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="was not run"):
        run.result()
    assert desk.refunded == []


def test_should_not_run_what_a_wrapper_has_changed_so_that_people_must_be_asked(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    tools = ToolNode([desk.refund], **own_wrapper("async", change=True))
    policy = {"refund": [allow(when=field("amount") < 100), ask()]}
    agent = graph_of(Script([calls(refund())]), desk, tools=tools).compile()
    with pytest.raises(RunFailed, match="was changed, or has run"):
        started(approvals, agent, tools=policy).result()
    assert desk.refunded == []


def test_should_not_run_an_approved_call_again_for_a_node_that_is_retried(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk(breaks=OSError("no"))
    graph = graph_of(Script([calls(refund())]), desk)
    graph.nodes["tools"].retry_policy = RetryPolicy(max_attempts=3, initial_interval=0.001)
    run = started(approvals, graph.compile())
    approvals.approve(by="ann")
    with pytest.raises(RunFailed):
        run.result()
    assert desk.refunded == [(70, "C-1")]


def test_should_leave_it_to_the_node_what_the_model_is_answered_when_a_tool_has_failed(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk(breaks=OSError("the bank is closed"))
    tools = ToolNode([desk.refund], handle_tool_errors=True)
    run = started(approvals, graph_of(Script([calls(refund())]), desk, tools=tools).compile())
    approvals.approve(by="ann")
    assert "the bank is closed" in run.result()
    assert desk.refunded == [(70, "C-1")]


def test_should_say_of_a_tool_that_is_not_there_without_asking(approvals: Approvals) -> None:  # noqa: F811
    script = Script([calls(Call("x1", "launch", {}))])
    run = started(approvals, graph_of(script, Desk()).compile())
    assert "launch is not a valid tool" in run.result()
    assert approvals.store.approvals == {}


def test_should_not_run_what_was_rejected_when_the_model_is_answered_nothing(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    agent = graph_of(Script([calls(refund())]), desk).compile()
    run = started(approvals, agent, on_refused=lambda refused: "")
    approvals.reject(by="ann", comments="no")
    run.result()
    assert desk.refunded == []


def with_middleware(script: Script, desk: Desk) -> Any:
    """What LangChain's `HumanInTheLoopMiddleware` does: a node after the model that interrupts."""

    def review(state: Any) -> Any:
        message = state["messages"][-1]
        held = [call for call in message.tool_calls if call["name"] == "refund"]
        if not held:
            return {}
        actions = [
            {"name": call["name"], "args": call["args"], "description": "review"} for call in held
        ]
        configs = [
            {"action_name": "refund", "allowed_decisions": ["approve", "reject"]} for _ in held
        ]
        answer = interrupt({"action_requests": actions, "review_configs": configs})
        decided = dict(zip((call["id"] for call in held), answer["decisions"], strict=True))
        assert all(one["type"] in {"approve", "reject"} for one in decided.values())
        kept = [
            call
            for call in message.tool_calls
            if decided.get(call["id"], {"type": "approve"})["type"] == "approve"
        ]
        refused = [
            ToolMessage(one["message"], tool_call_id=call_id, status="error")
            for call_id, one in decided.items()
            if one["type"] == "reject"
        ]
        revised = AIMessage(message.content, tool_calls=kept, id=message.id)
        return {"messages": [revised, *refused]}

    def route(state: Any) -> str:
        last = next(one for one in reversed(state["messages"]) if isinstance(one, AIMessage))
        return "tools" if last.tool_calls else "model"

    graph = graph_of(script, desk)
    graph.branches["model"].clear()
    graph.add_node("review", review)
    graph.add_conditional_edges(
        "model", lambda state: "review" if state["messages"][-1].tool_calls else "__end__"
    )
    graph.add_conditional_edges("review", route)
    return graph.compile()


def test_should_ask_once_where_the_graph_has_a_middleware_that_asks(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    look = Call("r1", "read_customer", {"customer": "C-1"})
    script = Script([calls(refund("c1"), look, refund("c2"), refund("c3", 90))])
    run = started(approvals, with_middleware(script, desk))
    same, other, third = sorted(approvals.pending(), key=lambda each: each.subject)
    approvals.approve(same, by="ann")
    approvals.approve(other, by="ann")
    approvals.reject(third, by="ann", comments="too much")
    answer = run.result()
    assert desk.refunded == [(70, "C-1"), (70, "C-1")]
    assert desk.read == ["C-1"]
    assert len(set(desk.keys)) == 2
    assert "too much" in answer
    assert len(approvals.store.approvals) == 3
    assert script.asked == 2


def test_should_refuse_an_interrupt_that_nobody_answers(approvals: Approvals) -> None:  # noqa: F811
    def asking(question: str) -> str:
        """Ask."""
        return str(interrupt(question))

    script = Script([calls(Call("q1", "asking", {"question": "really?"}))])
    agent = graph_of(script, Desk(), tools=ToolNode([asking])).compile()
    with pytest.raises(RunFailed, match="waits for something else"):
        started(approvals, agent, tools={"*": allow()}).result()


def test_should_refuse_a_breakpoint(approvals: Approvals) -> None:  # noqa: F811
    agent = graph_of(Script([calls(refund())]), Desk()).compile(interrupt_before=["tools"])
    with pytest.raises(RunFailed, match="has stopped before tools"):
        started(approvals, agent).result()


def test_should_refuse_options_that_change_where_it_stops(approvals: Approvals) -> None:  # noqa: F811
    agent = graph_of(Script([]), Desk()).compile()
    with pytest.raises(RunFailed, match="must be config and context, got interrupt_before"):
        started(approvals, agent, options={"interrupt_before": ["tools"]}).result()


def test_should_refuse_a_channel_that_the_newest_checkpoint_does_not_have(
    approvals: Approvals,  # noqa: F811
) -> None:
    agent = graph_of(Script([]), Desk(), state=Spread).compile()
    with pytest.raises(RunFailed, match="must not have a DeltaChannel: messages"):
        started(approvals, agent).result()


def test_should_give_config_and_context_to_the_graph(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    agent = graph_of(Script([calls(refund("c1")), calls(refund("c2"))]), desk).compile()
    options = {"config": {"configurable": {"thread_id": "T-1"}, "recursion_limit": 3}}
    run = started(approvals, agent, options=options)
    approvals.approve(by="ann")
    approvals.approve(by="ann")
    assert "refunded" in run.result()


class Verdict(BaseModel):
    amount: int


def test_should_return_the_structured_answer_of_the_prebuilt_agent(approvals: Approvals) -> None:  # noqa: F811
    class Model(ScriptedModel):
        def with_structured_output(self, *_: Any, **__: Any) -> Any:
            return RunnableLambda(lambda _: Verdict(amount=70))

    desk = Desk()
    agent = create_react_agent(
        Model(script=Script([calls(refund())])), [desk.refund], response_format=Verdict
    )
    run = started(approvals, agent)
    approvals.approve(by="ann")
    assert run.result() == {"amount": 70}


def test_should_return_the_output_of_a_graph_without_messages(approvals: Approvals) -> None:  # noqa: F811
    class State(TypedDict):
        amount: int

    graph = StateGraph(State)
    graph.add_node("double", lambda state: {"amount": state["amount"] * 2})
    graph.add_edge(START, "double")
    assert started(approvals, graph.compile(), {"amount": 4}).result() == {"amount": 8}


def test_should_keep_the_newest_checkpoint_only(approvals: Approvals) -> None:  # noqa: F811
    from hitl_approval.agents.gate import Gate
    from hitl_approval.agents.langgraph import Adapter
    from hitl_approval.domain.tool_policy import ToolPolicy

    def size(reads: int) -> int:
        said = [calls(Call(f"r{n}", "read_customer", {"customer": "C-1"})) for n in range(reads)]
        agent = graph_of(Script([*said, calls(refund())]), Desk()).compile()
        config = {"recursion_limit": 100}
        config = {"recursion_limit": 100}
        turn = Adapter(agent, {"config": config}).start("help", Gate(ToolPolicy.of(TOOLS)))
        return len(turn.state)

    few, many, more = size(0), size(10), size(20)
    assert more - many < 1.2 * (many - few)  # grows with the conversation, not with its square


def test_should_end_with_the_words_of_the_model(approvals: Approvals) -> None:  # noqa: F811
    agent = graph_of(Script([Says("nothing to do")]), Desk()).compile()
    assert started(approvals, agent).result() == "nothing to do"
