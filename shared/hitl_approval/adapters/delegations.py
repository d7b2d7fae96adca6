"""Delegations on DynamoDB, as items of the approvals table whose keys are no approval's.

`delegation#GIVER` holds the one delegation that counts, `delegate#PERSON` who has given them one:
by it a delegate's are found, and it never counts by itself. Neither has a status, so that no index
shows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code, unavailable
from hitl_approval.adapters.items import errors, marshal, read_item
from hitl_approval.contract import Table
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.text import spelling

KEPT = timedelta(days=30)
"""How long an item outlives its delegation, for who asks what stood."""
_GIVER = "giver "
"""Before a giver's name among the attributes of a delegate's item: no name is one of ours then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDbDelegations:
    """Who answers for whom.

    Attributes:
        client: a DynamoDB client.
        approvals_table: name of the approvals table.
    """

    client: Any
    approvals_table: str

    def put(self, delegation: Delegation) -> None:
        """See `ports.Delegations.put`."""
        before = self.of(delegation.giver)
        giver, to = delegation.giver, delegation.to
        given = {
            "#delegation": "delegation",
            "#giver": "giver",
            "#ttl": Table.TTL,
        }
        writes = [
            self._update(
                _by(giver),
                "SET #delegation = :delegation, #giver = :giver, #ttl = :ttl",
                given,
                {
                    ":delegation": delegation.to_dict(),
                    ":giver": giver,
                    ":ttl": int((delegation.until + KEPT).timestamp()),
                },
            ),
            self._update(
                _to(to),
                "SET #giver = :until",
                {"#giver": _GIVER + spelling(giver)},
                {":until": isoformat(delegation.until)},
            ),
        ]
        if before is not None and spelling(before.to) != spelling(to):
            writes.append(self._forget(before))
        self._transact(writes)

    def end(self, giver: str) -> Delegation | None:
        """See `ports.Delegations.end`."""
        before = self.of(giver)
        if before is not None:
            names = {"#delegation": "delegation"}
            gone = self._update(_by(giver), "REMOVE #delegation", names, {})
            self._transact([gone, self._forget(before)])
        return before

    def of(self, giver: str) -> Delegation | None:
        """See `ports.Delegations.of`."""
        item = self._get(_by(giver))
        return Delegation.from_dict(str(item.get("giver")), item.get("delegation"))

    def to(
        self, name: str, *, after: datetime, givers: Sequence[str] | None = None
    ) -> Sequence[Delegation]:
        """See `ports.Delegations.to`."""
        wanted = None if givers is None else {spelling(each) for each in givers}
        given = [
            attribute.removeprefix(_GIVER)
            for attribute, until in sorted(self._get(_to(name)).items())
            if attribute.startswith(_GIVER) and isinstance(until, str) and until > isoformat(after)
        ]
        found = [self.of(giver) for giver in given if wanted is None or giver in wanted]
        return [one for one in found if one is not None and spelling(one.to) == spelling(name)]

    def _get(self, key: str) -> dict[str, Any]:
        with errors():
            answer = self.client.get_item(
                TableName=self.approvals_table,
                Key=marshal({Table.PARTITION_KEY: key}),
                ConsistentRead=True,
            )
        return read_item(answer.get("Item", {}))

    def _forget(self, delegation: Delegation) -> dict[str, Any]:
        names = {"#giver": _GIVER + spelling(delegation.giver)}
        return self._update(_to(delegation.to), "REMOVE #giver", names, {})

    def _update(
        self, key: str, change: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.approvals_table,
                "Key": marshal({Table.PARTITION_KEY: key}),
                "UpdateExpression": change,
                "ExpressionAttributeNames": dict(names),
                **({"ExpressionAttributeValues": marshal(values)} if values else {}),
            }
        }

    def _transact(self, writes: Sequence[Mapping[str, Any]]) -> None:
        try:
            with errors():
                self.client.transact_write_items(TransactItems=list(writes))
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            # Nothing is conditional: a vote that rests on it is being committed.
            raise unavailable("DynamoDB", error) from error


def still_stands(table: str, delegation: Delegation) -> dict[str, Any]:
    """The part of a transaction by which nothing is written once a delegation has changed."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": marshal({Table.PARTITION_KEY: _by(delegation.giver)}),
            "ConditionExpression": "#delegation = :delegation",
            "ExpressionAttributeNames": {"#delegation": "delegation"},
            "ExpressionAttributeValues": marshal({":delegation": delegation.to_dict()}),
        }
    }


def _by(giver: str) -> str:
    return f"delegation#{spelling(giver)}"


def _to(name: str) -> str:
    return f"delegate#{spelling(name)}"
