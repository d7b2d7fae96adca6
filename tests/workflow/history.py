"""Executions on record: taken down by one version, resumed by every later one.

A recorded path holds a cut for each point at which the execution suspended, and its end. A cut is
all that outlives an invocation: the durable operations as Lambda hands them to the next one, the
two tables, what the approvers have been sent, and what happens next (`then`).

One thread at a time and a clock that moves only between invocations: the same path makes the same
history.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInput,
    DurableExecutionInvocationInputWithClient,
)
from aws_durable_execution_sdk_python.lambda_service import (
    CheckpointOutput,
    ErrorObject,
    Operation,
    OperationStatus,
    OperationType,
    OperationUpdate,
    StateOutput,
)
from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.invoker import create_test_lambda_context
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor, isoformat, parse_time
from hitl_approval.domain.errors import Unavailable
from hitl_approval.durable import wait
from hitl_approval.durable.document import review_document
from hitl_approval.durable.retries import NOTIFY_ATTEMPTS
from hitl_approval.ports.outside import Completed
from hitl_approval.settings import settings
from hitl_approval.testing import FixedClock, RecordingMeter, RecordingNotifier
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.request import RequestService
from tests.anything import NOW, a_document
from tests.contract.test_store import create_tables
from tests.environment import ENVIRONMENT

HISTORIES = Path(__file__).parent / "histories"
TABLES = ("approvals", "audit")

Json = dict[str, Any]
"""As it stands in the file."""

TIMER: Json = {"do": "timer"}


def vote(decision: str) -> Json:
    return {"do": "vote", "by": "bob", "decision": decision, "comments": "read it twice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is to be recorded: what happens at each suspension, and after that timers only."""

    name: str
    then: tuple[Json, ...] = ()
    timeout_seconds: int = 3600
    resume: str = "callback"
    publish_failures: int = 0
    create_replies_lost: bool = False


_UNNOTIFIED = NOTIFY_ATTEMPTS + 1
"""Publishes that fail: each try of `notify`, and the first of `notify-again`."""

ROUTES = (
    Route(name="approved", then=(vote("approved"),)),
    Route(name="rejected", then=(vote("rejected"),)),
    Route(name="timeout", timeout_seconds=45),
    Route(name="timeout-after-a-second-callback", timeout_seconds=200),
    Route(name="approved-after-a-second-callback", then=(TIMER, TIMER, vote("approved"))),
    Route(name="completed-for-nothing", then=({"do": "complete"}, vote("approved"))),
    Route(
        name="cancelled",
        then=({"do": "cancel", "by": "rita", "comments": "not needed any more"},),
    ),
    Route(name="polling-approved", resume="polling", then=(TIMER, vote("approved"))),
    Route(name="polling-timeout", resume="polling", timeout_seconds=12),
    Route(
        name="notified-at-a-later-check",
        publish_failures=_UNNOTIFIED,
        then=(*[TIMER] * (_UNNOTIFIED + 1), vote("approved")),
    ),
    Route(
        name="polling-notified-at-a-later-check",
        resume="polling",
        timeout_seconds=45,
        publish_failures=_UNNOTIFIED,
    ),
    Route(name="withdrawn", create_replies_lost=True),
)


@dataclass(frozen=True, kw_only=True)
class _Store(DynamoDbStore):
    replies_lost: bool = False

    def create(self, transition: Transition) -> Approval:
        created = DynamoDbStore.create(self, transition)
        if self.replies_lost:
            raise Unavailable("the reply was lost")
        return created


@dataclass
class Run:
    """One execution on AWS's own execution model, with the tables and the topic it works on."""

    header: Json
    client: Any
    execution: Execution
    clock: FixedClock
    notifier: RecordingNotifier
    sent_before: int = 0
    meter: RecordingMeter = field(default_factory=RecordingMeter)

    def __post_init__(self) -> None:
        self.processor = CheckpointProcessor(self, None, self.clock)  # type: ignore[arg-type]
        self.store = _Store(
            client=self.client,
            approvals_table="approvals",
            audit_table="audit",
            replies_lost=self.header["create_replies_lost"],
        )
        self.requests = RequestService(
            salt=lambda: "salt",  # the same in each recording
            store=self.store,
            clock=self.clock,
            meter=self.meter,
            notifier=self.notifier,
        )
        self.decisions = DecisionService(
            salt=lambda: "salt",  # the same in each recording
            store=self.store,
            clock=self.clock,
            meter=self.meter,
            callbacks=self,
            operators=("rita",),
        )

    @classmethod
    def of(cls, header: Json, cut: Json, client: Any) -> Run:
        """A run as it stood at a cut."""
        for table in TABLES:
            for item in cut["tables"][table]:
                client.put_item(TableName=table, Item=item)
        return cls(
            header=header,
            client=client,
            execution=_execution(header, [Operation.from_json_dict(o) for o in cut["operations"]]),
            clock=FixedClock(parse_time(cut["at"])),
            notifier=RecordingNotifier(failures=cut["publish_failures"]),
            sent_before=cut["sent"],
        )

    @classmethod
    def new(cls, header: Json, route: Route, client: Any) -> Run:
        execution = _execution(header, [])
        execution.start(NOW)
        notifier = RecordingNotifier(failures=route.publish_failures)
        return cls(header, client, execution, FixedClock(NOW), notifier)

    def cut(self) -> Json:
        return {
            "at": isoformat(self.clock.now()),
            "operations": [operation.to_json_dict() for operation in self.execution.operations],
            "tables": {
                table: sorted(
                    self.client.scan(TableName=table)["Items"],
                    key=lambda item: int(item.get("sequence", {"N": 0})["N"]),
                )
                for table in TABLES
            },
            "sent": self.sent_before + len(self.notifier.sent),
            "publish_failures": self.notifier.failures,
        }

    def invoke(self) -> Json:
        """One invocation of today's handler; its answer."""
        self.execution.begin_new_invocation()
        self.execution.handler_seen_seq = self.execution.seq_counter
        event = {
            "DurableExecutionArn": self.execution.durable_execution_arn,
            "CheckpointToken": self.execution.get_new_checkpoint_token(),
            "InitialExecutionState": {
                "Operations": [o.to_json_dict() for o in self.execution.operations],
                "NextMarker": "",
            },
            "UpdatedOperationIds": list(self.execution.updated_operation_ids),
        }
        self.execution.mark_state_delivered()
        invocation = DurableExecutionInvocationInputWithClient
        handed = invocation.from_durable_execution_invocation_input(
            DurableExecutionInvocationInput.from_json_dict(event), self
        )
        environment = {**ENVIRONMENT, "RESUME_MODE": self.header["resume"]}
        with (
            patch.dict(os.environ, environment),
            patch.object(wait, "request_service", lambda: self.requests),
        ):
            settings.cache_clear()
            try:
                answer = durable_execution(review_document)(handed, create_test_lambda_context())
            finally:
                settings.cache_clear()
        return dict(answer)

    # What happens while it is suspended

    def meet(self, then: Mapping[str, Any]) -> None:
        """Let happen what the file says happened."""
        self.clock.moment = parse_time(then["at"])
        (approval_id,) = [
            i["approval_id"]["S"] for i in self.client.scan(TableName="approvals")["Items"]
        ]
        match then["do"]:
            case "timer":
                self._fire()
            case "complete":
                assert self.complete(self._open_callback()) == "resumed"
            case "vote":
                by = Actor(then["by"], "declared")
                self.decisions.decide(approval_id, by, then["decision"], then["comments"])
            case "cancel":
                by = Actor(then["by"], "declared")
                self.decisions.cancel(approval_id, by, then["comments"])

    def due(self) -> datetime:
        """When the next timer goes off."""
        for operation in self.execution.operations:
            if operation.status is OperationStatus.PENDING and operation.step_details:
                assert operation.step_details.next_attempt_timestamp
                return operation.step_details.next_attempt_timestamp
            if operation.status is OperationStatus.STARTED and operation.wait_details:
                assert operation.wait_details.scheduled_end_timestamp
                return operation.wait_details.scheduled_end_timestamp
        callback_id = self._open_callback()
        operation = self.execution.find_callback_operation(callback_id)[1]
        (options,) = [
            update.callback_options
            for update in self.execution.updates
            if update.operation_id == operation.operation_id
        ]
        assert options
        assert operation.start_timestamp
        return operation.start_timestamp + timedelta(seconds=options.timeout_seconds)

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.complete`."""
        if callback_id != self._open_callback():
            return "already_running"
        self.execution.complete_callback_success(callback_id, None, self.clock.now())
        return "resumed"

    def _fire(self) -> None:
        if not self.execution.complete_due_operations(self.clock.now()):
            error = ErrorObject("Callback timed out", "Callback.Timeout", None, None)
            self.execution.complete_callback_timeout(self._open_callback(), error, self.clock.now())

    def _open_callback(self) -> str:
        (found,) = [
            operation.callback_details.callback_id
            for operation in self.execution.operations
            if operation.callback_details and operation.status is OperationStatus.STARTED
        ]
        return found

    # What the checkpoint processor and the SDK need

    def load(self, _arn: str) -> Execution:
        return self.execution

    def update(self, execution: Execution) -> None:
        """Nothing to do: the object is the store."""

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: list[OperationUpdate],
        client_token: str | None,
    ) -> CheckpointOutput:
        return self.processor.process_checkpoint(checkpoint_token, updates, client_token)

    def get_execution_state(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        next_marker: str,
        max_items: int = 1000,
    ) -> StateOutput:
        raise NotImplementedError("histories of more than one page")


def record(route: Route) -> Json:
    """The history of one route, on today's code."""
    header = {
        "resume": route.resume,
        "create_replies_lost": route.create_replies_lost,
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:workflow:1"
        f"/durable-execution/{route.name}/1",
        "event": a_document(timeout_seconds=route.timeout_seconds),
    }
    cuts, then = [], iter(route.then)
    with tables() as client:
        run = Run.new(header, route, client)
        while (answer := run.invoke())["Status"] == "PENDING":
            what = next(then, TIMER)
            at = run.due() if what is TIMER else run.clock.now() + timedelta(seconds=2)
            cuts.append({**run.cut(), "then": {**what, "at": isoformat(at)}})
            run.meet(cuts[-1]["then"])
        return {**header, "cuts": cuts, "end": {**run.cut(), "answer": answer}}


def resume(history: Json, cut: int) -> None:
    """Go on from one cut on today's code, to the end.

    Raises:
        AssertionError: it does not go the way that is on record.
    """
    with tables() as client:
        run = Run.of(history, history["cuts"][cut], client)
        repeated = run.invoke()  # an invocation that nothing has happened for
        assert repeated["Status"] == "PENDING", repeated
        assert run.execution.updates == [], "asks for another operation than the one on record"
        _compare(run, history["cuts"][cut])

        for before, after in pairwise([*history["cuts"][cut:], history["end"]]):
            run.meet(before["then"])
            answer = run.invoke()
            _same_answer(answer, after.get("answer", {"Status": "PENDING"}))
            _compare(run, after)


def repeat_end(history: Json) -> None:
    """Replay all of a finished execution on today's code.

    Raises:
        AssertionError: it ends otherwise, or does anything at all.
    """
    with tables() as client:
        run = Run.of(history, history["end"], client)
        answer = run.invoke()
        _same_answer(answer, history["end"]["answer"])
        assert run.execution.updates == []
        _compare(run, history["end"])


def _compare(run: Run, recorded: Json) -> None:
    now = run.cut()
    assert [_identity(o) for o in now["operations"]] == [
        _identity(o) for o in recorded["operations"]
    ]
    assert now["sent"] == recorded["sent"]
    for table, values in (
        ("approvals", ("approval_id", "status", "version")),
        ("audit", ("event",)),
    ):
        assert [[item[v] for v in values] for item in now["tables"][table]] == [
            [item[v] for v in values] for item in recorded["tables"][table]
        ]


def _identity(operation: Json) -> list[Any]:
    """What the SDK holds a replay against, and how far the operation has come."""
    fields = ("Id", "ParentId", "Type", "SubType", "Name", "Status")
    return [operation.get(name) for name in fields]


def _same_answer(answer: Json, recorded: Json) -> None:
    assert answer["Status"] == recorded["Status"], answer
    if "Error" in recorded:
        assert answer["Error"]["ErrorType"] == recorded["Error"]["ErrorType"]
    if "Result" in recorded:
        was, now = json.loads(recorded["Result"]), json.loads(answer["Result"])
        assert now["statusCode"] == was["statusCode"]
        # A later version may say more, but nothing else.
        assert json.loads(now["body"]).items() >= json.loads(was["body"]).items()


def _execution(header: Json, operations: list[Operation]) -> Execution:
    execution_operations = [o for o in operations if o.operation_type is OperationType.EXECUTION]
    assert all(o.status is OperationStatus.STARTED for o in execution_operations)
    start = StartDurableExecutionInput(
        account_id="123456789012",
        function_name="workflow",
        function_qualifier="live",
        execution_name=header["arn"].split("/")[-2],
        execution_timeout_seconds=366 * 86400,
        execution_retention_period_days=1,
        invocation_id="1",
        input=json.dumps(header["event"]),
    )
    return Execution(header["arn"], start, operations)


@contextmanager
def tables() -> Iterator[Any]:
    """DynamoDB with the two tables, empty."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield client
