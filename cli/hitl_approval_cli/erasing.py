"""A person's values in a deployment's tables: which there are, and how they go.

What has ended long enough ago is taken: its messages to them, then its record as a whole, then
their values in its trail, which stays. In this order every state in between is one that verifies,
and whoever begins again finds what is left.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal, read_item
from hitl_approval.contract import Audit, Inbox, Messages, Table
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import ApprovalNotFound
from hitl_approval.domain.replay import name_of
from hitl_approval.domain.salted import erase, erased_of
from hitl_approval.domain.text import spelling
from hitl_approval.ports.outside import Signer
from hitl_approval.usecases.trail import read_trail

SETTLED: Final = timedelta(days=1)
"""After an end: so long the stream brings its events to functions that read the record."""
_DELEGATED: Final = "delegat"
"""Begins the keys of delegations in the approvals table; approvals' ids are hexadecimal."""
_GIVER: Final = "giver "
_ROW: Final = ("requester", "approvers", "decided_by", "votes", "policy", "turn")
"""Attributes of a record that name people."""
_INSIDE: Final = frozenset(
    {
        "approver",
        "approvers",
        "escalation",
        "handed_over",
        "on_behalf_of",
        "people",
        "quorum_groups",
        "stages",
        "to",
    }
)
"""Fields inside of them that do."""

Item = Mapping[str, Any]
Write = tuple[str, dict[str, Any]]
"""An operation of DynamoDB, and what it is called with."""


def _typed(*words: str) -> str:
    return shlex.join(["hitl", *words])


@dataclass(frozen=True, slots=True)
class Refused:
    """Something of which nothing is erased.

    Attributes:
        approval_id: which; the key of a delegation.
        problem: why not.
    """

    approval_id: str
    problem: str


@dataclass(slots=True)
class Approval:
    """What is a person's in one approval that has ended.

    Attributes:
        approval_id: which.
        row: whether its record is still there.
        status: how it has ended.
        events: those of its trail that name them, as they are and as they will be.
        messages: keys of the messages to them.
        inbox: keys of what is left of it in anybody's inbox.
    """

    approval_id: str
    row: bool
    status: str
    events: list[tuple[Item, Item]] = field(default_factory=list)
    messages: list[Item] = field(default_factory=list)
    inbox: list[Item] = field(default_factory=list)

    @property
    def values(self) -> int:
        """How many values of its trail are theirs."""
        return sum(erased_of(after) - erased_of(before) for before, after in self.events)


@dataclass(slots=True)
class Found:
    """What there is of a person.

    Attributes:
        approvals: that have ended.
        delegations: writes that remove what is over.
        refused: what is not erased.
    """

    approvals: list[Approval] = field(default_factory=list)
    delegations: list[Write] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """Finds and erases what is a person's, by the operator's own rights.

    Attributes:
        client: a DynamoDB client.
        approvals_table: name of the approvals table.
        audit_table: name of the audit table.
        inbox_table: name of the inbox table; None where there is none.
        messages_table: name of the messages table; None where there is none.
        signer: verifies the signatures of the trails; None where nobody signs.
        person: their name.
        now: the time.
        settled: how long ago what is erased must have ended.
        command: what a person types: a command of `hitl` about this deployment.
    """

    client: Any
    approvals_table: str
    audit_table: str
    inbox_table: str | None
    messages_table: str | None
    signer: Signer | None
    person: str
    now: datetime
    settled: timedelta = SETTLED
    command: Callable[..., str] = _typed

    def find(self) -> Found:
        """What there is of them; changes nothing."""
        found = Found()
        ids: dict[str, None] = {}
        for row in self._scan(self.approvals_table):
            key = str(row[Table.PARTITION_KEY])
            if key.startswith(_DELEGATED):
                self._take_delegation(key, row, found)
            elif any(self._names(row.get(name)) for name in _ROW):
                ids[key] = None
        for event in self._scan(self.audit_table):
            if erase(event, self.person, at="") is not None:
                ids[str(event[Audit.PARTITION_KEY])] = None
        messages = self._messages()
        ids |= dict.fromkeys(messages)
        inbox = self._inbox()
        for approval_id in ids:
            taken = self._take(approval_id)
            if isinstance(taken, Refused):
                found.refused.append(taken)
                continue
            taken.messages = messages.get(approval_id, [])
            taken.inbox = inbox.get(approval_id, [])
            found.approvals.append(taken)
        return found

    def erase(self, approval: Approval) -> Refused | None:
        """Erase what is theirs in one approval; why not, if it has changed meanwhile."""
        for table, key in [
            *((self.inbox_table, key) for key in approval.inbox),
            *((self.messages_table, key) for key in approval.messages),
        ]:
            self.client.delete_item(TableName=table, Key=marshal(key))
        try:
            if approval.row:
                self.client.delete_item(
                    TableName=self.approvals_table,
                    Key=marshal({Table.PARTITION_KEY: approval.approval_id}),
                    ConditionExpression="#status = :ended AND resumed = :true",
                    ExpressionAttributeNames={"#status": Table.STATUS},
                    ExpressionAttributeValues=marshal({":ended": approval.status, ":true": True}),
                )
            for before, after in approval.events:
                self._replace(before, after)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return Refused(approval.approval_id, "has changed meanwhile: erase again")
        return None

    def write(self, write: Write) -> None:
        """Make one of the writes that `find` has found."""
        operation, wanted = write
        getattr(self.client, operation)(**wanted)

    def _take(self, approval_id: str) -> Approval | Refused:
        store = DynamoDbStore(
            client=self.client,
            approvals_table=self.approvals_table,
            audit_table=self.audit_table,
        )
        try:
            trail = read_trail(store, approval_id, self.signer)
        except ApprovalNotFound:  # a message that has outlived what it is about
            return Approval(approval_id, row=False, status="")
        record, events = trail.approval, trail.events
        if record and record.pending:
            return Refused(approval_id, "is open: it is decided, withdrawn or expired first")
        if trail.findings:
            command = self.command("audit", "verify", approval_id)
            return Refused(approval_id, f"does not verify: {command} says why")
        if record and not record.resumed:
            return Refused(approval_id, "has ended, and its workflow has not read how")
        if str(events[-1]["at"]) > isoformat(self.now - self.settled):
            return Refused(approval_id, "has ended less than a day ago: erase tomorrow")
        found = Approval(approval_id, row=record is not None, status=name_of(events[-1]))
        for event in events:
            if (after := erase(event, self.person, at=isoformat(self.now))) is not None:
                found.events.append((event, after))
        return found

    def _replace(self, before: Item, after: Item) -> None:
        """Write an event again, if it still is what was read."""
        gone = {} if Audit.SALTS in after else {Audit.SALTS: None}
        names = {name: after[name] for name in after if after[name] != before.get(name)}
        sets = ", ".join(f"#{name} = :{name}" for name in names)
        self.client.update_item(
            TableName=self.audit_table,
            Key=marshal({name: before[name] for name in (Audit.PARTITION_KEY, Audit.SORT_KEY)}),
            UpdateExpression=f"SET {sets}" + (" REMOVE #salts" if gone else ""),
            ConditionExpression="#hash = :hash AND #salts = :read",
            ExpressionAttributeNames={f"#{name}": name for name in names}
            | {"#hash": Audit.HASH, "#salts": Audit.SALTS},
            ExpressionAttributeValues=marshal(
                {f":{name}": value for name, value in names.items()}
                | {":hash": before[Audit.HASH], ":read": before[Audit.SALTS]}
            ),
        )

    def _messages(self) -> dict[str, list[Item]]:
        """Keys of the messages to them, by approval."""
        found: dict[str, list[Item]] = {}
        for item in self._scan(self.messages_table) if self.messages_table else ():
            if self._is(item.get("recipient")):
                key = {name: item[name] for name in (Messages.PARTITION_KEY, Messages.SORT_KEY)}
                found.setdefault(str(key[Messages.PARTITION_KEY]), []).append(key)
        return found

    def _inbox(self) -> dict[str, list[Item]]:
        """Keys of what stands in anybody's inbox and may name who asked, by approval."""
        found: dict[str, list[Item]] = {}
        for item in self._scan(self.inbox_table) if self.inbox_table else ():
            key = {name: item[name] for name in (Inbox.PARTITION_KEY, Inbox.SORT_KEY)}
            found.setdefault(str(item.get("approval_id")), []).append(key)
        return found

    def _take_delegation(self, key: str, item: Item, found: Found) -> None:
        """What a delegation's item says of them, if that is over."""
        given = item.get("delegation")
        given = given if isinstance(given, Mapping) else {}
        theirs = _GIVER + spelling(self.person)
        until, over = str(given.get("until", "")), isoformat(self.now)
        wanted: dict[str, Any] = {
            "TableName": self.approvals_table,
            "Key": marshal({Table.PARTITION_KEY: key}),
        }
        write: Write = ("delete_item", wanted)
        if key == f"delegate#{spelling(self.person)}":
            until = max((str(item[name]) for name in item if name.startswith(_GIVER)), default="")
        elif theirs in item:
            until = str(item[theirs])
            change = {
                "UpdateExpression": "REMOVE #giver",
                "ExpressionAttributeNames": {"#giver": theirs},
            }
            write = ("update_item", wanted | change)
        elif not any(map(self._is, (item.get("giver"), given.get("to"), given.get("given_by")))):
            return
        if until > over:
            found.refused.append(Refused(key, f"stands until {until}: {self._ending(key)}"))
        else:
            found.delegations.append(write)

    def _ending(self, key: str) -> str:
        """The command that ends a delegation; whose it is says only its giver's item."""
        kind, _, name = key.partition("#")
        giver = name if kind == "delegation" else "GIVER"
        return self.command("delegate", "--none", "--for", giver, "--as", "OPERATOR")

    def _names(self, value: Any) -> bool:
        """Whether their name stands in a value of a record."""
        if isinstance(value, Mapping):
            return any(self._names(inner) for name, inner in value.items() if name in _INSIDE)
        if isinstance(value, list):
            return any(map(self._names, value))
        return self._is(value)

    def _is(self, value: Any) -> bool:
        return isinstance(value, str) and spelling(value) == spelling(self.person)

    def _scan(self, table: str) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = self.client.scan(TableName=table, ConsistentRead=True, **start)
            yield from map(read_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def values_of(approvals: Sequence[Approval]) -> int:
    """How many values of these trails are theirs."""
    return sum(approval.values for approval in approvals)
