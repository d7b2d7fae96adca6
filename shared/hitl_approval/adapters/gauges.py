"""What is read of the approvals table only to be measured: times in its two indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hitl_approval.adapters.items import errors, marshal, read_item
from hitl_approval.contract import Table
from hitl_approval.domain.audit import parse_time
from hitl_approval.ports.records import Attention


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDbGauges:
    """Queries of the two indexes, as they have it by now.

    Attributes:
        client: a DynamoDB client.
        approvals_table: name of the approvals table.
    """

    client: Any
    approvals_table: str

    def attention_since(self, attention: Attention) -> datetime | None:
        """See `ports.Gauges.attention_since`."""
        return self._first_time(
            Table.ATTENTION_INDEX, (Table.ATTENTION, attention), Table.ATTENTION_AT
        )

    def pending_since(self, rank: int) -> datetime | None:
        """See `ports.Gauges.pending_since`."""
        start: dict[str, Any] = {}
        while rank > 0:  # passed over by counting: their items are not sent
            answer = self._query(
                Table.STATUS_INDEX,
                (Table.STATUS, "pending"),
                Select="COUNT",
                Limit=rank,
                **start,
            )
            rank -= int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return None
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return self._first_time(
            Table.STATUS_INDEX, (Table.STATUS, "pending"), Table.CREATED_AT, **start
        )

    def _first_time(
        self, index: str, partition: tuple[str, str], time: str, **start: Any
    ) -> datetime | None:
        items = self._query(index, partition, Limit=1, **start)["Items"]
        return parse_time(str(read_item(items[0])[time])) if items else None

    def _query(self, index: str, partition: tuple[str, str], **more: Any) -> Mapping[str, Any]:
        key, value = partition
        with errors():
            answer: Mapping[str, Any] = self.client.query(
                TableName=self.approvals_table,
                IndexName=index,
                KeyConditionExpression="#key = :value",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues=marshal({":value": value}),
                **more,
            )
        return answer
