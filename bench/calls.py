"""AWS calls of each action: how many, how many bytes, how much capacity.

One approval goes through the deployed handlers, the real adapters and botocore; `bench.wire` takes
what botocore would send. Checkpoints are not counted here: they are the durable operations.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from bench.figures import Figure, Group, Table, number
from bench.virtual import Stage, packaged
from bench.wire import APPROVALS_TABLE, AUDIT_TABLE, MESSAGES_TABLE, Call, Wire
from hitl_approval.adapters.aws import client
from hitl_approval.adapters.callbacks import LambdaCallbackClient
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.adapters.system import SystemSecrets
from hitl_approval.contract import Env
from hitl_approval.domain.voting import cast_vote
from hitl_approval.http import envelope
from hitl_approval.testing import FixedClock, RecordingMeter
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.deliver import DeliveryService
from hitl_approval.usecases.request import RequestService
from tests.anything import any_opening, any_request, declared

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:approvals"
GOALS = {"submit": 2, "decide": 3, "get": 1, "list a page": 1}
PAGE = 20


class Wired(Stage):
    """A stage whose adapters speak to the wire."""

    def requests(self) -> RequestService:
        """The use cases of a request over the real adapters."""
        self.wire = Wire()
        self.wire.put_on(client("dynamodb"), client("sns"), client("lambda"))
        self.taken: dict[str, Sequence[Call]] = {}
        database = DynamoDbStore(
            client=client("dynamodb"), approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE
        )
        self.decisions = DecisionService(
            store=database,
            clock=self.clock,
            meter=RecordingMeter(),
            callbacks=LambdaCallbackClient(client=client("lambda")),
        )
        return RequestService(
            store=database,
            clock=self.clock,
            meter=RecordingMeter(),
            notifier=SnsNotifier(client=client("sns"), topic_arn=TOPIC),
        )

    def decide(self, runner: DurableFunctionTestRunner, _: str) -> None:
        """Ask for everything there is, then approve."""
        asked = self.wire.take()
        self.taken["submit"] = [c for c in asked if c.operation != "UpdateItem"]
        self.taken["check again, twice"] = [c for c in asked if c.operation == "UpdateItem"]
        ((approval_id, *_sort_key),) = self.wire.db.tables[APPROVALS_TABLE]
        one = {"approval_id": approval_id.removeprefix("S:")}
        self._ask("get", {"action": "get", **one})
        self._ask("history", {"action": "history", **one})
        self._ask("list a page", {"action": "list", "limit": PAGE})
        completed: list[str] = []
        self.wire.complete_callback = completed.append
        vote = {"decision": "approved", "approver": "bob", "comments": "Read it twice."}
        self._ask("decide", {"action": "decide", **one, **vote})
        # Only now, so that no call of the workflow that resumes is counted as the decision's.
        [callback_id] = completed
        runner.send_callback_success(callback_id)

    def _ask(self, name: str, event: Mapping[str, Any]) -> None:
        answer = envelope.handle(dict(event), lambda: self.decisions, trust_authorizer=False)
        if answer["statusCode"] != 200:
            raise RuntimeError(json.dumps(answer))
        self.taken[name] = self.wire.take()


def measure(_: bool) -> Group:
    """One approval, with two checks in vain before it is decided."""
    taken = {
        **one_approval(),
        **{f"messenger: {what}": calls for what, calls in messages_of_one().items()},
    }
    return Group(
        title="AWS calls per action",
        figures=[
            Figure(name=f"AWS calls, {action}", measured=len(taken[action]), limit=limit)
            for action, limit in GOALS.items()
        ],
        tables=[
            Table(
                title="What each action sends",
                head=("", "calls", "bytes sent", "read units", "write units"),
                rows=[_row(action, calls) for action, calls in taken.items()],
            )
        ],
        notes=[
            (
                "Units are DynamoDB's, with both tables and both indexes, for a document without a "
                "context; a transaction counts twice."
            )
        ],
    )


def one_approval() -> Mapping[str, Sequence[Call]]:
    """The calls of each action, in order."""
    with ExitStack() as opened:
        opened.enter_context(patch.dict(os.environ, CREDENTIALS))
        client.cache_clear()
        opened.callback(client.cache_clear)
        environment = {Env.RESUME_MODE: "callback", Env.APPROVAL_TIMEOUT_SECONDS: "86400"}
        stage = Wired(opened, _UNTIL_TWO_CHECKS, environment)
        handler: Callable[[Any, Any], Any] = packaged()
        stage.run(handler)
        stage.taken["resume"] = stage.wire.take()
        return stage.taken


def messages_of_one() -> Mapping[str, Sequence[Call]]:
    """The calls of the messenger for an approval of one approver, in order."""
    with patch.dict(os.environ, CREDENTIALS):
        client.cache_clear()
        wire, clock = Wire(), FixedClock()
        wire.put_on(client("dynamodb"), client("sns"))
        store = DynamoDbStore(
            client=client("dynamodb"), approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE
        )
        delivery = DeliveryService(
            store=store,
            clock=clock,
            meter=RecordingMeter(),
            messages=DynamoDbMessages(client=client("dynamodb"), table=MESSAGES_TABLE),
            notifiers={"sns": SnsNotifier(client=client("sns"), topic_arn=TOPIC, personal=True)},
            page_url="https://approvals.example.com",
            secrets=SystemSecrets(),
        )
        opening = any_opening(
            request=any_request(approvers=["bob"]),
            now=clock.now(),
            timeout=timedelta(days=1),
            reminders=(timedelta(hours=12), timedelta(hours=21)),
        )
        store.create(opening)
        voted = cast_vote(opening.after, declared("bob"), "approved", "", now=clock.now())
        taken: dict[str, Sequence[Call]] = {}
        for name, transition in (("request", opening), ("outcome", voted)):
            if transition is None:
                raise RuntimeError(name)
            if name == "outcome":
                store.commit(transition)
            wire.take()
            delivery.take([transition.entry])
            taken[name] = wire.take()
        clock.advance(timedelta(hours=12))
        delivery.deliver_due()
        taken["reminders that are over"] = wire.take()
        client.cache_clear()
        return taken


_UNTIL_TWO_CHECKS = timedelta(minutes=5)


def _row(action: str, calls: Sequence[Call]) -> Sequence[str]:
    names = [call.operation for call in calls]
    return (
        action,
        f"{len(calls)}: " + ", ".join(names),
        number(sum(call.request_bytes for call in calls)),
        number(sum(call.read_units for call in calls)),
        number(sum(call.write_units for call in calls)),
    )
