"""DynamoDB in memory: exactly the calls and expressions that we make; any other is refused.

`test_dynamodb.py` holds it against moto on thousands of random operations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.contract import Audit, Inbox, Messages, Table

Item = Mapping[str, Any]
"""An item as the wire has it: attribute names to typed values."""
Key = tuple[str, ...]

_NAME = r"#?[A-Za-z_]\w*"
_PRESENCE = re.compile(rf"attribute_(not_)?exists\(({_NAME})\)")
_COMPARED = re.compile(rf"({_NAME}) (=|<=|<) (:\w+)")
_ASSIGN = re.compile(rf"({_NAME}) = (?:(:\w+)|({_NAME}) \+ (:\w+))")
_APPEND = re.compile(rf"({_NAME}) = list_append\(if_not_exists\(\1, (:\w+)\), (:\w+)\)")
_NEXT = re.compile(rf", (?={_NAME} = )")
_UPDATE = re.compile(r"(?:SET (.+?))?(?:(?:^| )REMOVE (.+))?")
_TYPE_ORDER: Mapping[str, Callable[[str], Any]] = {"N": Decimal, "S": str}


@dataclass(frozen=True, slots=True)
class Index:
    """Keys of a table or of one of its indexes, and what an index shows beside them."""

    hash: str
    range: str | None = None
    shown: frozenset[str] | None = None
    """None: everything."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)


@dataclass(frozen=True, slots=True)
class Schema:
    """Keys of a table, and its indexes by name."""

    primary: Index
    indexes: Mapping[str, Index] = field(default_factory=dict)

    def key(self, item: Item) -> Key:
        return tuple(_flat(item[name]) for name in self.primary.names)


APPROVALS = Schema(
    Index(Table.PARTITION_KEY),
    {
        Table.STATUS_INDEX: Index(Table.STATUS, Table.CREATED_AT, frozenset(Table.LIST_ATTRIBUTES)),
        Table.ATTENTION_INDEX: Index(
            Table.ATTENTION, Table.ATTENTION_AT, frozenset(Table.ATTENTION_ATTRIBUTES)
        ),
    },
)
AUDIT = Schema(Index(Audit.PARTITION_KEY, Audit.SORT_KEY))
MESSAGES = Schema(
    Index(Messages.PARTITION_KEY, Messages.SORT_KEY),
    {Messages.DUE_INDEX: Index(Messages.SHARD, Messages.DUE, frozenset())},
)
INBOX = Schema(Index(Inbox.PARTITION_KEY, Inbox.SORT_KEY))


@dataclass(frozen=True, slots=True)
class Write:
    """One item that changed; empty afterwards if it was removed."""

    table: str
    key: Key
    before: Item | None
    after: Item


@dataclass
class DynamoDb:
    """The tables, and a watcher that sees every write."""

    schemas: Mapping[str, Schema]
    watch: Callable[[Write], None] = lambda _: None
    tables: dict[str, dict[Key, Item]] = field(default_factory=dict)
    tokens: dict[str, None] = field(default_factory=dict)
    last: dict[str, Write] = field(default_factory=dict)
    """The last write to each table."""

    def __post_init__(self) -> None:
        self.tables = {name: {} for name in self.schemas}

    def call(self, operation: str, request: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Answer one API call; `token` is the idempotency token that botocore would send."""
        match operation:
            case "GetItem":
                return self._get(request)
            case "PutItem":
                self._store(self._put(request, operation))
                return {}
            case "UpdateItem":
                return self._update_item(request)
            case "DeleteItem":
                return self._delete_item(request)
            case "Scan":
                _only(request, "TableName", "ConsistentRead")
                return {"Items": self.items(request["TableName"])}
            case "BatchWriteItem":
                return self._batch(request)
            case "TransactWriteItems":
                return self._transact(request["TransactItems"], token)
            case "Query":
                return self._query(request)
            case _:
                raise NotImplementedError(operation)

    def items(self, table: str) -> list[Item]:
        return list(self.tables[table].values())

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _only(request, "TableName", "Key", "ConsistentRead")
        table = request["TableName"]
        item = self.tables[table].get(self.schemas[table].key(request["Key"]))
        return {} if item is None else {"Item": item}

    def _put(self, request: Mapping[str, Any], operation: str) -> Write:
        _only(request, "TableName", "Item", "ConditionExpression")
        table, item = request["TableName"], request["Item"]
        key = self.schemas[table].key(item)
        before = self.tables[table].get(key)
        _check(request, before, operation)
        return Write(table, key, before, item)

    def _update(self, request: Mapping[str, Any], operation: str) -> Write:
        table = request["TableName"]
        key = self.schemas[table].key(request["Key"])
        before = self.tables[table].get(key)
        _check(request, before, operation)
        after = _updated(request, before or request["Key"], operation)
        return Write(table, key, before, after)

    def _update_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _only(
            request,
            "TableName",
            "Key",
            "UpdateExpression",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValues",
            "ReturnValuesOnConditionCheckFailure",
        )
        write = self._update(request, "UpdateItem")
        self._store(write)
        return {"Attributes": write.after} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _delete_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _only(
            request,
            "TableName",
            "Key",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        )
        table = request["TableName"]
        key = self.schemas[table].key(request["Key"])
        before = self.tables[table].get(key)
        _check(request, before, "DeleteItem")
        if before is not None:
            self.remove(table, key)
        return {}

    def _transact(self, actions: Sequence[Mapping[str, Any]], token: str) -> dict[str, Any]:
        if token in self.tokens:
            return {}
        writes: list[Write] = []
        checked: list[tuple[str, Key]] = []
        reasons: list[dict[str, str]] = []
        for action in actions:
            ((kind, request),) = action.items()
            try:
                if kind == "ConditionCheck":
                    checked.append(self._condition_check(request))
                else:
                    handler = {"Put": self._put, "Update": self._update}[kind]
                    writes.append(handler(request, "TransactWriteItems"))
                reasons.append({"Code": "None"})
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                reasons.append(
                    {
                        "Code": "ConditionalCheckFailed",
                        "Message": "The conditional request failed",
                    }
                )
        touched = [*checked, *((write.table, write.key) for write in writes)]
        if len(set(touched)) < len(touched):
            raise client_error("TransactWriteItems", "ValidationException", 400)
        if len(touched) < len(actions):
            raise cancelled(reasons)
        for write in writes:
            self._store(write)
        self.tokens[token] = None
        return {}

    def _condition_check(self, request: Mapping[str, Any]) -> tuple[str, Key]:
        _only(
            request,
            "TableName",
            "Key",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        )
        table, key = request["TableName"], self.schemas[request["TableName"]].key(request["Key"])
        _check(request, self.tables[table].get(key), "TransactWriteItems")
        return table, key

    def _batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _only(request, "RequestItems")
        for table, actions in request["RequestItems"].items():
            for action in actions:
                ((kind, one),) = action.items()
                if kind == "PutRequest":
                    self._store(self._put({"TableName": table, **one}, "BatchWriteItem"))
                    continue
                key = self.schemas[table].key(one["Key"])
                before = self.tables[table].get(key)
                if before is not None:
                    self.remove(table, key)
        return {"UnprocessedItems": {}}

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _only(
            request,
            "TableName",
            "IndexName",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ScanIndexForward",
            "Limit",
            "ExclusiveStartKey",
            "ConsistentRead",
        )
        schema = self.schemas[request["TableName"]]
        index = schema.primary
        if "IndexName" in request:
            index = schema.indexes[request["IndexName"]]
        wanted = [
            (_resolve(part[1], request), part[2], _value(part[3], request))
            for part in (
                _known(_COMPARED.fullmatch(part))
                for part in request["KeyConditionExpression"].split(" AND ")
            )
        ]
        if [(name, how) for name, how, _ in wanted[:1]] != [(index.hash, "=")] or any(
            name != index.range for name, _, _ in wanted[1:]
        ):
            raise client_error("Query", "ValidationException", 400)
        backwards = not request.get("ScanIndexForward", True)

        def position(item: Item) -> tuple[Any, Key]:
            ranged = _order(item[index.range]) if index.range else None
            return ranged, schema.key(item)

        found = sorted(
            (
                item
                for item in self.tables[request["TableName"]].values()
                if all(name in item for name in index.names)
                and all(_compare(item[name], how, value) for name, how, value in wanted)
            ),
            key=position,
            reverse=backwards,
        )
        if start := request.get("ExclusiveStartKey"):
            after = position(start)
            found = [
                item
                for item in found
                if (position(item) < after if backwards else position(item) > after)
            ]
        page = found[: request.get("Limit", len(found))]
        keys = {*index.names, *schema.primary.names}
        shown = None if index.shown is None else keys | index.shown
        answer: dict[str, Any] = {
            "Items": [
                {name: value for name, value in item.items() if shown is None or name in shown}
                for item in page
            ]
        }
        if len(page) < len(found):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in keys}
        return answer

    def remove(self, table: str, key: Key) -> None:
        """Delete an item, as its TTL does too."""
        before = self.tables[table].pop(key)
        self.watch(Write(table, key, before, {}))

    def before_the_last_write(self, table: str) -> DynamoDb:
        """The same without the last write to a table, which an index may not show yet."""
        earlier = DynamoDb(self.schemas)
        earlier.tables = {name: dict(items) for name, items in self.tables.items()}
        if write := self.last.get(table):
            earlier.tables[table].pop(write.key, None)
            if write.before is not None:
                earlier.tables[table][write.key] = write.before
        return earlier

    def put_by_hand(self, write: Write) -> None:
        """As somebody does who may write the table, and keeps none of our conditions."""
        self._store(write)

    def _store(self, write: Write) -> None:
        self.tables[write.table][write.key] = write.after
        self.last[write.table] = write
        self.watch(write)


def client_error(
    operation: str, code: str, status: int, message: str = "", **response: Any
) -> ClientError:
    """An error as botocore raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **response,
    }
    return ClientError(answer, operation)


def cancelled(reasons: list[dict[str, str]]) -> ClientError:
    """A cancelled transaction, with the reason of each of its actions."""
    return client_error(
        "TransactWriteItems", "TransactionCanceledException", 400, CancellationReasons=reasons
    )


def _check(request: Mapping[str, Any], before: Item | None, operation: str) -> None:
    expression = request.get("ConditionExpression")
    if expression is None or _holds(expression, request, before or {}):
        return
    shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and before
    raise client_error(
        operation,
        "ConditionalCheckFailedException",
        400,
        "The conditional request failed",
        **({"Item": before} if shown else {}),
    )


def _holds(expression: str, request: Mapping[str, Any], item: Item) -> bool:
    return all(_part_holds(part, request, item) for part in expression.split(" AND "))


def _part_holds(part: str, request: Mapping[str, Any], item: Item) -> bool:
    if presence := _PRESENCE.fullmatch(part):
        return (_resolve(presence[2], request) in item) is not bool(presence[1])
    compared = _known(_COMPARED.fullmatch(part))
    value = item.get(_resolve(compared[1], request))
    return value is not None and _compare(value, compared[2], _value(compared[3], request))


def _compare(value: Mapping[str, Any], how: str, other: Mapping[str, Any]) -> bool:
    if how == "=":
        return value == other
    if value.keys() != other.keys():
        return False
    ours, theirs = _order(value), _order(other)
    return bool(ours <= theirs if how == "<=" else ours < theirs)


def _order(value: Mapping[str, Any]) -> Any:
    ((kind, text),) = value.items()
    return _TYPE_ORDER[kind](text)


def _updated(request: Mapping[str, Any], item: Item, operation: str) -> Item:
    update = _known(_UPDATE.fullmatch(request["UpdateExpression"]))
    changed: dict[str, Any] = dict(item)
    for part in _NEXT.split(update[1]) if update[1] else ():
        if append := _APPEND.fullmatch(part):
            target = _resolve(append[1], request)
            old = item.get(target, _value(append[2], request))
            changed[target] = {"L": [*old["L"], *_value(append[3], request)["L"]]}
            continue
        assign = _known(_ASSIGN.fullmatch(part))
        target = _resolve(assign[1], request)
        if assign[2]:
            changed[target] = _value(assign[2], request)
            continue
        source = item.get(_resolve(assign[3], request))
        if source is None or "N" not in source:
            raise client_error(operation, "ValidationException", 400)
        total = Decimal(source["N"]) + Decimal(_value(assign[4], request)["N"])
        changed[target] = {"N": str(total)}
    for name in update[2].split(", ") if update[2] else []:
        changed.pop(_resolve(name, request), None)
    return changed


def _known(match: re.Match[str] | None) -> re.Match[str]:
    if match is None:
        raise NotImplementedError("an expression that the double does not know: teach it")
    return match


def _resolve(name: str, request: Mapping[str, Any]) -> str:
    return str(request["ExpressionAttributeNames"][name]) if name.startswith("#") else name


def _value(name: str, request: Mapping[str, Any]) -> Any:
    return request["ExpressionAttributeValues"][name]


def _flat(value: Mapping[str, Any]) -> str:
    ((kind, text),) = value.items()
    return f"{kind}:{text}"


def _only(request: Mapping[str, Any], *known: str) -> None:
    if unknown := set(request) - set(known):
        raise NotImplementedError(f"parameters that the double does not know: {sorted(unknown)}")
