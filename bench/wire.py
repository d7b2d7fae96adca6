"""AWS on the other end of botocore's wire: real clients, answered in this process, every call kept.

Requests are the bytes that botocore would send; DynamoDB answers from `tests/faults/dynamodb.py`,
which is held against moto, and what a call would consume is computed from the items' sizes by the
rules of DynamoDB's developer guide ("Capacity unit consumption", "Item sizes and formats").
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from urllib.parse import unquote

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from tests.faults.dynamodb import (
    APPROVALS,
    AUDIT,
    INBOX,
    MESSAGES,
    DynamoDb,
    Index,
    Item,
    Schema,
    Write,
)

APPROVALS_TABLE, AUDIT_TABLE = "bench-ApprovalRequests", "bench-AuditEvents"
INBOX_TABLE = "bench-Inbox"
MESSAGES_TABLE = "bench-Messages"
SCHEMAS = {
    APPROVALS_TABLE: APPROVALS,
    AUDIT_TABLE: AUDIT,
    INBOX_TABLE: INBOX,
    MESSAGES_TABLE: MESSAGES,
}
READ_UNIT, WRITE_UNIT = 4096, 1024

_PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that would have gone to AWS."""

    operation: str
    request_bytes: int
    answer_bytes: int
    read_units: float = 0
    write_units: float = 0


class Wire:
    """Answers the clients that it is put on."""

    def __init__(self, complete_callback: Callable[[str], None] = lambda _: None) -> None:
        self.calls: list[Call] = []
        self.writes: list[Write] = []
        self.db = DynamoDb(SCHEMAS, self.writes.append)
        self.complete_callback = complete_callback

    def put_on(self, *clients: Any) -> None:
        """From now on these clients talk to us."""
        for client in clients:
            client.meta.events.register("before-send", self._answer, unique_id=id(self))

    def take(self) -> list[Call]:
        """The calls since last asked."""
        taken, self.calls = self.calls, []
        return taken

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        _signing, service, operation = event_name.split(".", 2)
        sent: Any = request.body or b""
        body: bytes = sent.encode() if isinstance(sent, str) else sent
        self.writes.clear()
        answer, read = b"{}", 0.0
        if service == "dynamodb":
            asked = json.loads(body)
            token = asked.pop("ClientRequestToken", "")
            found = self.db.call(operation, asked, token)
            read = _read_units(asked, found)
            answer = json.dumps(found).encode()
        elif service == "sns":
            answer = _PUBLISHED
        elif operation == "SendDurableExecutionCallbackSuccess":
            self.complete_callback(_callback_id(request.url))
        transactional = operation == "TransactWriteItems"
        write = sum(write_units(w, transactional=transactional) for w in self.writes)
        size = len(request.url) + len(body)
        self.calls.append(Call(operation, size, len(answer), read, write))
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(answer))


@dataclass
class _Raw(io.RawIOBase):
    """What urllib3 would hand on."""

    content: bytes
    version: int = field(default=11)

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.content]


def item_size(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them: names and values, 3 per list or map and 1 each."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def write_units(write: Write, *, transactional: bool) -> float:
    """What a write consumes, with what it does to the indexes."""
    before = item_size(write.before) if write.before else 0
    base = ceil(max(before, item_size(write.after)) / WRITE_UNIT)
    schema = SCHEMAS[write.table]
    indexes = sum(_index_writes(schema, index, write) for index in schema.indexes.values())
    return base * (2 if transactional else 1) + indexes


def _index_writes(schema: Schema, index: Index, write: Write) -> int:
    """0 when nothing changes there, 1 for one entry, 2 when the entry moves."""
    before = shown(schema, index, write.before)
    after = shown(schema, index, write.after)
    if before == after:
        return 0
    moved = before and after and any(before[n] != after[n] for n in index.names)
    sizes = [item_size(entry) for entry in (before, after) if entry]
    if moved:
        return sum(ceil(size / WRITE_UNIT) for size in sizes)
    return ceil(max(sizes) / WRITE_UNIT)


def shown(schema: Schema, index: Index, item: Item | None) -> Item | None:
    """What an index has of an item; None where it has no entry."""
    if item is None or any(name not in item for name in index.names):
        return None
    shown = {*index.names, *schema.primary.names, *(index.shown or ())}
    return {name: value for name, value in item.items() if name in shown}


def _read_units(asked: Mapping[str, Any], found: Mapping[str, Any]) -> float:
    if "Key" in asked and "UpdateExpression" not in asked:
        units = max(1, ceil(item_size(found.get("Item", {})) / READ_UNIT))
    elif "Items" in found:
        units = max(1, ceil(sum(item_size(item) for item in found["Items"]) / READ_UNIT))
    else:
        return 0
    return units * (1.0 if asked.get("ConsistentRead") else 0.5)


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return ceil(len(inner.lstrip("-").strip("0")) / 2) + 1
        case "L":
            return 3 + sum(1 + _value_size(v) for v in inner)
        case "M":
            return 3 + sum(1 + len(n.encode()) + _value_size(v) for n, v in inner.items())
        case _:
            return 1


def _callback_id(url: str) -> str:
    return unquote(url.split("/durable-execution-callbacks/")[1].split("/", maxsplit=1)[0])
