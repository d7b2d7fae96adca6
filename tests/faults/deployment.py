"""A deployment in a simulated world: the real handlers, with AWS and time replaced beneath them."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aws_durable_execution_sdk_python.state as sdk_state
from aws_durable_execution_sdk_python.state import ExecutionState
from boto3.dynamodb.types import TypeDeserializer
from botocore.client import BaseClient

from hitl_approval import wiring
from hitl_approval.adapters.system import EmbeddedMetrics, SystemClock
from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.settings import settings
from tests.faults.durable import (
    DurableService,
    Handler,
    collect_until_somebody_waits,
    stop_at_once,
)
from tests.faults.dynamodb import APPROVALS, AUDIT, DynamoDb, Item
from tests.faults.simulator import (
    NOTHING,
    Actor,
    Bounds,
    Call,
    Chooser,
    Footprint,
    Killed,
    ProcessDied,
    World,
)

LAMBDAS = Path(__file__).parents[2] / "lambdas"
APPROVALS_TABLE = "test-ApprovalRequests"
AUDIT_TABLE = "test-AuditEvents"
TIMEOUT = timedelta(seconds=60)
"""Time to decide in every scenario: one re-check, and the shortest bell."""

ENVIRONMENT = {
    "APPROVALS_TABLE_NAME": APPROVALS_TABLE,
    "AUDIT_TABLE_NAME": AUDIT_TABLE,
    "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:test-approvals",
    "APPROVAL_TIMEOUT_SECONDS": "3600",
    "MAX_APPROVAL_TIMEOUT_SECONDS": "31536000",
    "APPROVAL_POLICY": (
        '{"quorum": "any_one", "quorum_count": 1, "rejections_needed": 1,'
        ' "on_timeout": "timeout", "allow_self_approval": false,'
        ' "require_verified_identity": false, "require_comment_on_rejection": false}'
    ),
    "DEFAULT_APPROVERS": "[]",
    "APPROVER_GROUPS": "{}",
    "RESUME_MODE": "callback",
    "POLL_INTERVAL_SECONDS": "5",
    "RETENTION_DAYS": "30",
    "LOG_LEVEL": "INFO",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

READ_FAULTS = ("fail", "dies-before", "slow")
WRITE_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "conflict", "slow", "echo")
PUBLISH_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "slow", "echo")

TRIES = 12
"""How often a person, or the page they use, repeats a request that was not answered."""
PATIENCE = timedelta(seconds=2)

Payload = Mapping[str, Any]

_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller heard to one request; no status if nothing came back."""

    actor: str
    request: int
    payload: Mapping[str, Any]
    asked_at: datetime
    status: int | None
    body: Mapping[str, Any]
    last: bool = False
    """Whether the caller left it at that."""


@dataclass
class Deployment:
    """Everything of one schedule."""

    world: World
    workflow: Handler
    api: Handler
    polling: bool = False
    may_fail: bool = False
    """Whether the execution may fail, if it leaves no record: its start met a long outage."""
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        schemas = {APPROVALS_TABLE: APPROVALS, AUDIT_TABLE: AUDIT}
        self.db = DynamoDb(schemas, self.world.wrote)
        self.durable = DurableService(self.world)
        self.world.frozen_until = self._frozen_until

    # What happens in it

    def start(self, name: str, event: Mapping[str, Any], **options: timedelta) -> str:
        """Start an execution, once for each name; returns its approval's id."""
        arn, new = self.durable.start(name, event)
        if new:
            self.world.add(name, self.durable.drive(arn, self.workflow), **options)
        return derive_approval_id(arn, DOCUMENT_APPROVAL)

    def person(
        self,
        name: str,
        payload: Payload | Callable[[], Payload],
        *,
        at: timedelta | None = None,
        when: Callable[[], bool] | None = None,
        patient: bool = True,
        **options: timedelta,
    ) -> None:
        """Somebody sends a request, at a time or once something is so, until it is answered."""

        def body(me: Actor) -> None:
            if at is not None:
                me.sleep(at)
            if when is not None:
                me.wait(when)
            asked = payload() if callable(payload) else payload
            for attempt in range(1, TRIES + 1):
                answer = self._ask(me, asked)
                settled = answer.status is not None and answer.status < 500
                last = settled or attempt == TRIES or not patient
                self.answers.append(_final(answer) if last else answer)
                if last:
                    return
                me.sleep(PATIENCE)

        self.world.add(name, body, **options)

    def row_exists(self, approval_id: str) -> Callable[[], bool]:
        key = (f"S:{approval_id}",)
        return lambda: key in self.db.tables[APPROVALS_TABLE]

    def _ask(self, me: Actor, payload: Payload) -> Answer:
        me.start_process()
        asked_at = self.world.now
        status: int | None = None
        body: Mapping[str, Any] = {}
        try:
            response = self.api(dict(payload), None)
        except (Killed, ProcessDied):
            if self.world.over:
                raise
        except Exception:  # noqa: BLE001  Lambda answers for a function that raises
            status = 500
        else:
            me.point(NOTHING)
            if self.world.outcome(("lost",)) == "ok":
                status, body = response["statusCode"], json.loads(response["body"])
        self.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: heard {status} {dict(body)}")
        return Answer(me.name, me.request, payload, asked_at, status, body)

    def _frozen_until(self) -> datetime:
        """A frozen process wakes with the workflow that finds its time over."""
        now = self.world.now
        expiries = [
            datetime.fromisoformat(row["expires_at"])
            for row in self.rows().values()
            if "expires_at" in row
        ] or [now + TIMEOUT]
        over = max(expiries) + (timedelta(0) if self.polling else timedelta(seconds=1))
        return over if over > now else now + timedelta(seconds=5)

    # What became of it

    def rows(self) -> dict[str, dict[str, Any]]:
        found = map(plain, self.db.items(APPROVALS_TABLE))
        return {row["approval_id"]: row for row in found}

    def events(self, approval_id: str) -> list[dict[str, Any]]:
        found = [plain(item) for item in self.db.items(AUDIT_TABLE)]
        mine = [event for event in found if event["approval_id"] == approval_id]
        return sorted(mine, key=lambda event: int(event["sequence"]))

    # AWS

    def api_call(self, operation: str, request: Mapping[str, Any]) -> Any:
        match operation:
            case "CheckpointDurableExecution":
                return self.world.call(self.durable.checkpoint(request))
            case "SendDurableExecutionCallbackSuccess" | "SendDurableExecutionCallbackFailure":
                return self.world.call(self.durable.ring(request))
            case "GetDurableExecution":
                return self.world.call(self.durable.describe(request))
            case "Publish":
                return self.world.call(self._publish(request))
            case _:
                return self.world.call(self._database(operation, request))

    def _publish(self, request: Mapping[str, Any]) -> Call:
        def apply(_: str) -> dict[str, Any]:
            self.world.messages.append(request)
            return {"MessageId": str(len(self.world.messages))}

        return Call("Publish", NOTHING, apply, PUBLISH_FAULTS)

    def _database(self, operation: str, request: Mapping[str, Any]) -> Call:
        reads = operation in {"GetItem", "Query"}
        return Call(
            operation,
            _touched(request, reads=reads),
            lambda token: self.db.call(operation, request, token),
            READ_FAULTS if reads else WRITE_FAULTS,
        )


def plain(item: Item) -> dict[str, Any]:
    """An item as JSON values."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | bool) else int(value)


def _final(answer: Answer) -> Answer:
    return Answer(
        answer.actor,
        answer.request,
        answer.payload,
        answer.asked_at,
        answer.status,
        answer.body,
        last=True,
    )


def _touched(request: Mapping[str, Any], *, reads: bool) -> Footprint:
    """The rows that a call reads or writes; audit events are touched with their row only."""
    actions = request.get("TransactItems", [{"one": request}])
    touched: set[tuple[str, bool]] = set()
    for action in actions:
        (one,) = action.values()
        if one["TableName"] == AUDIT_TABLE and not reads:
            continue
        key = one.get("Key") or one.get("Item") or {}
        touched.add((f"row {key.get('approval_id', {}).get('S', '')}", not reads))
    return frozenset(touched)


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


def _count(_: EmbeddedMetrics, metric: str, value: int = 1) -> None:
    _DEPLOYMENT[0].world.metrics[metric] += value


@contextmanager
def simulated() -> Iterator[None]:
    """Replace AWS, time and metrics for all deployments made inside."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with (
        patch.dict(os.environ, ENVIRONMENT),
        patch.object(sys, "path", [str(LAMBDAS), *sys.path]),
        patch.object(BaseClient, "_make_api_call", _api_call),
        patch.object(SystemClock, "now", _now),
        patch.object(SystemClock, "pause", _pause),
        patch.object(EmbeddedMetrics, "count", _count),
        patch.object(sdk_state, "_STOP_SIGNAL_POLL_SECONDS", 0.0005),
        patch.object(ExecutionState, "_collect_checkpoint_batch", collect_until_somebody_waits),
        patch.object(ExecutionState, "stop_checkpointing", stop_at_once),
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


def deploy(
    chooser: Chooser,
    bounds: Bounds,
    environment: Mapping[str, str],
    handlers: tuple[Handler, Handler] | None = None,
) -> Deployment:
    """A fresh world with the deployment in it; the one that AWS calls go to from now on."""
    wanted = {**ENVIRONMENT, **environment}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        forget()
    workflow, api = handlers or (
        importlib.import_module("workflow.handler").handler,
        importlib.import_module("approval_api.handler").handler,
    )
    deployment = Deployment(
        World(chooser, bounds), workflow, api, wanted["RESUME_MODE"] == "polling"
    )
    _DEPLOYMENT[:] = [deployment]
    return deployment
