"""Where the real code meets the simulated world: AWS, time, metrics, environment, checkpoints."""

from __future__ import annotations

import importlib
import logging
import os
import queue
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aws_durable_execution_sdk_python.execution as sdk_execution
import aws_durable_execution_sdk_python.state as sdk_state
import aws_durable_execution_sdk_python.threading as sdk_threading
from aws_durable_execution_sdk_python.lambda_service import OperationUpdate
from aws_durable_execution_sdk_python.state import ExecutionState
from botocore.client import BaseClient

from hitl_approval import wiring
from hitl_approval.adapters import ses
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.system import EmbeddedMetrics, SystemClock
from hitl_approval.contract import Messages
from hitl_approval.domain import escalation, text
from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.sender import Sender
from hitl_approval.settings import Settings, settings
from hitl_approval.usecases import deliver
from tests.faults import cooperative
from tests.faults.deployment import ENVIRONMENT, Deployment
from tests.faults.durable import Handler, collect_until_somebody_waits, stop_at_once
from tests.faults.simulator import Bounds, Chooser, Killed, World

LAMBDAS = Path(__file__).parents[2] / "lambdas"

MAX_ATTEMPTS = 4
MAX_UNANSWERED = 3
ATTEMPTS_TO_NOTE = 2

_DEPLOYMENT: list[Deployment] = []


def _api_call(_: BaseClient, operation: str, request: Mapping[str, Any]) -> Any:
    return _DEPLOYMENT[0].api_call(operation, request)


def _now(_: SystemClock) -> datetime:
    actor = _DEPLOYMENT[0].world.current
    assert actor is not None
    return actor.now()


def _pause(_: SystemClock, attempt: int) -> None:
    actor = _DEPLOYMENT[0].world.current
    assert actor is not None
    actor.sleep(timedelta(seconds=min(1.0, 0.02 * 2**attempt) / 2))


def _letter(notification: Notification, _: Sender) -> bytes:
    """What schedules tell mails by; their bytes are tested in `tests/unit/mail`."""
    return f"{notification.kind}\n{notification.body}".encode()


def _count(_: EmbeddedMetrics, metric: str, value: int = 1, *, channel: str | None = None) -> None:
    world = _DEPLOYMENT[0].world
    assert world.current is not None
    world.metrics[world.current.name, world.current.request, metric] += value


_checkpoint = ExecutionState.create_checkpoint


def _start_alone_or_not(
    self: ExecutionState, operation_update: OperationUpdate | None = None, is_sync: bool = True
) -> None:
    """`ExecutionState.create_checkpoint`: a process may die between a step's START and its body."""
    world = _DEPLOYMENT[0].world
    me = world.current
    if is_sync or me is None or world.over or world.outcome(("dies-started",)) == "ok":
        _checkpoint(self, operation_update, is_sync)
        return
    _checkpoint(self, operation_update, is_sync=True)
    me.alive = False
    raise Killed


class _Queues:
    """The names that the SDK takes from the module `queue`."""

    Queue = cooperative.Queue
    Empty = queue.Empty


class _Environment(Mapping[str, str]):
    """The environment of the version of the functions that runs now."""

    def __getitem__(self, name: str) -> str:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    @staticmethod
    def _now() -> Mapping[str, str]:
        deployment = _DEPLOYMENT[0]
        actor = deployment.world.current
        if actor is None:
            return deployment.environment
        deployed = deployment.redeployed.get(actor.name) or deployment.environment
        return deployment.askers.environment(actor.name, deployed)


@contextmanager
def _checkpoints() -> Iterator[None]:
    """The SDK's threads take turns, and its batches follow from the choices of a schedule."""
    with (
        patch.object(sdk_execution, "ThreadPoolExecutor", cooperative.Pool),
        patch.object(sdk_execution, "wait", cooperative.wait),
        patch.object(sdk_threading, "Event", cooperative.Event),
        patch.object(sdk_state, "queue", _Queues),
        patch.object(ExecutionState, "_collect_checkpoint_batch", collect_until_somebody_waits),
        patch.object(ExecutionState, "stop_checkpointing", stop_at_once),
        patch.object(ExecutionState, "create_checkpoint", _start_alone_or_not),
    ):
        yield


@contextmanager
def simulated() -> Iterator[None]:
    """Replace AWS, time and metrics for all deployments made inside."""
    disabled = logging.root.manager.disable
    forget()
    logging.disable(logging.CRITICAL)
    with (
        patch.dict(os.environ, ENVIRONMENT),
        patch.object(Settings, "from_environment", lambda: Settings(values=_Environment())),
        patch.object(escalation, "SWEEP_GRACE", SWEEP_GRACE),
        patch.object(sys, "path", [str(LAMBDAS), *sys.path]),
        patch.object(BaseClient, "_make_api_call", _api_call),
        patch.object(SystemClock, "now", _now),
        patch.object(SystemClock, "pause", _pause),
        patch.object(EmbeddedMetrics, "count", _count),
        patch.object(EmbeddedMetrics, "measure", lambda *_: None),
        # A function of its argument only, a tenth of a schedule's time for the same few names.
        patch.object(text, "person_key", cache(text.person_key)),
        # A gauge that nothing depends on: a choice more in each sweep, and nothing more to see.
        patch.object(DynamoDbStore, "count_pending", lambda _, most: 0),
        # A query of the clock's each, and nothing more to see.
        patch.object(Messages, "SHARDS", 1),
        # Half of a schedule's time.
        patch.object(ses, "letter", _letter),
        # A schedule is as long as its tries are many.
        patch.object(deliver, "MAX_ATTEMPTS", MAX_ATTEMPTS),
        patch.object(deliver, "MAX_UNANSWERED", MAX_UNANSWERED),
        patch.object(deliver, "ATTEMPTS_TO_NOTE", ATTEMPTS_TO_NOTE),
        _checkpoints(),
    ):
        try:
            yield
        finally:
            forget()
            logging.disable(disabled)


def forget() -> None:
    """What a process remembers between requests: settings and services."""
    settings.cache_clear()
    wiring.request_service.cache_clear()
    wiring.decision_service.cache_clear()
    wiring.sweep_service.cache_clear()
    wiring.delivery_service.cache_clear()
    wiring.publish_service.cache_clear()


def deploy(
    chooser: Chooser,
    bounds: Bounds,
    environment: Mapping[str, str],
    handlers: tuple[Handler, Handler] | None = None,
    *,
    grace: timedelta = SWEEP_GRACE,
) -> Deployment:
    """A fresh world with the deployment in it; the one that AWS calls go to from now on."""
    forget()
    escalation.SWEEP_GRACE = grace
    workflow, api = handlers or (
        importlib.import_module("workflow.handler").handler,
        importlib.import_module("approval_api.handler").handler,
    )
    sweep = importlib.import_module("sweep.handler").handler
    world = World(chooser, bounds)
    deployment = Deployment(world, workflow, api, sweep, {**ENVIRONMENT, **environment}, grace)
    deployment.askers.handler = importlib.import_module("request_api.handler").handler
    _DEPLOYMENT[:] = [deployment]
    return deployment
