"""The real handler on AWS's local durable engine, over a deployment in memory and virtual time."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import aws_durable_execution_sdk_python.state as sdk_state
import aws_durable_execution_sdk_python_testing.runner as sdk_runner
import pytest
from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException

from hitl_approval import waiting
from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.approval import Approval, derive_approval_id
from hitl_approval.domain.audit import Actor
from hitl_approval.ports import Ring
from hitl_approval.service import Answer, DecisionService, RequestService
from hitl_approval.settings import settings
from hitl_approval.testing import InMemoryStore, RecordingMeter, RecordingNotifier

DEADLINE = 20.0
UNFINISHED = {OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY}


class VirtualClock:
    """One time for the engine and for us: timers of steps and waits are skipped over."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            self._moment += timedelta(microseconds=1)  # every read is distinct, as the engine asks
            return self._moment

    def arm(self, wake: datetime) -> float:
        with self._lock:
            self._moment = max(self._moment, wake)
        return 0.0

    def advance(self, delta: timedelta) -> None:
        with self._lock:
            self._moment += delta

    def pause(self, attempt: int) -> None:
        self.advance(timedelta(milliseconds=20))


class RunnerDoorbell:
    """Rings the local engine's callbacks."""

    def __init__(self, runner: DurableFunctionTestRunner) -> None:
        self.runner = runner
        self.rings = 0

    def ring(self, callback_id: str) -> Ring:
        self.rings += 1
        try:
            self.runner.send_callback_success(callback_id)
        except ResourceNotFoundException:
            return "closed"
        return "rung"


class Stage:
    """One started workflow, and everything a test wants to see or do."""

    def __init__(
        self, runner: DurableFunctionTestRunner, clock: VirtualClock, handler: Any
    ) -> None:
        self.runner = runner
        self.clock = clock
        self.handler = handler
        self.invocations = 0
        self.running = 0
        self.arn = ""
        self.timed_out = ""
        self.store = InMemoryStore()
        self.notifier = RecordingNotifier()
        self.meter = RecordingMeter()
        self.doorbell = RunnerDoorbell(runner)
        self.requests = RequestService(
            store=self.store, clock=clock, meter=self.meter, notifier=self.notifier
        )
        self.decisions = DecisionService(
            store=self.store, clock=clock, meter=self.meter, doorbell=self.doorbell
        )

    def start(self, event: Any, name: str = "execution-name") -> None:
        self.arn = self.runner.run_async(
            json.dumps(event), execution_timeout=366 * 86400, execution_name=name
        )

    @property
    def approval_id(self) -> str:
        return derive_approval_id(self.arn, DOCUMENT_APPROVAL)

    @property
    def approval(self) -> Approval:
        (approval,) = self.store.approvals.values()
        return approval

    def events(self) -> list[str]:
        return [event["event"] for event in self.store.history(self.approval_id)]

    def operations(self) -> list[Any]:
        return [
            operation
            for operation in self.runner._store.load(self.arn).operations
            if operation.operation_type is not OperationType.EXECUTION
        ]

    def names(self) -> list[str]:
        return [str(operation.name) for operation in self.operations()]

    def open_bell(self) -> Any:
        """The callback that the workflow is suspended on, once it is suspended."""
        return eventually(self._suspended_on)

    def _suspended_on(self) -> Any:
        unfinished = [o for o in self.operations() if o.status in UNFINISHED]
        bell = unfinished[0] if len(unfinished) == 1 and not self.running else None
        return bell if bell and bell.operation_type is OperationType.CALLBACK else None

    def suspend(self) -> None:
        """Wait until the workflow has created its record, told the approvers and suspended."""
        eventually(lambda: any(name.endswith("notify") for name in self.names()))
        self.open_bell()

    def time_out_bell(self) -> timedelta:
        """Let the open callback's timeout pass, at once; returns how long it was."""
        bell = self.open_bell()
        callback_id = bell.callback_details.callback_id
        update = next(
            u
            for u in self.runner._store.load(self.arn).updates
            if u.operation_id == bell.operation_id
        )
        assert update.callback_options
        timeout = timedelta(seconds=update.callback_options.timeout_seconds)
        elapsed = self.clock.now() - bell.start_timestamp
        self.clock.advance(max(timeout - elapsed, timedelta(0)))
        self.timed_out = bell.operation_id
        self.runner._executor._on_callback_timeout(self.arn, callback_id)
        return timeout

    def next_bell(self) -> None:
        """Wait until the workflow has armed a callback after the last one that was timed out."""
        eventually(
            lambda: (
                self.done()
                or ((bell := self._suspended_on()) and bell.operation_id != self.timed_out)
            )
        )

    def decide(self, decision: Any = "approved", by: str = "bob", comments: str = "fine") -> Answer:
        return self.decisions.decide(self.approval_id, Actor(by, "declared"), decision, comments)

    def finish(self) -> dict[str, Any]:
        """The workflow's body, once it has succeeded."""
        result = self.runner.wait_for_result(self.arn, timeout=int(DEADLINE))
        assert result.status.value == "SUCCEEDED", result.error
        answer = json.loads(str(result.result))
        assert answer["statusCode"] == 200
        body: dict[str, Any] = json.loads(answer["body"])
        return body

    def fail(self) -> Any:
        """The workflow's error, once it has failed."""
        result = self.runner.wait_for_result(self.arn, timeout=int(DEADLINE))
        assert result.status.value == "FAILED", result.result
        return result.error

    def done(self) -> bool:
        return bool(self.runner._store.load(self.arn).is_complete)


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait for another thread to make the condition true; returns its value."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.002)
    pytest.fail("the workflow did not get there")


StageFactory = Callable[..., Stage]


@pytest.fixture
def make_stage(
    deployment_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[StageFactory]:
    """Build a stage; keyword arguments override the deployment's environment."""
    monkeypatch.setattr(sdk_state, "_STOP_SIGNAL_POLL_SECONDS", 0.0005)
    opened: list[Stage] = []

    def build(handler: Any = None, **environment: str) -> Stage:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        handler = handler or importlib.import_module("workflow.handler").handler
        clock = VirtualClock()
        monkeypatch.setattr(sdk_runner, "SkipClock", lambda: clock)
        stage: Stage

        def counted(event: Any, context: Any) -> Any:
            stage.invocations += 1
            stage.running += 1
            try:
                return handler(event, context)
            finally:
                stage.running -= 1

        runner = DurableFunctionTestRunner(counted, poll_interval=0.01)
        stage = Stage(runner, clock, handler)
        monkeypatch.setattr(waiting, "request_service", lambda: stage.requests)
        opened.append(stage)
        return stage

    yield build
    for stage in opened:
        stage.runner.close()  # type: ignore[no-untyped-call]
    settings.cache_clear()


@pytest.fixture
def stage(make_stage: StageFactory) -> Stage:
    return make_stage()
