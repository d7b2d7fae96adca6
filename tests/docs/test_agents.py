"""What `docs/agents.md` shows is run, and what it says of versions and counts is so."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from langgraph.prebuilt import create_react_agent

from hitl_approval.agents import ToolPolicy
from hitl_approval.testing import Approvals
from tests.agents import kit_langgraph, kit_openai_agents, kit_pydantic_ai, kit_strands
from tests.agents.script import Script, calls, refund
from tests.tomorrow import pins

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
POLICY, *BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MODELS: dict[str, Any] = {
    "pydantic_ai": kit_pydantic_ai.model_of,
    "agents": kit_openai_agents.ScriptModel,
    "strands": kit_strands.ScriptedModel,
    "langchain.agents": lambda script: kit_langgraph.ScriptedModel(script=script),
}


def policy() -> Any:
    shown: dict[str, Any] = {}
    exec(POLICY, shown)
    return shown["TOOLS"]


@pytest.mark.parametrize("module", MODELS)
@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_should_gate_the_agent_that_it_shows(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    langchain = SimpleNamespace(create_agent=create_react_agent)  # LangChain is not installed here
    monkeypatch.setitem(sys.modules, "langchain.agents", cast(ModuleType, langchain))
    [block] = [each for each in BLOCKS if f"from {module} import" in each]
    script = Script([calls(refund("c1", 49)), calls(refund("c2", 50))])
    model, found = re.subn(r'"((openai:)?gpt-|eu\.anthropic\.)[^"]+"', "MODEL", block)
    assert found == 1
    assert len(block.splitlines()) < 20
    shown = {"MODEL": MODELS[module](script), "TOOLS": policy()}
    exec(model, shown)
    with Approvals() as approvals:
        run = approvals.start(shown["handler"], {"task": "help"})
        [asked] = approvals.pending()
        assert asked.approvers == ("finance-leads",)
        assert "amount=50" in asked.subject
        approvals.approve(by="finance-leads")
        assert run.result() == "done: refunded 49 to C-1; refunded 50 to C-1"


def test_should_write_the_policy_as_json_as_the_page_does() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    written = ToolPolicy.of(json.loads(shown))
    assert [pattern for pattern, _ in written.rules] == [
        pattern for pattern, _ in ToolPolicy.of(policy()).rules
    ]


def test_should_say_what_is_counted() -> None:
    assert "the refund is paid 2 times" in PAGE


def test_should_say_between_which_versions_it_is_tested() -> None:
    root = Path(__file__).parents[2]
    said = re.findall(r"^\| ([\w-]+) \| `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    lowest = dict(
        line.split("==") for line in (root / "tests/agents/lowest.txt").read_text("utf-8").split()
    )
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert {name for name, *_ in said} == set(lowest)
    for name, extra, low, newest in said:
        assert lowest[name] == low
        [declared] = project["optional-dependencies"][extra]
        assert f"{declared}.0".startswith(f"{name}>={low.removesuffix('.0')}."), declared
        assert pins("requirements-dev.txt")[name] == newest
