"""Who feeds the messenger and the publisher: the audit table's stream, and the clock.

The stream brings every committed event, in order, at least once: in one batch or split, at once or
late, again although it was taken, and again from the first that was not. What a batch's function
does not take is brought again before anything behind it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.policy import Policy
from tests import environment
from tests.anything import any_opening, any_request
from tests.faults.deployment import APPROVALS_TABLE, AUDIT_TABLE, Deployment
from tests.faults.dynamodb import DynamoDb
from tests.faults.outbox import EVERY_MESSAGE, MESSAGES_TABLE, STREAM
from tests.faults.simulator import EVERY_ROW, ROW, START, Actor, Killed, ProcessDied

MINUTE = timedelta(minutes=1)
AGAIN = timedelta(seconds=1)
"""After which the stream brings a batch again that was not taken."""
PATIENCE = 500
"""Tries after which the stream has lost the record in front: a day of them, on AWS."""
MORE = 20
"""Runs of the clock after the last of a scenario, for schedules of many faults."""
LATE = timedelta(seconds=30)
BATCHES = ("split", "late", "redelivered")

PAGE = {
    name: environment.EXTRAS[name]
    for name in ("PAGE_URL", "MESSAGES_TABLE_NAME", "PERSONAL_TOPIC_ARN")
}
"""The environment of a deployment whose approvers get messages of their own."""
BOTH = {
    **PAGE,
    "MAIL": environment.EXTRAS["MAIL"],
    "DIRECTORY": str(Path(__file__).with_name("directory.json")),
}
"""The same, where bob is reached by the topic and by mail."""
BUS = {name: environment.EXTRAS[name] for name in ("EVENT_BUS_NAME", "INBOX_TABLE_NAME")}
"""The environment of one that publishes events and fills inboxes."""


def feed(
    world: Deployment,
    function: str,
    *,
    name: str | None = None,
    choices: Sequence[str] = BATCHES,
    when: Callable[[], bool] = lambda: True,
) -> None:
    """The stream feeds a function: `messenger` or `publisher`.

    Args:
        world: where.
        function: which.
        name: of the actor. Default: the function's.
        choices: what may happen to a batch.
        when: before that the stream brings nothing.
    """
    actor = name or function
    outbox = world.outbox
    outbox.fed.add(function)
    handler = importlib.import_module(f"{function}.handler").handler

    def body(me: Actor) -> None:
        position, redelivered, refused = 0, False, 0

        def more() -> bool:
            return when() and len(outbox.stream) > position

        while refused < PATIENCE:
            me.wait(more)
            me.point(frozenset({(STREAM, False)}))
            size = len(outbox.stream) - position
            possible = [c for c in choices if c != "split" or size > 1]
            choice = world.world.outcome(possible)
            if choice == "late":
                me.sleep(LATE)
            if choice == "split":
                size = 1
            batch = range(position, position + size)
            taken = _bring(me, world, handler, batch)
            if taken == size and choice == "redelivered" and not redelivered:
                redelivered = True  # from where it began: `position` stays
                continue
            position += taken
            refused = 0 if taken else refused + 1
            if taken < size:
                me.sleep(AGAIN)

    world.world.add(actor, body)


def _bring(me: Actor, world: Deployment, handler: Any, batch: range) -> int:
    """Invoke the function with these records; how many of the first it has taken."""
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {"NewImage": world.outbox.stream[place], "SequenceNumber": str(place)},
        }
        for place in batch
    ]
    answer = invoke(me, world, handler, {"Records": records})
    if answer is None:
        return 0
    failed = [int(one["itemIdentifier"]) for one in answer["batchItemFailures"]]
    return min(failed, default=batch.stop) - batch.start


def invoke(me: Actor, world: Deployment, handler: Any, event: Any) -> Any:
    """One invocation of a function by Lambda; None if it did not end by itself."""
    me.start_process()
    world.outbox.began[me.name, me.request] = len(world.world.steps)
    try:
        answer = handler(event, None)
    except (Killed, ProcessDied, Exception) as error:
        if world.world.over:
            raise
        world.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: ended with {error!r}")
        return None
    world.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: returned {json.dumps(answer)}")
    return answer


def clock(world: Deployment, *moments: timedelta, name: str = "clock") -> None:
    """The messenger runs by the clock at these times, whether or not an earlier run has ended.

    Then it goes on for as long as a message is open. A run but the first is left out where none
    is: it would find nothing.
    """
    handler = importlib.import_module("messenger.handler").handler
    outbox = world.outbox
    outbox.fed.add("messenger")
    outbox.clock += [START + moment for moment in moments]

    def run(me: Actor) -> None:
        began, incidents = world.world.now, len(world.world.incidents)
        if invoke(me, world, handler, {}) is None or len(world.world.incidents) > incidents:
            outbox.lost.append(began)

    apart = moments[-1] - moments[-2] if len(moments) > 1 else timedelta(0)
    later = [moments[-1] + number * apart for number in range(1, MORE if apart else 1)]

    def body(me: Actor) -> None:
        for number, moment in enumerate([*moments, *later]):
            me.sleep_until(START + moment)
            me.point(frozenset({(EVERY_MESSAGE, False)}))
            if not number or any("due" in item for item in world.db.items(MESSAGES_TABLE)):
                world.world.add(f"{name}-{number + 1}", run)
            elif number >= len(moments):
                return

    world.world.add(name, body)


# What there was before anybody acts


class Direct:
    """A DynamoDB client for what has happened before, or happens in one step."""

    def __init__(self, db: DynamoDb) -> None:
        self._db = db

    def __getattr__(self, name: str) -> Any:
        operation = "".join(part.capitalize() for part in name.split("_"))
        return lambda **request: self._db.call(operation, request, "")

    def transact_write_items(self, **request: Any) -> Any:
        return self._db.call("TransactWriteItems", request, str(len(self._db.tokens)))


def client(world: Deployment) -> Any:
    """A client whose calls are no choices."""
    return Direct(world.db)


def store(world: Deployment) -> DynamoDbStore:
    """The store by such a client."""
    return DynamoDbStore(
        client=client(world), approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE
    )


def asked(world: Deployment, *approvers: str, **fields: Any) -> Approval:
    """A request that is on record, and in the stream, before anybody acts."""
    policy = Policy.from_dict(json.loads(world.environment["APPROVAL_POLICY"]))
    request = any_request(requester="alice", approvers=approvers)
    values = {"approval_id": "asked", "callback_id": None, "now": START, **fields}
    return store(world).create(any_opening(request=request, policy=policy, **values))


def commits(
    world: Deployment,
    name: str,
    approval_id: str,
    change: Callable[[Approval, Actor], Transition | None],
    at: timedelta = timedelta(0),
) -> None:
    """Somebody changes a record at a time, in one step: that this is safe is tried elsewhere."""

    def body(me: Actor) -> None:
        me.sleep_until(START + at)
        me.point(frozenset({(f"{ROW}{approval_id}", True), (STREAM, True)}))
        record = store(world).get(approval_id)
        if record is not None and (transition := change(record, me)) is not None:
            store(world).commit(transition)
            world.world.steps.append(f"{me.now():%H:%M:%S} {name}: {transition.event.event}")

    world.world.add(name, body)


def removes(world: Deployment, approval_id: str, at: timedelta = timedelta(0)) -> None:
    """The TTL removes a row, at any moment from then on."""

    def body(me: Actor) -> None:
        me.sleep_until(START + at)
        me.point(frozenset({(EVERY_ROW, True)}))
        world.db.remove(APPROVALS_TABLE, (f"S:{approval_id}",))

    world.outbox.removed.add(approval_id)
    world.altered.add(approval_id)
    world.world.add("ttl", body)
