"""The real handler on AWS's local durable engine, over a deployment in memory and virtual time."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.approval import Approval, derive_approval_id
from hitl_approval.domain.audit import Actor
from hitl_approval.durable import wait
from hitl_approval.settings import settings
from hitl_approval.testing import InMemoryStore, RecordingMeter, RecordingNotifier
from hitl_approval.testing.execution import LocalExecution
from hitl_approval.testing.plugin import approvals  # noqa: F401  a fixture
from hitl_approval.testing.virtual_time import (
    PATIENCE,
    RunnerCallbackClient,
    VirtualClock,
    eventually,
    virtual_time,
)
from hitl_approval.usecases.decide import Answer, DecisionService
from hitl_approval.usecases.request import RequestService


class Stage(LocalExecution):
    """One workflow over a deployment in memory, and everything a test wants to see or do."""

    def __init__(self, handler: Callable[[Any, Any], Any], clock: VirtualClock) -> None:
        super().__init__(handler)
        self.clock = clock
        self.timed_out = ""
        self.store = InMemoryStore()
        self.notifier = RecordingNotifier()
        self.meter = RecordingMeter()
        self.completer = RunnerCallbackClient()
        self.completer.runners.append(self.runner)
        self.requests = RequestService(
            store=self.store,
            clock=clock,
            meter=self.meter,
            notifier=self.notifier,
            callbacks=self.completer,
        )
        self.decisions = DecisionService(
            store=self.store, clock=clock, meter=self.meter, callbacks=self.completer
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

    def names(self) -> list[str]:
        return [str(operation.name) for operation in self.operations()]

    def open_callback(self) -> Any:
        """The callback that the workflow is suspended on, once it is suspended."""
        return eventually(self._suspended_on)

    def _suspended_on(self) -> Any:
        callbacks = self.callbacks()
        return callbacks[0] if len(callbacks) == 1 else None

    def suspend(self) -> None:
        """Wait until the workflow has created its record, notified the approvers and suspended."""
        eventually(lambda: any(name.endswith("notify") for name in self.names()))
        self.open_callback()

    def time_out_callback(self) -> timedelta:
        """Let the open callback's timeout pass, at once; returns how long it was."""
        callback = self.open_callback()
        at = self.times_out_at(callback)
        self.clock.advance(max(at - self.clock.now(), timedelta(0)))
        self.timed_out = callback.operation_id
        self.time_out(callback)
        return at - callback.start_timestamp  # type: ignore[no-any-return]

    def next_callback(self) -> None:
        """Wait until the workflow has created a callback after the last one that was timed out."""
        eventually(
            lambda: (
                self.done
                or ((callback := self._suspended_on()) and callback.operation_id != self.timed_out)
            )
        )

    def decide(self, decision: Any = "approved", by: str = "bob", comments: str = "fine") -> Answer:
        return self.decisions.decide(self.approval_id, Actor(by, "declared"), decision, comments)

    def finish(self) -> dict[str, Any]:
        """The workflow's body, once it has succeeded."""
        result = self.runner.wait_for_result(self.arn, timeout=int(PATIENCE))
        assert result.status.value == "SUCCEEDED", result.error
        answer = json.loads(str(result.result))
        assert answer["statusCode"] == 200
        body: dict[str, Any] = json.loads(answer["body"])
        return body

    def fail(self) -> Any:
        """The workflow's error, once it has failed."""
        result = self.runner.wait_for_result(self.arn, timeout=int(PATIENCE))
        assert result.status.value == "FAILED", result.result
        return result.error


class Replaced:
    """A service with one method replaced."""

    def __init__(self, service: Any, **methods: Any) -> None:
        self._service = service
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


StageFactory = Callable[..., Stage]


@pytest.fixture
def make_stage(
    deployment_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[StageFactory]:
    """Build a stage; keyword arguments override the deployment's environment."""

    def build(handler: Any = None, **environment: str) -> Stage:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        clock = VirtualClock()
        opened.enter_context(virtual_time(clock))
        stage = Stage(handler or importlib.import_module("workflow.handler").handler, clock)
        opened.callback(stage.close)
        monkeypatch.setattr(wait, "request_service", lambda: stage.requests)
        return stage

    with ExitStack() as opened:
        yield build
    settings.cache_clear()


@pytest.fixture
def stage(make_stage: StageFactory) -> Stage:
    return make_stage()
