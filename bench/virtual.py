"""Real executions on AWS's local durable runner in virtual time: what they took, counted.

The runtime's own code, and the two baselines beside it, over a deployment in memory. No timer is
waited for: a year passes in as long as its operations take.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.lambda_service import OperationAction, OperationSubType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from hitl_approval.contract import MAX_EXECUTION_SECONDS, Env
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.voting import cast_vote
from hitl_approval.durable import wait as waiting
from hitl_approval.settings import Settings
from hitl_approval.testing import InMemoryStore, RecordingMeter, RecordingNotifier
from hitl_approval.testing.execution import LocalExecution
from hitl_approval.testing.virtual_time import (
    VirtualClock,
    eventually,
    virtual_time,
)
from hitl_approval.usecases.request import RequestService
from hitl_approval_cli.cost_model import DEFAULT_POLL, LONGEST_TIMEOUT
from tests.environment import ENVIRONMENT

PATIENCE = 900
"""Seconds of real time for one run."""
EVENT = {"document_id": "bench", "document_name": "Q4 Budget Proposal", "requester": "ann"}


@dataclass(frozen=True, slots=True)
class Counted:
    """What one execution took: metered operations, invocations, bytes that it checkpointed."""

    operations: int
    invocations: int
    bytes_written: int


@dataclass(slots=True)
class _DecidedLater(InMemoryStore):
    """A record that somebody approves once its time has come; seen by the next read."""

    clock: VirtualClock | None = None
    moment: datetime | None = None

    def get(self, approval_id: str) -> Approval | None:
        """See `ports.Store.get`."""
        # Named: a dataclass with slots is another class than the one that `super()` remembers.
        approval = InMemoryStore.get(self, approval_id)
        if approval and approval.pending and self.clock and self.moment:
            now = self.clock.now()
            if now >= self.moment:
                at = min(self.moment, approval.expires_at - timedelta(seconds=1))
                vote = cast_vote(approval, Actor("bob", "declared"), "approved", "", now=at)
                if vote is not None:
                    self.commit(vote)
                return InMemoryStore.get(self, approval_id)
        return approval


class Stage:
    """One deployment in memory, and time."""

    def __init__(
        self, opened: ExitStack, decided_after: timedelta, environment: Mapping[str, str]
    ) -> None:
        self.clock = VirtualClock()
        self.decided_at = self.clock.now() + decided_after
        self.store = _DecidedLater(clock=self.clock, moment=self.decided_at)
        self.opened = opened
        service, settings = (
            self.requests(),
            Settings(values={**ENVIRONMENT, **_LONGEST, **environment}),
        )
        opened.enter_context(virtual_time(self.clock))
        opened.enter_context(patch.object(waiting, "settings", lambda: settings))
        opened.enter_context(patch.object(waiting, "request_service", lambda: service))

    def requests(self) -> RequestService:
        """The use cases of a request."""
        return RequestService(
            store=self.store,
            clock=self.clock,
            meter=RecordingMeter(),
            notifier=RecordingNotifier(),
        )

    def decide(self, runner: DurableFunctionTestRunner, callback_id: str) -> None:
        """Somebody decides now, which completes the callback."""
        for approval_id in self.store.approvals:
            self.store.get(approval_id)
        runner.send_callback_success(callback_id)

    def run(self, handler: Callable[[Any, Any], Any]) -> Counted:
        """From the start to the end: callbacks time out, or are completed by the decision."""
        execution = LocalExecution(handler)
        self.opened.callback(execution.close)
        execution.start(EVENT)
        while eventually(lambda: execution.done or execution.callbacks(), "suspension"):
            if execution.done:
                break
            self._pass_time(execution, *execution.callbacks())
        result = execution.runner.wait_for_result(execution.arn, timeout=PATIENCE)
        if result.status.value != "SUCCEEDED":
            raise RuntimeError(str(result.error))
        return self._count(execution)

    def _pass_time(self, execution: LocalExecution, callback: Any) -> None:
        before = execution.invocations
        times_out = execution.times_out_at(callback)
        self._advance_to(min(times_out, self.decided_at))
        if self.decided_at <= times_out:
            self.decide(execution.runner, callback.callback_details.callback_id)
        else:
            execution.time_out(callback)
        eventually(lambda: execution.invocations > before, "function that goes on")

    def _advance_to(self, moment: datetime) -> None:
        self.clock.advance(max(moment - self.clock.now(), timedelta(0)))

    def _count(self, execution: LocalExecution) -> Counted:
        found, updates = execution.operations(), execution.updates
        retries = sum(update.action is OperationAction.RETRY for update in updates)
        polled = sum(o.sub_type == OperationSubType.WAIT_FOR_CONDITION.value for o in found)
        written = sum(len(json.dumps(update.to_dict(), default=str)) for update in updates)
        # The execution itself is one; a wait_for_condition's last poll is no retry, but metered.
        return Counted(1 + len(found) + retries + polled, execution.invocations, written)


def count(design: str, wait: timedelta, timeout: timedelta = LONGEST_TIMEOUT) -> Counted:
    """Run one approval of a design, decided after `wait`, in virtual time."""
    environment = {
        Env.RESUME_MODE: "polling" if design == "polling" else "callback",
        Env.APPROVAL_TIMEOUT_SECONDS: str(int(timeout.total_seconds())),
    }
    with ExitStack() as opened:
        stage = Stage(opened, wait, environment)
        handlers: Mapping[str, Callable[[Any, Any], Any]] = {
            "callback": packaged(),
            "polling": packaged(),
            "pattern": pattern_loop(stage.clock, stage.decided_at),
            "bare": bare_engine(),
        }
        return stage.run(handlers[design])


def pattern_loop(clock: VirtualClock, decided_at: datetime) -> Callable[[Any, Any], Any]:
    """The public pattern's loop: a step that checks, 5 seconds, a step that checks ..."""

    @durable_execution
    def handler(_: Any, context: DurableContext) -> str:
        context.step(lambda _: "id", name="create")
        context.step(lambda _: None, name="notify")
        while not context.step(lambda _: clock.now() >= decided_at, name="check"):
            context.wait(Duration.from_seconds(int(DEFAULT_POLL.total_seconds())))
        return "approved"

    return handler


def bare_engine() -> Callable[[Any, Any], Any]:
    """One callback and one step, and nothing else."""

    @durable_execution
    def handler(_: Any, context: DurableContext) -> str:
        context.create_callback().result()
        return context.step(lambda _: "approved")

    return handler


def packaged() -> Callable[[Any, Any], Any]:
    """The deployed workflow."""
    handler: Callable[[Any, Any], Any] = importlib.import_module("workflow.handler").handler
    return handler


_LONGEST = {Env.MAX_APPROVAL_TIMEOUT_SECONDS: str(MAX_EXECUTION_SECONDS)}
