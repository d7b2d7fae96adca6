"""Tables of this app that are brought along: keys, indexes and stream are read at synth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_dynamodb as dynamodb

from hitl_approval.contract import Audit, Table

Keys = tuple[tuple[str, str, str], ...]
"""Of a table or an index: (name, type, role) of each."""

_TABLE: Keys = ((Table.PARTITION_KEY, "S", "HASH"),)
_INDEXES: Mapping[str, tuple[Keys, tuple[str, ...]]] = {
    Table.STATUS_INDEX: (
        ((Table.STATUS, "S", "HASH"), (Table.CREATED_AT, "S", "RANGE")),
        Table.LIST_ATTRIBUTES,
    ),
    Table.ATTENTION_INDEX: (
        ((Table.ATTENTION, "S", "HASH"), (Table.ATTENTION_AT, "S", "RANGE")),
        (),
    ),
}
"""Index -> its keys, and the attributes that it must project besides them."""
_AUDIT: Keys = ((Audit.PARTITION_KEY, "S", "HASH"), (Audit.SORT_KEY, "N", "RANGE"))
_WHOLE = "NEW_AND_OLD_IMAGES"
"""The stream whose records hold an event that was written, and what stood there before: without
that, an erasure looks like tampering."""
_LACKS: Mapping[str, str] = {
    "NEW_IMAGE": "by which each erasure would count as tampering",
}


def check_table(table: dynamodb.ITable) -> None:
    """Check an approvals table; one that is imported shows nothing and passes.

    Raises:
        ValueError: other keys, or an index that lacks.
    """
    made = _made(table)
    if made is None:
        return
    fix = "use ApprovalsTable(...), which has them"
    _check_keys(f"table {table.node.path}", made, made, _TABLE, fix)
    found = {index["indexName"]: index for index in made.get("globalSecondaryIndexes") or ()}
    for name, (keys, attributes) in _INDEXES.items():
        what = f"table {table.node.path}, index {name},"
        if name not in found:
            msg = f"{what} does not exist: {fix}, or add it before HitlApproval"
            raise ValueError(msg)
        _check_keys(what, found[name], made, keys, fix)
        projection = found[name]["projection"]
        shown = set(projection.get("nonKeyAttributes") or ())
        if projection["projectionType"] != "ALL" and (lacking := sorted(set(attributes) - shown)):
            msg = f"{what} must project {', '.join(attributes)}, lacks {lacking[0]}: {fix}"
            raise ValueError(msg)


def check_audit_table(table: dynamodb.ITable) -> None:
    """Check an audit table; one that is imported shows nothing and passes.

    Raises:
        ValueError: other keys, or a stream that does not show what an event was and is.
    """
    made = _made(table)
    if made is None:
        return
    what = f"audit_table {table.node.path}"
    _check_keys(what, made, made, _AUDIT, "use AuditTable(...), which has them")
    view = (made.get("streamSpecification") or {}).get("streamViewType")
    if view is not None and view != _WHOLE:
        msg = (
            f"{what} has a stream of {view}, {_LACKS.get(view, 'which lacks new events')}: give it "
            f"stream=StreamViewType.{_WHOLE}"
        )
        raise ValueError(msg)


def _made(table: dynamodb.ITable) -> dict[str, Any] | None:
    """Properties of a table that this app makes; None of one that it imports."""
    made = table.node.default_child
    if not isinstance(made, CfnResource):
        return None
    found: dict[str, Any] = Stack.of(table).resolve(made._cfn_properties)
    return found


def _check_keys(
    what: str, has: Mapping[str, Any], table: Mapping[str, Any], wanted: Keys, fix: str
) -> None:
    types = {each["attributeName"]: each["attributeType"] for each in table["attributeDefinitions"]}
    found = tuple(
        (key["attributeName"], types[key["attributeName"]], key["keyType"])
        for key in has["keySchema"]
    )
    if found != wanted:
        msg = f"{what} must have the keys {_shown(wanted)}, got {_shown(found)}: {fix}"
        raise ValueError(msg)


def _shown(keys: Keys) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind, _ in keys)
