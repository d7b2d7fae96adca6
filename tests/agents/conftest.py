"""Agents of every framework, on AWS's local runner, their approvals in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python_testing.executor import Executor

from hitl_approval.agents import allow, run
from hitl_approval.testing import Approvals, Run
from hitl_approval.testing.plugin import approvals  # noqa: F401  a fixture

from .script import Desk, Kit, Says, Script

KITS = sorted(path.stem for path in Path(__file__).parent.glob("kit_*.py"))
"""A module for each framework; its class `MadeKit` makes agents."""
TOOLS = {"read_*": allow()}


class Died(BaseException):
    """The process died: nothing catches it, and nothing is checkpointed after it."""


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

        @functools.wraps(handler)
        def process(event: Any, context: Any) -> Any:
            try:
                return handler(event, context)
            except Died:
                msg = "Runtime.ExitError"
                raise RuntimeError(msg) from None  # as the service sees it

        return process

    @property
    def steps(self) -> list[str]:
        [started] = self.approvals._runs
        return [str(operation.name) for operation in started.operations()]


def kit_of(module: str) -> Kit:
    made: Kit = import_module(f"{__package__}.{module}").MadeKit()
    return made


@pytest.fixture(params=KITS)
def bench(
    request: pytest.FixtureRequest,
    approvals: Approvals,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    monkeypatch.setattr(Executor, "RETRY_BACKOFF_SECONDS", 0)  # after a process has died
    return Bench(kit_of(request.param), approvals)
