"""An agent's framework is found by its class, and nothing else is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from hitl_approval import InvalidRequest
from hitl_approval.agents.adapter import FRAMEWORKS, ToolCall, Turn, adapter_of


def test_should_name_the_four_where_it_knows_no_agent() -> None:
    with pytest.raises(InvalidRequest, match="pydantic-ai, the OpenAI Agents SDK or Strands"):
        adapter_of(object(), {})


def made_in(module: str, name: str) -> Any:
    return type(name, (), {"__module__": module})


@pytest.mark.parametrize("module", ["my.agents", "agentsmith", "pydantic_ai_tools"])
def test_should_not_take_anothers_class_for_an_agent(module: str) -> None:
    with pytest.raises(InvalidRequest):
        adapter_of(made_in(module, "Agent")(), {})


def test_should_find_an_agent_by_a_base_class(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    class Module:
        Adapter = staticmethod(lambda agent, options: options)

    def import_module(name: str) -> Any:
        found.append(name)
        return Module

    monkeypatch.setattr("hitl_approval.agents.adapter.import_module", import_module)
    base = made_in("agents.agent", "Agent")
    mine = type("Mine", (base,), {"__module__": "my.code"})
    made: Any = adapter_of(mine(), {"a": 1})
    assert made == {"a": 1}
    assert found == ["hitl_approval.agents.openai_agents"]


def test_should_import_no_framework_before_one_is_used() -> None:
    program = (
        "import sys; import hitl_approval.agents as a; [getattr(a, n) for n in a.__all__];"
        "print([m for m in sys.modules if m.split('.')[0] in "
        f"{[each.module for each in FRAMEWORKS]!r}])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_should_read_back_a_turn() -> None:
    call = ToolCall(id="c1", tool="pay", arguments={"amount": 70}, why="so")
    turn = Turn(calls=(call,), state={"a": 1})
    assert Turn.from_json(turn.to_json()) == turn
    assert Turn.from_json(Turn(output="done").to_json()) == Turn(output="done")
