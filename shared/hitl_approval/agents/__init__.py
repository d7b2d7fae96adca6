"""Any agent can ask a person: `run` makes an agent durable and its tools wait for approvals.

```python
from hitl_approval.agents import allow, ask, run

@durable_execution
def handler(event, context):
    return run(
        context,
        agent,
        event["task"],
        requester="support-agent",
        tools={"read_*": allow(), "refund": ask(approvers=["finance-leads"])},
    )
```

The agent is one of pydantic-ai, the OpenAI Agents SDK, Strands Agents or LangGraph; the framework
is imported when an agent of it is run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hitl_approval.agents.agent_run import run
    from hitl_approval.agents.gate import ApprovedCall, Refused, approved_call
    from hitl_approval.agents.states import S3States
    from hitl_approval.domain.condition import field
    from hitl_approval.domain.tool_policy import ToolPolicy, allow, ask, deny

_HOMES = {
    "ApprovedCall": "agents.gate",
    "Refused": "agents.gate",
    "S3States": "agents.states",
    "ToolPolicy": "domain.tool_policy",
    "allow": "domain.tool_policy",
    "approved_call": "agents.gate",
    "ask": "domain.tool_policy",
    "deny": "domain.tool_policy",
    "field": "domain.condition",
    "run": "agents.agent_run",
}

__all__ = [
    "ApprovedCall",
    "Refused",
    "S3States",
    "ToolPolicy",
    "allow",
    "approved_call",
    "ask",
    "deny",
    "field",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"hitl_approval.{_HOMES[name]}"), name)
