"""One suite for all delegations: in memory, on DynamoDB (moto) and on the simulator's double."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.delegations import DynamoDbDelegations
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.errors import VersionConflict
from hitl_approval.domain.voting import cast_vote
from hitl_approval.ports.records import Delegations, Store
from hitl_approval.testing import InMemoryStore
from tests.anything import NOW, any_opening, any_request
from tests.contract.test_store import create_tables
from tests.faults.dynamodb import APPROVALS, AUDIT, DynamoDb
from tests.unit.domain.test_delegation import UNTIL, given


class Double:
    """The client's methods that delegations and the store call, on the simulator's double."""

    def __init__(self) -> None:
        self.database = DynamoDb({"approvals": APPROVALS, "audit": AUDIT})
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        operation = "".join(map(str.capitalize, name.split("_")))

        def call(**request: Any) -> Any:
            self.calls += 1
            return self.database.call(operation, request, f"token-{self.calls}")

        return call


@dataclass
class Kept:
    """Delegations, and the store that votes rest on them in."""

    delegations: Delegations
    store: Store


@pytest.fixture(params=["memory", "dynamodb", "double"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        memory = InMemoryStore()
        yield Kept(memory.delegations, memory)
        return
    if request.param == "double":
        yield _on(Double())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield _on(client)


def _on(client: Any) -> Kept:
    return Kept(
        DynamoDbDelegations(client=client, approvals_table="approvals"),
        DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit"),
    )


def to(kept: Kept, name: str, **options: Any) -> list[Delegation]:
    return list(kept.delegations.to(name, after=NOW, **options))


def test_should_give_back_what_was_said_last(kept: Kept) -> None:
    assert kept.delegations.of("ann") is None
    assert to(kept, "bob") == []
    kept.delegations.put(given())
    assert kept.delegations.of("Ann") == given()
    assert to(kept, "BOB") == [given()]
    longer = given(until=UNTIL + timedelta(days=1))
    kept.delegations.put(longer)
    assert to(kept, "bob") == [longer]


def test_should_hold_one_of_each_giver(kept: Kept) -> None:
    kept.delegations.put(given())
    kept.delegations.put(given(to="cid"))
    assert to(kept, "bob") == []
    assert to(kept, "cid") == [given(to="cid")]


def test_should_find_all_that_were_given_to_one_person(kept: Kept) -> None:
    kept.delegations.put(given())
    kept.delegations.put(given("eve"))
    kept.delegations.put(given("dan", until=NOW))
    assert to(kept, "bob") == [given(), given("eve")]
    assert to(kept, "bob", givers=["eve", "fay"]) == [given("eve")]


def test_should_forget_what_has_ended(kept: Kept) -> None:
    assert kept.delegations.end("ann") is None
    kept.delegations.put(given())
    assert kept.delegations.end("ann") == given()
    assert kept.delegations.of("ann") is None
    assert to(kept, "bob") == []


@pytest.mark.parametrize("name", ["status", "created_at", "attention", "ttl", "approval_id"])
def test_should_take_names_that_are_attributes_of_a_row(kept: Kept, name: str) -> None:
    kept.delegations.put(given(name, name * 2))
    assert to(kept, name * 2) == [given(name, name * 2)]
    for status in STATUSES:
        assert kept.store.list_by_status(status, limit=10, cursor=None).items == []
    assert [*kept.store.postponed()] == []
    assert [*next(kept.store.overdue("pending", before=UNTIL, limit=10))] == []


def vote_of_bob(kept: Kept) -> Any:
    approval = kept.store.create(any_opening(request=any_request(approvers=["ann"])))
    kept.delegations.put(given())
    known = kept.delegations.to("bob", after=NOW, givers=approval.asked)
    bob = Actor("bob", "jwt")
    cast = cast_vote(
        approval, bob, "approved", "", now=NOW + timedelta(minutes=1), delegations=known
    )
    assert cast is not None
    return cast


def test_should_commit_a_vote_whose_delegation_stands(kept: Kept) -> None:
    cast = vote_of_bob(kept)
    kept.store.commit(cast)
    assert kept.store.get(cast.after.approval_id) == cast.after


@pytest.mark.parametrize("change", ["ended", "shortened", "given to another"])
def test_should_not_commit_a_vote_whose_delegation_has_changed(kept: Kept, change: str) -> None:
    cast = vote_of_bob(kept)
    if change == "ended":
        kept.delegations.end("ann")
    else:
        shorter = NOW + timedelta(seconds=30)
        changed = given(until=shorter) if change == "shortened" else given(to="cid")
        kept.delegations.put(replace(changed, at=NOW))
    with pytest.raises(VersionConflict):
        kept.store.commit(cast)
    found = kept.store.get(cast.after.approval_id)
    assert found is not None
    assert found.pending
    assert len(kept.store.history(found.approval_id)) == 1
