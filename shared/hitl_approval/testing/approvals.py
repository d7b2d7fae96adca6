"""`Approvals`: your durable functions on AWS's local runner, their approvals in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from hitl_approval.contract import MAX_EXECUTION_SECONDS, Env
from hitl_approval.domain.approval import Approval, Decision
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.policy import Policy
from hitl_approval.durable import wait
from hitl_approval.settings import Settings
from hitl_approval.testing.execution import LocalExecution
from hitl_approval.testing.memory import InMemoryStore, RecordingMeter, RecordingNotifier
from hitl_approval.testing.virtual_time import (
    PATIENCE,
    RunnerCallbackClient,
    VirtualClock,
    eventually,
    virtual_time,
)
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.request import RequestService


class RunFailed(AssertionError):  # noqa: N818  reads as what happened
    """The function raised.

    Attributes:
        error_type: the exception's module and name, as Lambda's `ErrorType`.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type


class Run(LocalExecution):
    """One execution of a durable function, of a test's deployment."""

    def __init__(self, approvals: Approvals, handler: Callable[[Any, Any], Any]) -> None:
        super().__init__(handler)
        self.approvals = approvals

    def result(self) -> Any:
        """What the function returned, as JSON values.

        Raises:
            RunFailed: it raised.
            AssertionError: it still waits; the message says for what.
        """
        self.approvals.wait_until_idle()
        if not self.done:
            waits = ", ".join(repr(a.subject) for a in self.approvals.pending()) or "something else"
            msg = f"the function has not ended: it waits for {waits}"
            raise AssertionError(msg)
        result = self._ended
        if result.status.value != "SUCCEEDED":
            error: Any = result.error
            raise RunFailed(str(error.type), str(error.message))
        return json.loads(str(result.result)) if result.result else None

    @cached_property
    def _ended(self) -> Any:
        return self.runner.wait_for_result(self.arn, timeout=int(PATIENCE))  # answers once only

    def idle(self) -> bool:
        """Whether it has ended, or waits for callbacks and nothing else."""
        return self.done or bool(self.callbacks())


class _Due(NamedTuple):
    """A callback and when its timeout passes."""

    at: datetime
    run: Run
    callback: Any


@dataclass(eq=False)
class Approvals:
    """A deployment in memory for one test: use it as a context manager, or the fixture.

    Attributes:
        approvers, groups, policy, approval_timeout: the deployment's defaults, as `HitlApproval`
            takes them; set them before `start`.
        notifications: what the approvers were sent.
    """

    approvers: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    approval_timeout: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.store = InMemoryStore()
        self._notifier, self._meter = RecordingNotifier(), RecordingMeter()
        self._callbacks = RunnerCallbackClient()
        self._runs: list[Run] = []
        self._requests = RequestService(
            store=self.store, clock=self.clock, meter=self._meter, notifier=self._notifier
        )
        self._decisions = DecisionService(
            store=self.store, clock=self.clock, meter=self._meter, callbacks=self._callbacks
        )
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(virtual_time(self.clock))
        self._open.enter_context(patch.object(wait, "settings", self._settings))
        self._open.enter_context(patch.object(wait, "request_service", lambda: self._requests))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for run in self._runs:
            run.close()
        self._open.close()

    @property
    def notifications(self) -> Sequence[Notification]:
        """What the approvers were sent, in order."""
        return self._notifier.sent

    def start(
        self, handler: Callable[[Any, Any], Any], event: Any, *, name: str = "execution"
    ) -> Run:
        """Start a durable function and let it run until it ends or waits for people.

        Args:
            handler: decorated with `@durable_execution`.
            event: JSON values.
            name: of the execution.
        """
        run = Run(self, handler)
        self._callbacks.runners.append(run.runner)
        run.start(event, name)
        self._runs.append(run)
        self.wait_until_idle()
        return run

    def pending(self) -> list[Approval]:
        """What awaits a decision, in the order in which it was asked."""
        self.wait_until_idle()
        return [a for a in self.store.approvals.values() if a.pending]

    def approve(
        self,
        approval: Approval | None = None,
        *,
        by: str = "approver",
        comments: str = "",
        identity: Identity = "declared",
    ) -> Approval:
        """Approve; returns the record as it then is.

        Args:
            approval: one of `pending()`. Default: the only one.
            by: who does.
            comments: what they say.
            identity: how their name is known.

        Raises:
            AssertionError: none or several are pending and none was named.
            ApprovalError: the policy refuses this vote.
        """
        return self._decide(approval, "approved", by, comments, identity)

    def reject(
        self,
        approval: Approval | None = None,
        *,
        by: str = "approver",
        comments: str = "",
        identity: Identity = "declared",
    ) -> Approval:
        """Reject; see `approve`."""
        return self._decide(approval, "rejected", by, comments, identity)

    def cancel(
        self, approval: Approval | None = None, *, by: str = "requester", comments: str = ""
    ) -> Approval:
        """Withdraw a request; see `approve`."""
        found = self._one(approval)
        answer = self._decisions.cancel(found.approval_id, Actor(by, "declared"), comments)
        return self._resumed(answer.approval)

    def let_time_out(self, approval: Approval | None = None) -> Approval:
        """Let time pass until nobody can decide any more; see `approve`."""
        found = self._one(approval)
        self.advance(found.expires_at - self.clock.now())
        while (approval := self.store.approvals[found.approval_id]).pending:
            self.advance(timedelta(seconds=1))  # durable timers are whole seconds, rounded up
        return approval

    def advance(self, delta: timedelta) -> None:
        """Let time pass; whatever waits for it goes on when its time has come."""
        until = self.clock.now() + delta
        self.wait_until_idle()
        while (due := self._next_due()) and due.at <= until:
            self.clock.advance(max(due.at - self.clock.now(), timedelta(0)))
            self._time_out(due)
        self.clock.advance(max(until - self.clock.now(), timedelta(0)))

    def wait_until_idle(self) -> None:
        """Wait until every function has ended or waits for people."""
        eventually(
            lambda: all(run.idle() for run in self._runs),
            "end of the function, and it does not wait for people either",
        )

    def _time_out(self, due: _Due) -> None:
        before = due.run.invocations
        due.run.time_out(due.callback)
        eventually(lambda: due.run.invocations > before, "function that goes on")
        self.wait_until_idle()

    def _next_due(self) -> _Due | None:
        """The callback whose timeout passes first."""
        waiting_for = [
            _Due(run.times_out_at(callback), run, callback)
            for run in self._runs
            for callback in run.callbacks()
        ]
        return min(waiting_for, key=lambda due: due.at, default=None)

    def _decide(
        self,
        approval: Approval | None,
        decision: Decision,
        by: str,
        comments: str,
        identity: Identity,
    ) -> Approval:
        found = self._one(approval)
        answer = self._decisions.decide(found.approval_id, Actor(by, identity), decision, comments)
        return self._resumed(answer.approval)

    def _resumed(self, approval: Approval) -> Approval:
        """Wait until the function has read the end of an approval."""
        if not approval.pending:
            eventually(
                lambda: self.store.approvals[approval.approval_id].resumed,
                f"function that reads the end of {approval.subject!r}",
            )
            self.wait_until_idle()
        return self.store.approvals[approval.approval_id]

    def _one(self, approval: Approval | None) -> Approval:
        if approval is not None:
            return approval
        pending = self.pending()
        if len(pending) != 1:
            subjects = ", ".join(repr(a.subject) for a in pending) or "none"
            msg = f"name the approval: pending are {subjects}"
            raise AssertionError(msg)
        return pending[0]

    def _settings(self) -> Settings:
        return Settings(
            values={
                Env.APPROVAL_TIMEOUT_SECONDS: str(int(self.approval_timeout.total_seconds())),
                Env.MAX_APPROVAL_TIMEOUT_SECONDS: str(MAX_EXECUTION_SECONDS),
                Env.APPROVAL_POLICY: json.dumps(self.policy.to_dict()),
                Env.DEFAULT_APPROVERS: json.dumps(list(self.approvers)),
                Env.APPROVER_GROUPS: json.dumps({n: list(m) for n, m in self.groups.items()}),
                Env.RESUME_MODE: "callback",
                Env.POLL_INTERVAL_SECONDS: "5",
            }
        )
