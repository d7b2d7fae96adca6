"""`Approvals`: your durable functions on AWS's local runner, their approvals in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from hitl_approval.contract import MAX_EXECUTION_SECONDS, Env, MessageKind
from hitl_approval.domain.approval import Approval, Decision
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.rule import Rule, Rules
from hitl_approval.domain.values import NOTHING, Values
from hitl_approval.durable import wait
from hitl_approval.testing.memory import (
    PAGE_URL,
    InMemoryStore,
    RecordingMeter,
    RecordingNotifier,
)
from hitl_approval.testing.messages import CountingSecrets, InMemoryMessages
from hitl_approval.testing.run import Run
from hitl_approval.testing.settings import SettingsInMemory, reminders_of
from hitl_approval.testing.thread import Talk
from hitl_approval.testing.turns import Turns, escalate_due, next_escalation
from hitl_approval.testing.virtual_time import (
    RunnerCallbackClient,
    StandingClock,
    eventually,
    virtual_time,
)
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.deliver import DeliveryService
from hitl_approval.usecases.request import RequestService

ROUNDING = timedelta(seconds=2)
"""How much later than its expiry an approval may end: the engine's timers are whole seconds."""


class _Due(NamedTuple):
    """What goes on at a time: a callback's timeout, a timer, a step to be tried again."""

    at: datetime
    run: Run
    wait: Any


@dataclass(eq=False)
class Approvals(Talk, Turns):
    """A deployment in memory for one test: use it as a context manager, or the fixture.

    Attributes:
        approvers, groups, requests_name_approvers, rules, policy, approval_timeout, reminders: the
            deployment's, as `HitlApproval` takes them; set them before `start`.
        unreachable: names of people whose messages are refused.
    """

    approvers: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    requests_name_approvers: bool = False
    rules: Sequence[Rule] = ()
    policy: Policy = field(default_factory=Policy)
    approval_timeout: timedelta = timedelta(hours=1)
    reminders: Sequence[timedelta] | None = None
    unreachable: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = StandingClock()
        self.store = InMemoryStore()
        self._notifier, self._meter = RecordingNotifier(), RecordingMeter()
        self._to_people = RecordingNotifier(unreachable=self.unreachable)
        self._messages, self._events_taken = InMemoryMessages(), Counter[str]()
        self._messenger = DeliveryService(
            store=self.store,
            clock=self.clock,
            meter=self._meter,
            messages=self._messages,
            notifiers={"sns": self._to_people},
            page_url=PAGE_URL,
            secrets=CountingSecrets(),
        )
        self._callbacks = RunnerCallbackClient()
        self._runs: list[Run] = []
        shared: Any = {"store": self.store, "clock": self.clock, "meter": self._meter}
        shared["callbacks"] = self._callbacks
        self._requests = RequestService(notifier=self._notifier, **shared)
        self._decisions = DecisionService(delegations=self.store.delegations, **shared)
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
        """What was published to everybody who listens, in order."""
        return self._notifier.sent

    def messages(
        self, to: str | None = None, kind: MessageKind | None = None
    ) -> Sequence[Notification]:
        """What people were sent, in order: requests, reminders, outcomes.

        Args:
            to: only what this person was sent.
            kind: only messages of this kind.
        """
        self.wait_until_idle()
        return [
            message
            for message in self._to_people.sent
            if to in {None, message.recipient} and kind in {None, message.kind}
        ]

    def start(
        self, handler: Callable[[Any, Any], Any], event: Any, *, name: str = "execution"
    ) -> Run:
        """Start a durable function and let it run until it ends, or waits for people or for time.

        Time stands still meanwhile, also for `context.wait` and for a step that failed and is to
        be tried again: `advance` and `let_time_out` let it pass.

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
        """What awaits a decision, in the order in which it was asked.

        Raises:
            AssertionError: a function failed, and its `result` has not been asked for.
        """
        self.wait_until_idle()
        for run in self._runs:
            if run.failed and not run.failure_is_known:
                raise AssertionError(run.standing())
        return [a for a in self.store.approvals.values() if a.pending]

    def approve(
        self,
        approval: Approval | None = None,
        *,
        by: str = "approver",
        comments: str = "",
        identity: Identity = "declared",
        input: Mapping[str, Any] | None = None,  # noqa: A002  as an outcome has it
        changes: Mapping[str, Any] | None = None,
    ) -> Approval:
        """Approve; returns the record as it then is.

        Args:
            approval: one of `pending()`, as the approver saw it. Default: the only one.
            by: who does.
            comments: what they say.
            identity: how their name is known.
            input: what they fill in, where the request has a form.
            changes: what they change, of what is editable, by path.

        Raises:
            AssertionError: none or several are pending and none was named; or the function that
                asked has ended, or goes on without the answer.
            ApprovalError: the policy refuses this vote.
        """
        values = Values(input, changes)
        return self._decide(approval, "approved", by, comments, identity, values=values)

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
        self, approval: Approval | None = None, *, by: str | None = None, comments: str = ""
    ) -> Approval:
        """Withdraw a request as its requester, or who else may; see `approve`."""
        found = self._one(approval)
        actor = Actor(by or found.requester, "declared")
        return self._resumed(self._decisions.cancel(found.approval_id, actor, comments).approval)

    def let_time_out(self, approval: Approval | None = None) -> Approval:
        """Let time pass until nobody can decide any more; see `approve`."""
        found = self._one(approval)
        self.advance(found.expires_at - self.clock.now() + ROUNDING)
        approval = self.store.approvals[found.approval_id]
        if approval.pending:
            raise AssertionError(self._unread(approval))
        return approval

    def advance(self, delta: timedelta) -> None:
        """Let time pass; whatever waits for it goes on when its time has come.

        Approvals expire, `context.wait` ends, failed steps are tried again, reminders are sent,
        others are asked by an escalation.
        """
        self.wait_until_idle()
        until = self.clock.now() + delta
        while (due := self._next_due()) and due.at <= until:
            self._pass_until(due.at)
            self._go_on(due)
        self._pass_until(until)

    def wait_until_idle(self) -> None:
        """Wait until every function has ended, or waits for people or for time."""
        eventually(
            lambda: all(run.idle() for run in self._runs),
            "end of the function, and it does not wait for people or for time either",
        )
        self._deliver()

    def _pass_until(self, moment: datetime) -> None:
        """Let time pass; people are sent what is due meanwhile, others are asked, all in time."""
        while (due := self._next_without_a_run()) and due <= moment:
            self.clock.advance(max(due - self.clock.now(), timedelta(0)))
            escalate_due(self.store, self.clock.now())
            self._deliver()
            self._messenger.deliver_due()
        self.clock.advance(max(moment - self.clock.now(), timedelta(0)))

    def _next_without_a_run(self) -> datetime | None:
        """When something is due that waits for no function: a message, a step of an escalation."""
        found = (self._messages.next_due(), next_escalation(self.store))
        return min(filter(None, found), default=None)

    def _deliver(self) -> None:
        """Let the messenger take what has been committed since."""
        for approval_id, trail in list(self.store.audit.items()):
            events = trail[self._events_taken[approval_id] :]
            self._events_taken[approval_id] += self._messenger.take(events)

    def _go_on(self, due: _Due) -> None:
        before = due.run.invocations
        due.run.let_pass(due.wait)
        eventually(lambda: due.run.invocations > before, "function that goes on")
        self.wait_until_idle()

    def _next_due(self) -> _Due | None:
        """What goes on first, by time alone."""
        waiting_for = [
            _Due(run.goes_on_at(wait), run, wait) for run in self._runs for wait in run.waits()
        ]
        return min(waiting_for, key=lambda due: due.at, default=None)

    def _decide(
        self,
        approval: Approval | None,
        decision: Decision,
        by: str,
        comments: str,
        identity: Identity,
        *,
        values: Values = NOTHING,
    ) -> Approval:
        found = self._one(approval)
        answer = self._decisions.decide(
            found.approval_id,
            Actor(by, identity),
            decision,
            comments,
            content_digest=found.content_digest,
            values=values,
        )
        return self._resumed(answer.approval)

    def _resumed(self, approval: Approval) -> Approval:
        """Wait until the function has read the end of an approval."""
        if not approval.pending:
            self.wait_until_idle()
            approval = self.store.approvals[approval.approval_id]
            if not approval.resumed:
                raise AssertionError(self._unread(approval))
        return approval

    def _unread(self, approval: Approval) -> str:
        """Why a function has not read the end of its approval."""
        run = self._run_of(approval)
        standing = run.standing() if run else "no function of this test asked"
        return f"nobody waits for {approval.subject!r} any more: {standing}"

    def _run_of(self, approval: Approval) -> Run | None:
        return next((run for run in self._runs if run.arn == approval.execution_arn), None)

    def _one(self, approval: Approval | None) -> Approval:
        if approval is None:
            pending = self.pending()
            if not pending:
                standing = "; ".join(run.standing() for run in self._runs)
                msg = f"no approval is pending: {standing or 'no function was started'}"
                raise AssertionError(msg)
            if len(pending) > 1:
                subjects = ", ".join(repr(a.subject) for a in pending)
                msg = f"name the approval: pending are {subjects}"
                raise AssertionError(msg)
            approval = pending[0]
        self.wait_until_idle()
        run = self._run_of(approval)
        if run and run.done:
            raise AssertionError(self._unread(approval))
        return approval

    def _settings(self) -> SettingsInMemory:
        return SettingsInMemory(
            people=self.groups,
            given=Rules(tuple(self.rules)),
            values={
                Env.APPROVAL_TIMEOUT_SECONDS: str(int(self.approval_timeout.total_seconds())),
                Env.MAX_APPROVAL_TIMEOUT_SECONDS: str(MAX_EXECUTION_SECONDS),
                Env.APPROVAL_POLICY: json.dumps(self.policy.to_dict()),
                Env.DEFAULT_APPROVERS: json.dumps(list(self.approvers)),
                Env.REQUESTS_NAME_APPROVERS: str(self.requests_name_approvers).lower(),
                Env.RESUME_MODE: "callback",
                Env.POLL_INTERVAL_SECONDS: "5",
                Env.PAGE_URL: PAGE_URL,
                **reminders_of(self.reminders),
            },
        )
