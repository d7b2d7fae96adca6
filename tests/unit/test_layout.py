"""Each module of the runtime has a test of its name here, and each test here a module."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

import hitl_approval

PACKAGE = Path(hitl_approval.__file__).parent
HERE = Path(__file__).parent
MODULES = sorted(
    str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
)
MAX_LINES = 400
ELSEWHERE: Mapping[str, str] = {
    "adapters/delegations.py": "contract/test_delegations.py",
    "adapters/gauges.py": "contract/test_gauges.py",
    "adapters/inbox.py": "contract/test_inbox.py",
    "adapters/issuer.py": "contract/test_issuer.py",
    "adapters/messages.py": "contract/test_messages.py",
    "adapters/slack.py": "contract/test_slack.py",
    "adapters/web.py": "contract/test_slack.py",
    "adapters/webhook.py": "contract/test_webhook.py",
    "agents/agent_run.py": "agents/test_contract.py",
    "agents/langgraph.py": "agents/test_contract.py",
    "agents/langgraph_gate.py": "agents/test_langgraph.py",
    "agents/langgraph_state.py": "agents/test_contract.py",
    "agents/openai_agents.py": "agents/test_contract.py",
    "agents/pydantic_ai.py": "agents/test_contract.py",
    "agents/strands.py": "agents/test_contract.py",
    "agents/strands_gate.py": "agents/test_strands.py",
    "durable/counted.py": "workflow/test_business_hours.py",
    "durable/document.py": "workflow/test_state_machine.py",
    "durable/operations.py": "workflow/test_refusals.py",
    "durable/refusals.py": "workflow/test_refusals.py",
    "durable/tool.py": "workflow/test_gate.py",
    "durable/wait.py": "workflow/test_waiting.py",
    "durable/withdraw.py": "workflow/test_withdraw.py",
    "http/mcp_api.py": "mcp/test_conformance.py",
    "mcp/asking.py": "mcp/test_conformance.py",
    "mcp/elicitation.py": "mcp/test_conformance.py",
    "mcp/server.py": "mcp/test_conformance.py",
    "mcp/tasks.py": "mcp/test_conformance.py",
    "http/schemas.py": "unit/http/test_openapi.py",
    "testing/approvals.py": "workflow/test_testing.py",
    "testing/delegations.py": "contract/test_delegations.py",
    "testing/execution.py": "workflow/test_testing.py",
    "testing/gauges.py": "contract/test_gauges.py",
    "testing/memory.py": "contract/test_store.py",
    "testing/messages.py": "contract/test_messages.py",
    "testing/run.py": "workflow/test_testing.py",
    "testing/plugin.py": "workflow/test_testing.py",
    "testing/thread.py": "workflow/test_testing.py",
}
"""Modules that only a durable runner, both stores or a page show -> what tests them."""
OF_THE_PACKAGE = {"test_public_api.py", "test_layout.py"}
"""Tests of `hitl_approval` itself."""


def behaves(module: str) -> bool:
    """Whether a module has a function, but for those that a protocol names."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    ports = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
        for inner in ast.walk(node)
    }
    return any(isinstance(node, ast.FunctionDef) and node not in ports for node in ast.walk(tree))


def expected(module: str) -> Path:
    """Where the test of a module is expected."""
    path = Path(module)
    return HERE / path.with_name(f"test_{path.name}")


@pytest.mark.parametrize("module", [module for module in MODULES if behaves(module)])
def test_should_have_a_test_of_its_name(module: str) -> None:
    if module in ELSEWHERE:
        assert not expected(module).exists(), "it is here now: no exception any more"
        assert (HERE.parent / ELSEWHERE[module]).is_file()
    else:
        assert expected(module).is_file()


@pytest.mark.parametrize("module", MODULES)
def test_should_be_short_enough_to_read(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_should_test_a_module_that_is_there() -> None:
    tests = {path.relative_to(HERE) for path in HERE.rglob("test_*.py")}
    stray = {
        str(path)
        for path in tests
        if path.name not in OF_THE_PACKAGE
        and not (PACKAGE / path.with_name(path.name.removeprefix("test_"))).is_file()
    }
    assert not stray


def test_should_make_no_exception_that_nobody_needs() -> None:
    assert ELSEWHERE.keys() <= set(MODULES)
