"""A table that is brought along is one that the functions can work with, as far as synth sees."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb

from hitl_approval_cdk import ApprovalsTable, AuditTable, HitlApproval
from tests.infra.synth import any_stack, template

NUMBER, STRING = dynamodb.AttributeType.NUMBER, dynamodb.AttributeType.STRING
KEYS_ONLY = dynamodb.StreamViewType.KEYS_ONLY


def attribute(name: str, kind: dynamodb.AttributeType = STRING) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)


def other_key(stack: Stack) -> dynamodb.ITable:
    return dynamodb.Table(stack, "T", partition_key=attribute("id"))


def no_index(stack: Stack) -> dynamodb.ITable:
    return dynamodb.TableV2(stack, "T", partition_key=attribute("approval_id"))


def indexed(stack: Stack, sort_key: str, projected: dynamodb.ProjectionType) -> dynamodb.ITable:
    table = dynamodb.Table(stack, "T", partition_key=attribute("approval_id"))
    table.add_global_secondary_index(
        index_name="StatusIndex",
        partition_key=attribute("status"),
        sort_key=attribute(sort_key),
        projection_type=projected,
    )
    return table


TABLES: dict[str, tuple[Callable[[Stack], dynamodb.ITable], str]] = {
    "another key": (
        other_key,
        "table Embedding/T must have the keys approval_id (S), got id (S): use ApprovalsTable",
    ),
    "no index": (
        no_index,
        (
            "table Embedding/T, index StatusIndex, does not exist: use ApprovalsTable(...), which "
            "has them, or add it before HitlApproval"
        ),
    ),
    "another index": (
        lambda stack: indexed(stack, "updated_at", dynamodb.ProjectionType.ALL),
        (
            "table Embedding/T, index StatusIndex, must have the keys status (S), created_at (S), "
            "got status (S), updated_at (S): use"
        ),
    ),
    "an index of keys only": (
        lambda stack: indexed(stack, "created_at", dynamodb.ProjectionType.KEYS_ONLY),
        "table Embedding/T, index StatusIndex, must project subject, document_id,",
    ),
    "one index of two": (
        lambda stack: indexed(stack, "created_at", dynamodb.ProjectionType.ALL),
        "table Embedding/T, index AttentionIndex, does not exist",
    ),
}


@pytest.mark.parametrize("case", list(TABLES))
def test_should_refuse_a_table_with_other_keys_or_indexes(case: str) -> None:
    make, message = TABLES[case]
    stack = any_stack()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        HitlApproval(stack, "Approval", table=make(stack))


AUDITS: dict[str, tuple[Callable[[Stack], dynamodb.ITable], str]] = {
    "no sort key": (
        lambda stack: dynamodb.Table(stack, "T", partition_key=attribute("approval_id")),
        (
            "audit_table Embedding/T must have the keys approval_id (S), sequence (N), got "
            "approval_id (S): use AuditTable"
        ),
    ),
    "a sequence that is text": (
        lambda stack: dynamodb.Table(
            stack, "T", partition_key=attribute("approval_id"), sort_key=attribute("sequence")
        ),
        "audit_table Embedding/T must have the keys approval_id (S), sequence (N), got approval_id",
    ),
    "a stream of keys": (
        lambda stack: dynamodb.Table(
            stack,
            "T",
            partition_key=attribute("approval_id"),
            sort_key=attribute("sequence", NUMBER),
            stream=KEYS_ONLY,
        ),
        (
            "audit_table Embedding/T has a stream of KEYS_ONLY, which lacks new events: give it "
            "stream=StreamViewType.NEW_AND_OLD_IMAGES"
        ),
    ),
    "a stream of new images": (
        lambda stack: dynamodb.Table(
            stack,
            "T",
            partition_key=attribute("approval_id"),
            sort_key=attribute("sequence", NUMBER),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
        ),
        (
            "audit_table Embedding/T has a stream of NEW_IMAGE, by which each erasure would count "
            "as tampering: give it stream=StreamViewType.NEW_AND_OLD_IMAGES"
        ),
    ),
}


@pytest.mark.parametrize("case", list(AUDITS))
def test_should_refuse_an_audit_table_whose_events_nobody_could_read(case: str) -> None:
    make, message = AUDITS[case]
    stack = any_stack()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        HitlApproval(stack, "Approval", audit_table=make(stack))


@pytest.mark.parametrize("second", [True, False], ids=["TableV2", "Table"])
def test_should_take_a_table_that_has_what_is_needed(second: bool) -> None:
    stack = any_stack()
    table: dynamodb.ITable = ApprovalsTable(stack, "Approvals")
    audit: dynamodb.ITable = AuditTable(stack, "Audit")
    if second:
        table = dynamodb.TableV2(
            stack,
            "T",
            partition_key=attribute("approval_id"),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=name,
                    partition_key=attribute(partition),
                    sort_key=attribute(sort),
                )
                for name, partition, sort in (
                    ("StatusIndex", "status", "created_at"),
                    ("AttentionIndex", "attention", "attention_at"),
                )
            ],
        )
        audit = dynamodb.TableV2(
            stack,
            "A",
            partition_key=attribute("approval_id"),
            sort_key=attribute("sequence", NUMBER),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
    HitlApproval(stack, "Approval", table=table, audit_table=audit)
    template(stack)
