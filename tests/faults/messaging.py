"""Scenarios of messages to people: the messenger alone, and the stream beside a whole deployment.

Alone, everything that can happen is tried: a request is on record before anybody acts, two
messengers are brought the same events at the same time, and the clock runs. Beside a workflow the
stream feeds one function in each scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor as Person
from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.message import Message, messages_of
from hitl_approval.domain.reminder import remind
from hitl_approval.domain.thread import comment, thread_of
from hitl_approval.domain.voting import cast_vote
from tests.faults.deployment import APPROVALS_TABLE, Deployment
from tests.faults.dynamodb import Write
from tests.faults.feeds import (
    BOTH,
    BUS,
    MINUTE,
    PAGE,
    asked,
    client,
    clock,
    commits,
    feed,
    removes,
    store,
)
from tests.faults.outbox import MESSAGES_TABLE, channel_of, person_of
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event
from tests.faults.simulator import START, Actor

CLOCK = tuple(n * MINUTE for n in (1, 3, 6, 9))
"""After what a fault leaves: a lease of two minutes each time."""
EACH_MINUTE = tuple(n * MINUTE for n in range(13))
FREEZE = 3 * MINUTE
"""Longer than a lease."""


def _twice(world: Deployment) -> None:
    """Two messengers are brought what the stream has."""
    world.outbox.freeze = FREEZE
    for name in ("messenger", "other"):
        feed(world, "messenger", name=name, choices=())


def _due(world: Deployment, *names: str, **fields: Any) -> None:
    """A request whose messages are on record and due, none of them tried."""
    world.outbox.freeze = FREEZE
    world.outbox.fed.add("messenger")
    record = asked(world, *names, **fields)
    (first,) = store(world).history(record.approval_id)
    messages = DynamoDbMessages(client=client(world), table=MESSAGES_TABLE)
    for position, message in enumerate(
        messages_of(first, record, channels_of=Directory().channels_of)
    ):
        due = START - (len(names) - position) * SECOND  # each after the one before
        messages.insert(_at(message, due), record)


def _at(message: Message, due: Any) -> Message:
    return Message(
        approval_id=message.approval_id,
        sequence=message.sequence,
        kind=message.kind,
        recipient=message.recipient,
        due=due,
    )


def _message(world: Deployment) -> None:
    """One message, and two who are brought the event it follows from."""
    asked(world, "bob")
    _twice(world)
    clock(world, *CLOCK)


def _message_due(world: Deployment) -> None:
    """One message that is due, and two runs of the clock at the same time."""
    _due(world, "bob")
    clock(world, timedelta(0), *CLOCK)
    clock(world, timedelta(0), name="other-clock")


def _refusing(name: str, world: Deployment) -> None:
    world.refuses = lambda message: person_of(message) == name


def _messages_refused(world: Deployment) -> None:
    """One of two is refused each time."""
    asked(world, "bob", "carol")
    _refusing("bob", world)
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    clock(world, *EACH_MINUTE)


def _channels(world: Deployment) -> None:
    """One is reached by two channels, of which mail refuses each time; another by one."""
    asked(world, "bob", "carol")
    world.outbox.ways["bob"] = 2
    world.refuses = lambda message: channel_of(message) == "ses"
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    clock(world, *EACH_MINUTE)


def _channels_outcome(world: Deployment) -> None:
    """Carol decides while bob is asked by two channels: each says how it ended after it asked."""
    record = asked(world, "bob", "carol")
    world.outbox.ways["bob"] = 2
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    commits(
        world,
        "carol",
        record.approval_id,
        lambda found, me: cast_vote(
            found, Person("carol", "declared"), "approved", "", now=me.now()
        ),
    )
    clock(world, *CLOCK, 12 * MINUTE)


def _deadly(world: Deployment) -> None:
    """One of two ends the process that sends it, whoever does."""
    _due(world, "bob", "carol")
    world.outbox.kills = lambda message: person_of(message) == "bob"
    clock(world, *EACH_MINUTE)


def _deadly_in_the_stream(world: Deployment) -> None:
    """The same when they are brought by the stream."""
    asked(world, "bob", "carol")
    world.outbox.kills = lambda message: person_of(message) == "bob"
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    clock(world, *EACH_MINUTE)


def _bob_approves(world: Deployment, approval_id: str, at: timedelta = timedelta(0)) -> None:
    commits(
        world,
        "bob",
        approval_id,
        lambda record, me: cast_vote(
            record, Person("bob", "declared"), "approved", "", now=me.now()
        ),
        at,
    )


def _outcome(world: Deployment) -> None:
    """Bob decides while the messages that ask him and carol are on their way."""
    record = asked(world, "bob", "carol")
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    _bob_approves(world, record.approval_id)
    clock(world, *CLOCK, 12 * MINUTE)


def _outcome_beside(world: Deployment) -> None:
    """One asked, by a message that is due; the clock brings it, the stream how it ended."""
    _due(world, "carol")
    record = store(world).get("asked")
    assert record is not None
    ended = cast_vote(record, Person("bob", "declared"), "approved", "", now=START)
    assert ended is not None
    clock(world, timedelta(0), *CLOCK)
    feed(world, "messenger", choices=())


def _outcome_in_flight(world: Deployment) -> None:
    """Bob decides; carol's message, which asks her, is due and is sent by the clock meanwhile."""
    _due(world, "bob", "carol")
    clock(world, timedelta(0), *CLOCK, 12 * MINUTE)
    _bob_approves(world, "asked")
    feed(world, "messenger", choices=(), when=lambda: len(world.outbox.stream) > 1)


def _reminders(world: Deployment) -> None:
    """Two reminders are due before the clock runs, one later; bob decides in between."""
    times = tuple(n * MINUTE for n in (2, 3, 7))
    record = asked(world, "bob", "carol", reminders=times)
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    _bob_approves(world, record.approval_id, at=4 * MINUTE)
    clock(world, 4 * MINUTE, 7 * MINUTE, 10 * MINUTE, 13 * MINUTE)


def _reminders_beside(world: Deployment) -> None:
    """One reminder, and two runs of the clock at the time."""
    asked(world, "bob", reminders=(2 * MINUTE,))
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    clock(world, 2 * MINUTE, 5 * MINUTE, 8 * MINUTE)
    clock(world, 2 * MINUTE, name="other-clock")


def _reminded(world: Deployment) -> None:
    """Somebody has carol reminded as soon as there is something to be reminded of."""
    record = asked(world, "bob", "carol")
    commits(
        world,
        "alice",
        record.approval_id,
        lambda found, me: remind(found, Person("alice", "declared"), ["carol"], now=me.now()),
    )
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    clock(world, *CLOCK)


def _question(world: Deployment) -> None:
    """Bob asks back, alice answers once that is on record; carol, who is asked as well, is sent
    nothing of it."""
    record = asked(world, "bob", "carol")
    world.outbox.freeze = FREEZE
    feed(world, "messenger", choices=())
    for name, at, more in (
        ("bob", timedelta(0), {"question": True}),
        ("alice", MINUTE, {"answers": 2}),
    ):
        commits(world, name, record.approval_id, partial(_say, world, name, more), at)
    clock(world, *CLOCK, 12 * MINUTE)


def _say(
    world: Deployment, name: str, more: dict[str, Any], found: Approval, me: Actor
) -> Transition | None:
    thread = thread_of(store(world).history(found.approval_id))
    if "answers" in more and not thread:
        return None
    person = Person(name, "declared")
    return comment(found, person, f"said by {name}", thread=thread, now=me.now(), **more)


def _expired_row(world: Deployment) -> None:
    """The row is removed by its TTL while a message about it is due."""
    _due(world, "bob")
    removes(world, "asked")
    clock(world, timedelta(0), *CLOCK)


# Beside a whole deployment


def _approved(world: Deployment, *names: str) -> str:
    """Bob decides as soon as there is something to decide."""
    approval = world.start("start", event(approvers=list(names)))
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
    return approval


def _fed_messenger(world: Deployment) -> None:
    """The stream brings what is committed to the messenger, while bob decides."""
    _approved(world, "bob")
    feed(world, "messenger")
    clock(world, *CLOCK)


def _fed_refused(world: Deployment) -> None:
    """The same; carol, who is asked as well, cannot be reached."""
    _approved(world, "carol", "bob")
    _refusing("carol", world)
    feed(world, "messenger")
    clock(world, *CLOCK)


def _fed_publisher(world: Deployment) -> None:
    """The stream brings what is committed to the publisher, while bob decides."""
    _approved(world, "bob", "carol")
    feed(world, "publisher")


def _poison(world: Deployment) -> None:
    """Before everything else the stream brings what nobody can take, and a row nobody can read."""
    newer = {
        "approval_id": {"S": "newer"},
        "status": {"S": "pending"},
        "policy": {"M": {"quorum": {"S": "weighted"}}},
    }
    world.altered.add("newer")
    world.db.put_by_hand(Write(APPROVALS_TABLE, ("S:newer",), None, newer))
    world.outbox.stream += [
        {"somebody's": {"S": "own"}, "with": {"SS": ["a", "b"]}},
        {"approval_id": {"S": "newer"}, "sequence": {"N": "1"}, "event": {"S": "escalated"}},
        {"approval_id": {"S": "newer"}, "sequence": {"N": "2"}, "event": {"S": "requested"}},
    ]
    world.outbox.poison = len(world.outbox.stream)


def _poisoned(function: str) -> Any:
    def set_up(world: Deployment) -> None:
        _poison(world)
        approval = world.start("start", event(approvers=["bob"]))
        world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
        feed(world, function)
        if function == "messenger":
            clock(world, *CLOCK)

    return set_up


MESSENGER: Sequence[Scenario] = [
    Scenario("message", _message, PAGE),
    Scenario("message-due", _message_due, PAGE),
    Scenario("message-refused", _messages_refused, PAGE),
    Scenario("message-channels", _channels, BOTH),
    Scenario("message-channels-outcome", _channels_outcome, BOTH),
    Scenario("message-deadly", _deadly, PAGE),
    Scenario("message-deadly-in-stream", _deadly_in_the_stream, PAGE),
    Scenario("outcome", _outcome, PAGE),
    Scenario("outcome-in-flight", _outcome_in_flight, PAGE),
    Scenario("reminders", _reminders, PAGE),
    Scenario("reminders-beside", _reminders_beside, PAGE),
    Scenario("reminded", _reminded, PAGE),
    Scenario("question-answer", _question, PAGE),
    Scenario("row-removed", _expired_row, PAGE),
]
"""The messenger alone."""

FED: Sequence[Scenario] = [
    Scenario("fed-messenger", _fed_messenger, PAGE),
    Scenario("fed-refused-polling", _fed_refused, {**PAGE, **POLLING}),
    Scenario("fed-publisher", _fed_publisher, BUS),
    Scenario("fed-messenger-poison", _poisoned("messenger"), PAGE),
    Scenario("fed-publisher-poison", _poisoned("publisher"), BUS),
]
"""The stream beside a workflow."""

MESSAGING: Sequence[Scenario] = [*MESSENGER, *FED]
