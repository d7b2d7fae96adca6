"""Agents of every framework, on AWS's local runner, their approvals in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval.agents import allow, run
from hitl_approval.testing import Approvals, Run
from hitl_approval.testing.plugin import approvals  # noqa: F401  a fixture

from .script import Desk, Kit, Says, Script

KITS = sorted(path.stem for path in Path(__file__).parent.glob("kit_*.py"))
"""A module for each framework; its class `MadeKit` makes agents."""
TOOLS = {"read_*": allow()}


@dataclass
class Bench:
    """One agent, and everything that a test wants to see or do."""

    kit: Kit
    approvals: Approvals
    desk: Desk = field(default_factory=Desk)
    script: Script = field(default_factory=lambda: Script([]))

    def start(self, *says: Says, **options: Any) -> Run:
        """Run an agent whose model says these."""
        self.script = Script(list(says))
        return self.approvals.start(self.handler(**options), {"task": "help C-1"})

    def handler(self, **options: Any) -> Callable[[Any, Any], Any]:
        agent = self.kit.agent(self.script, self.desk)
        given = {"requester": "support-agent", "tools": TOOLS, **options}

        @durable_execution
        def handler(event: Any, context: DurableContext) -> Any:
            return run(context, agent, event["task"], **given)

        return handler

    @property
    def steps(self) -> list[str]:
        [started] = self.approvals._runs
        return [str(operation.name) for operation in started.operations()]


def kit_of(module: str) -> Kit:
    made: Kit = import_module(f"{__package__}.{module}").MadeKit()
    return made


@pytest.fixture(params=KITS)
def bench(request: pytest.FixtureRequest, approvals: Approvals) -> Bench:  # noqa: F811
    return Bench(kit_of(request.param), approvals)
