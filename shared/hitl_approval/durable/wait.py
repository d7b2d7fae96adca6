"""`wait_for_approval`: asks, suspends at no compute cost, returns what the record says.

Every side effect stands in a named step; ids are
derived; time is read in steps only, so that a replay sees what the first run saw. Renaming or
inserting an operation fails the executions in flight: append only.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import uuid4

from aws_durable_execution_sdk_python import (
    CallbackError,
    DurableContext,
    StepError,
)
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration
from aws_durable_execution_sdk_python.types import Callback
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
)

from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.errors import (
    ApprovalError,
    InvalidRequest,
)
from hitl_approval.domain.naming import Members
from hitl_approval.domain.outcome import Outcome, Snapshot
from hitl_approval.domain.request import ApprovalRequest, form_of
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.domain.schedule import (
    RECHECK_STRETCH,
    STAGE_OPERATIONS,
    most_operations,
    poll_delay,
    recheck_delay,
)
from hitl_approval.durable.counted import counted_in_a_step
from hitl_approval.durable.operations import Reserve, check_room, reserved
from hitl_approval.durable.refusals import check_context, refusal_of
from hitl_approval.durable.retries import (
    CREATE_ATTEMPTS,
    FINAL,
    NOTIFY_ATTEMPTS,
    READ_ATTEMPTS,
    pause,
    reason_of,
    retrying,
)
from hitl_approval.ports.requests import Found, Requests, Submission
from hitl_approval.settings import Settings, settings
from hitl_approval.usecases.ask import DirectRequests
from hitl_approval.wiring import request_service, requests_through

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_.:/ -]{1,200}")  # operation names: printable ASCII, at most 256


def wait_for_approval(
    context: DurableContext,
    request: ApprovalRequest,
    *,
    name: str | None = None,
    members: Members | None = None,
) -> Outcome:
    """Ask people, suspend until they have answered or time is up, and return the outcome.

    Args:
        context: the durable context of the handler, a child context or a parallel branch.
        request: what is asked.
        name: names this approval within the execution, so that its id can be derived from the
            execution's ARN. Unique within the execution. Default: an id of its own.
        members: called in a step of its own with each approver that is named; returns the people
            that the name stands for, or None for a person. Who is asked is thereby settled.
            Where the deployment names approvers or groups, it may return those only, unless the
            deployment has `requests_name_approvers`. Default: the groups of the deployment.

    Returns:
        The outcome as it stands on record. A rejection and a timeout are outcomes, not errors.

    Raises:
        InvalidRequest: this deployment cannot hold the request, the name is used twice, or this
            is called within a step.
        StepError: the record could not be written or read within about a minute or an hour, or
            `members` kept failing.
        WaitForConditionError: the same of a record that is polled.
    """
    return ask(context, request, name=name, members=members)[0]


def requests() -> Requests:
    """How this function asks: with the deployment's own rights, or through its request function."""
    function = settings().request_function_arn
    if function is not None:
        return requests_through(function)
    return DirectRequests(request_service(), settings().defaults)


def ask(
    context: DurableContext,
    request: ApprovalRequest,
    *,
    name: str | None = None,
    members: Members | None = None,
) -> tuple[Outcome, RequestKey]:
    """The same as `wait_for_approval`, and under which key the request stands."""
    check_context(context)
    wait = _Wait(context, request, name, members, values=settings(), requests=requests())
    return wait.run(), wait.key


class _Wait:
    """One wait, as a sequence of durable operations."""

    def __init__(
        self,
        context: DurableContext,
        request: ApprovalRequest,
        name: str | None,
        members: Members | None,
        *,
        values: Settings,
        requests: Requests,
    ) -> None:
        if name is not None and not _NAME.fullmatch(name):
            raise InvalidRequest("name", "must be 1 to 200 letters, digits, spaces or any of -_.:/")
        self.context = context
        self.name = name
        self.requests = requests
        self.reserve = Reserve(0)
        self.counted = counted_in_a_step(request, self._step, requests.now)
        if self.counted is not None:
            request = replace(request, timeout=self.counted.timeout)
        self.request = request
        # All settings are read here: one that is garbled must fail before anything is written.
        self.resume = values.resume
        self.poll_interval = values.poll_interval
        self.timeout = request.timeout_or(
            values.approval_timeout, maximum=values.max_approval_timeout
        )
        self.longest = request.longest(self.timeout)
        self.first_timeout = (request.stages[0].timeout if request.stages else None) or self.timeout
        named = request.named(values.default_approvers)
        self.members = self._members(members, named) if members is not None and named else None
        requests.check(request, self.timeout, self.members)
        self.key = RequestKey(context.execution_context.durable_execution_arn, name or "")
        self.callbacks = 0
        self.notified = False

    def _members(self, members: Members, named: Sequence[str]) -> Found:
        """The people that these names stand for, found once."""
        found: Found = self._step(
            "members", lambda: {name: _listed(members(name)) for name in named}, CREATE_ATTEMPTS
        )
        return found

    def run(self) -> Outcome:
        interval = self.poll_interval if self.resume == "polling" else None
        with reserved(self.context, self._most_operations(interval)) as reserve:
            self.reserve = reserve
            return Outcome.from_snapshot(self._run(), form_of(self.request))

    def _most_operations(self, interval: timedelta | None) -> int:
        """Through all stages, each of which may be met by one check at its beginning."""
        return most_operations(self.longest, interval) + STAGE_OPERATIONS * len(self.request.stages)

    def _run(self) -> Snapshot:
        if self.resume == "polling":
            token = self._step("token", lambda: uuid4().hex, READ_ATTEMPTS)
            return self._poll(self._ask(token, callback_id=None))
        # The callback exists before the record, so that a decision that comes before the
        # workflow suspends finds one to complete. It lasts one second more than asked: it
        # starts a little earlier than the record's own time.
        first = recheck_delay(timedelta(0), self.first_timeout)
        callback = self._create_callback(first + timedelta(seconds=1))
        return self._listen(self._ask(callback.callback_id, callback.callback_id), callback, first)

    def _ask(self, token: str, callback_id: str | None) -> Snapshot:
        """Create the record and tell the approvers."""
        if self.name is None:
            self.key = replace(self.key, key=token)
        try:
            snapshot: Snapshot = self._step(
                "create",
                lambda: self._create(token, callback_id),
                CREATE_ATTEMPTS,
            )
        except StepError as error:
            # A try whose answer was lost may have been written after all: nobody must be asked to
            # decide what no workflow waits for.
            self._step("withdraw", lambda: self.requests.abandon(self.key, token), READ_ATTEMPTS)
            raise refusal_of(error) or error from None
        self._notify_everybody()
        return snapshot

    def _create(self, token: str, callback_id: str | None) -> Snapshot:
        check_room(self.context, self.reserve)
        submission = Submission(
            request=self.request,
            timeout=self.timeout,
            members=self.members,
            creation_token=token,
            callback_id=callback_id,
            counted=self.counted,
        )
        return {**self.requests.submit(self.key, submission), "stretch": RECHECK_STRETCH}

    def _notify_everybody(self) -> None:
        """Publish the request; if that fails, put it on record and try again at a later check."""
        reason = ""
        for attempt in range(NOTIFY_ATTEMPTS):
            if attempt:
                pause = Duration(seconds=2 ** (attempt - 1))
                self.context.wait(pause, name=self._named("notify-wait"))
            refused = self._notify("notify")
            if refused is None:
                return
            reason = refused
        try:
            self._step(
                "notification-failed",
                lambda: self.requests.note_notification_failed(self.key, reason),
                READ_ATTEMPTS,
            )
        except StepError:  # people can decide all the same: the wait goes on
            logger.exception("failed notification not noted approval_id=%s", self.key.approval_id)

    def _notify(self, step: str) -> str | None:
        """Publish the request in a step; why that failed, if it did."""
        refused: str | None = self._step(step, self._try_to_notify, 1)
        self.notified = refused is None
        return refused

    def _listen(self, snapshot: Snapshot, callback: Callback[str], delay: timedelta) -> Snapshot:
        """Wait for the callbacks, at most until the next moment that anything is due."""
        known_now = _time(snapshot, "now")
        # An execution keeps the pace that it began with: on a replay by later code, the callbacks
        # on record are still as long as they were. Those of 0.1.0 began with 1 and did not say so.
        stretch = snapshot.get("stretch", 1)
        if snapshot["status"] != "pending":  # decided before it was known here to be on record
            snapshot = self._step("check", self._check_status, READ_ATTEMPTS)
        while snapshot["status"] == "pending":
            try:
                callback.result()
                timed_out = False
            except CallbackError:  # timed out, or failed by hand: either way it is time to check
                timed_out = True
            known_now += delay
            if not timed_out or known_now >= _time(snapshot, "expires_at"):
                snapshot = self._step("check", self._check_status, READ_ATTEMPTS)
                if snapshot["status"] != "pending":
                    break
                known_now = _time(snapshot, "now")
            delay = recheck_delay(
                known_now - _time(snapshot, "created_at"),
                _time(snapshot, "expires_at") - known_now,
                stretch if self.notified else 1,
            )
            # Create, register, wait: in this order either `register` sees the decision, or the
            # decider, whose write is conditional on the version that `register` bumps, sees the
            # new callback.
            callback = self._create_callback(delay)
            snapshot = self._step("register", self._register(callback.callback_id), READ_ATTEMPTS)
            known_now = _time(snapshot, "now")
            if not self.notified:
                self._notify("notify-again")
        return snapshot

    def _poll(self, snapshot: Snapshot) -> Snapshot:
        """Check every so often, and publish the request if that has failed so far."""

        def check(state: Snapshot, _: object) -> Snapshot:
            try:
                seen = self._check_status()
            except FINAL:
                raise
            except Exception as error:  # whatever it is: no outage ends a wait
                failures = state["failures"] + 1
                if failures >= READ_ATTEMPTS:
                    raise
                logger.warning(
                    "not read now: %s approval_id=%s", reason_of(error), self.key.approval_id
                )
                return {**state, "failures": failures}
            return {**seen, "failures": 0, **self._notified_while_polling(state, seen)}

        def strategy(state: Snapshot, _: int) -> WaitForConditionDecision:
            if state["status"] != "pending":
                return WaitForConditionDecision.stop_polling()
            if state["failures"]:
                return WaitForConditionDecision.continue_waiting(pause(state["failures"]))
            now = _time(state, "now")
            delay = poll_delay(
                timedelta(0) if _may_notify(state, now) else self.poll_interval,
                now - _time(state, "created_at"),
                _time(state, "expires_at") - now,
            )
            return WaitForConditionDecision.continue_waiting(_duration(delay))

        first = {
            **snapshot,
            "status": "pending",  # until a check says otherwise, and so notes that it was read
            "failures": 0,
            "notified": self.notified,
            "notify_at": isoformat(self._next_try(snapshot)),
        }
        config = WaitForConditionConfig(wait_strategy=strategy, initial_state=first)
        final: Snapshot = self.context.wait_for_condition(check, config, name=self._named("poll"))
        return final

    def _notified_while_polling(self, state: Snapshot, seen: Snapshot) -> Snapshot:
        """Whether the request is published, and when to try again, after a try if it is time."""
        notified, notify_at = state["notified"], state["notify_at"]
        if seen["status"] == "pending" and _may_notify(state, _time(seen, "now")):
            notified = self._try_to_notify() is None
            notify_at = isoformat(self._next_try(seen))
        return {"notified": notified, "notify_at": notify_at}

    def _next_try(self, snapshot: Snapshot) -> datetime:
        """When to publish again what could not be: after as long as it has taken so far."""
        now = _time(snapshot, "now")
        waited = now - _time(snapshot, "created_at")
        return now + recheck_delay(waited, _time(snapshot, "expires_at") - now, 1)

    def _create_callback(self, timeout: timedelta) -> Callback[str]:
        self.callbacks += 1
        self.reserve.taken += 1
        callback: Callback[str] = self.context.create_callback(
            name=self._named(f"callback-{self.callbacks}"),
            config=CallbackConfig(timeout=_duration(timeout)),
        )
        return callback

    def _register(self, callback_id: str) -> Callable[[], Snapshot]:
        return lambda: self.requests.register_callback(self.key, callback_id)

    def _check_status(self) -> Snapshot:
        return self.requests.check_status(self.key)

    def _try_to_notify(self) -> str | None:
        """Publish the request now; why that failed, if it did. Whatever it is that fails."""
        try:
            self.requests.notify(self.key)
        except Exception as error:  # whatever it is, the request stands: the wait goes on
            logger.warning(
                "not notified now approval_id=%s",
                self.key.approval_id,
                exc_info=not isinstance(error, ApprovalError),
            )
            return reason_of(error)
        return None

    def _step(self, name: str, action: Callable[[], Any], attempts: int) -> Any:
        self.reserve.taken += 1
        return self.context.step(
            lambda _: action(), name=self._named(name), config=retrying(attempts)
        )

    def _named(self, operation: str) -> str:
        return f"{self.name}.{operation}" if self.name else operation


def _may_notify(state: Snapshot, now: datetime) -> bool:
    return not state["notified"] and now >= _time(state, "notify_at")


def _listed(people: Sequence[str] | None) -> list[str] | str | None:
    """People as a step can return them; a bare string stays one, to be refused."""
    return people if people is None or isinstance(people, str) else list(people)


def _time(snapshot: Snapshot, field: str) -> datetime:
    return parse_time(snapshot[field])


def _duration(delta: timedelta) -> Duration:
    """Whole seconds, rounded up, at least 1: zero would mean no timeout at all."""
    return Duration(seconds=max(1, ceil(delta.total_seconds())))
