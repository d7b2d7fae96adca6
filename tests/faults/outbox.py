"""What AWS holds of the messages, the bus and the stream in a schedule, and who was sent what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval.domain.text import spelling
from tests import environment
from tests.faults.dynamodb import Item, Key
from tests.faults.simulator import EVERY, World

MESSAGES_TABLE = environment.EXTRAS["MESSAGES_TABLE_NAME"]
INBOX_TABLE = environment.EXTRAS["INBOX_TABLE_NAME"]

MESSAGE = "message "
EVERY_MESSAGE = f"{MESSAGE}{EVERY}"
PERSON = "person "
"""What one person is sent, and in which order."""
EVERY_INBOX = f"inbox {EVERY}"
STREAM = "stream"

Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a person was sent: by which record of it, by whom, when."""

    key: Key
    approval_id: str
    kind: str
    person: str
    body: str
    actor: str
    request: int
    at: datetime
    step: int
    channel: str
    call: Request
    """The same for what is applied again later."""


@dataclass
class Outbox:
    """The stream of a schedule, who is fed by it, and what comes out."""

    stream: list[Item] = field(default_factory=list)
    """What the audit table's stream brings: committed events, and what is none of ours."""
    poison: int = 0
    """How many of these nobody can take."""
    fed: set[str] = field(default_factory=set)
    """The functions that the stream feeds: `messenger`, `publisher`."""
    committed: dict[int, datetime] = field(default_factory=dict)
    """When an event of the stream was committed, by its position."""
    began: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many steps had been made before an invocation, by actor and request."""
    clock: list[datetime] = field(default_factory=list)
    """When the messenger's clock runs."""
    lost: list[datetime] = field(default_factory=list)
    """When runs of the clock did not end by themselves, or left something to the next."""
    freeze: timedelta | None = None
    """How long a slow call takes; None: until the expiry."""
    kills: Callable[[Request], bool] = lambda _: False
    """Which messages end the process that sends them, whenever it does."""
    ways: dict[str, int] = field(default_factory=dict)
    """By how many channels people are reached who are reached by several."""
    removed: set[str] = field(default_factory=set)
    """Approvals whose row a TTL removes."""
    sent: list[Sent] = field(default_factory=list)
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """The records of messages as they were left, once somebody has read them."""
    bus: list[Mapping[str, Any]] = field(default_factory=list)

    def send(self, world: World, request: Request, person: str) -> None:
        """Note what a person is sent, and which record of theirs this actor has claimed."""
        me = world.current
        assert me is not None
        attributes = request["MessageAttributes"]
        kind, approval_id = (attributes[n]["StringValue"] for n in ("kind", "approval_id"))
        again = next((one for one in self.sent if one.call is request), None)
        self.sent.append(
            Sent(
                again.key if again else _claimed(world, approval_id, kind, person),
                approval_id,
                kind,
                person,
                request["Message"],
                me.name,
                me.request,
                world.now,
                len(world.steps),
                channel_of(request),
                request,
            )
        )


def person_of(request: Request) -> str | None:
    """Whom a published message is for, as `spelling` has it; None for everybody."""
    attribute = request["MessageAttributes"].get(APPROVER_ATTRIBUTE)
    return str(attribute["StringValue"]) if attribute else None


def channel_of(request: Request) -> str:
    """What carries a message: SNS, unless it says otherwise."""
    return str(request.get("Channel", "sns"))


def by_mail(request: Request) -> Request:
    """A mail that SES is given, as SNS would be given the message."""
    kind, _, body = request["Content"]["Raw"]["Data"].decode().partition("\n")
    [address] = request["Destination"]["ToAddresses"]
    [tag] = request["EmailTags"]
    attributes = {
        "approval_id": tag["Value"],
        "kind": kind,
        APPROVER_ATTRIBUTE: address.partition("@")[0],
    }
    return {
        "Channel": "ses",
        "TopicArn": "mail",
        "MessageAttributes": {name: {"StringValue": v} for name, v in attributes.items()},
        "Message": body,
    }


def tries(item: Item) -> int:
    """Tries that a message's record counts."""
    return int(item["attempts"]["N"]) if item else 0


def _claimed(world: World, approval_id: str, kind: str, person: str) -> Key:
    """The record of such a message that this actor has last begun a try of."""
    me = world.current
    assert me is not None
    for wrote in reversed(world.writes):
        write = wrote.write
        if (write.table, wrote.actor) != (MESSAGES_TABLE, me.name) or wrote.request != me.request:
            continue
        item = write.after
        about = (item["approval_id"]["S"], item["kind"]["S"], spelling(item["recipient"]["S"]))
        if about == (approval_id, kind, person) and tries(item) > tries(write.before or {}):
            return write.key
    return ()
