"""DynamoDB's errors: what may be tried again, what has changed; see also tests/contract."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
)

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.errors import Unavailable, VersionConflict
from tests.anything import any_opening
from tests.unit.adapters.failing import LATER, Failing, answered


@pytest.mark.parametrize("error", LATER, ids=repr)
def test_should_say_that_the_table_may_answer_later(error: Exception) -> None:
    store = DynamoDbStore(client=Failing(error), approvals_table="a", audit_table="b")
    with pytest.raises(Unavailable) as unavailable:
        store.get("any")
    assert "secret" not in str(unavailable.value.to_dict())


def test_should_read_what_was_written_last() -> None:
    asked: list[dict[str, Any]] = []

    class Recording:
        def get_item(self, **request: Any) -> dict[str, Any]:
            asked.append(request)
            return {}

        def query(self, **request: Any) -> dict[str, Any]:
            asked.append(request)
            return {"Items": []}

    store = DynamoDbStore(client=Recording(), approvals_table="a", audit_table="b")
    store.get("any")
    store.history("any")

    assert [request["ConsistentRead"] for request in asked] == [True, True]


def test_should_not_hide_a_fault_of_ours() -> None:
    store = DynamoDbStore(
        client=Failing(answered("ValidationException")), approvals_table="a", audit_table="b"
    )
    with pytest.raises(ClientError):
        store.get("any")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["ConditionalCheckFailed", "None"], VersionConflict),
        (["None", "ConditionalCheckFailed"], VersionConflict),
        (["TransactionConflict", "None"], VersionConflict),
        (["None", "TransactionConflict"], VersionConflict),
        (["ThrottlingError", "None"], Unavailable),
        (["None", "ProvisionedThroughputExceeded"], Unavailable),
        (["ValidationError", "None"], ClientError),
    ],
)
def test_should_read_why_a_transaction_was_cancelled(
    codes: list[str], expected: type[Exception]
) -> None:
    reasons = [{"Code": code} for code in codes]
    error = answered("TransactionCanceledException", CancellationReasons=reasons)
    store = DynamoDbStore(client=Failing(error), approvals_table="a", audit_table="b")
    with pytest.raises(expected):
        store.commit(any_opening())
