"""`hitl audit erase`: a person goes from what has ended, and every trail still verifies."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.delegations import DynamoDbDelegations
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.voting import cast_vote
from hitl_approval.usecases.records import draw_salt
from hitl_approval_cli import clock
from hitl_approval_cli.erasing import Erasing
from tests.anything import NOW, any_opening, any_request, declared
from tests.contract.test_inbox import create_inbox
from tests.contract.test_messages import any_message, create_messages

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_audit import change, remove

PEOPLE = ("ann", "bob")
LATER = NOW + timedelta(days=2)
SUBJECT = "a secret subject"


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days after whatever is asked and decided here."""
    monkeypatch.setattr(clock, "now", lambda: LATER)


@pytest.fixture
def store(tables: DynamoDbStore, cloud: FakeCloud) -> DynamoDbStore:
    """All four tables."""
    create_inbox(tables.client)
    create_messages(tables.client)
    cloud.outputs |= {"InboxTableName": "inbox", "MessagesTableName": "messages"}
    return tables


def asked(store: DynamoDbStore, **fields: Any) -> str:
    """A request of rita's to ann and bob."""
    opening = any_opening(
        request=any_request(approvers=PEOPLE, subject=SUBJECT),
        policy=Policy(quorum=Quorum.at_least(2)),
        **fields,
    )
    return store.create(opening.salted(draw_salt)).approval_id


def decided(store: DynamoDbStore, *, resumed: bool = True, **fields: Any) -> str:
    """The same, approved by both."""
    approval_id = asked(store, **fields)
    for name in PEOPLE:
        approval = store.get(approval_id)
        assert approval is not None
        actor = declared(name)
        vote = cast_vote(approval, actor, "approved", f"{name}'s words", now=approval.created_at)
        assert vote is not None
        store.commit(vote.salted(draw_salt))
    if resumed:
        store.mark_resumed(approval_id)
    return approval_id


def everything(store: DynamoDbStore) -> str:
    """All that stands in all tables."""
    tables = ("approvals", "audit", "inbox", "messages")
    return json.dumps([store.client.scan(TableName=name)["Items"] for name in tables])


def texts(store: DynamoDbStore) -> set[str]:
    """Every text in all tables."""
    return set(everything(store).split('"'))


def test_should_only_show_what_would_go(hitl: Hitl, store: DynamoDbStore) -> None:
    approval_id = decided(store)
    before = everything(store)

    result = hitl("audit", "erase", "ann")

    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines() == [
        approval_id,
        (
            "would be erased from 1 approval: 2 values, 1 record, 0 messages, 0 inbox items, "
            "0 delegations"
        ),
        "Nothing was erased: pass --yes. Nobody can undo it.",
    ]
    assert everything(store) == before


def test_should_erase_a_person_and_nobody_else(hitl: Hitl, store: DynamoDbStore) -> None:
    approval_id, other = decided(store), decided(store)
    approval = store.get(approval_id)
    assert approval is not None
    messages = DynamoDbMessages(client=store.client, table="messages")
    for name in PEOPLE:
        messages.insert(any_message(approval, name), approval)
    inbox = DynamoDbInbox(client=store.client, table="inbox")
    inbox.add(approval, PEOPLE)
    hashes = [event["hash"] for event in store.history(approval_id)]

    answer = hitl("audit", "erase", "ANN", "--yes", "--json").json

    assert set(answer.pop("approvals")) == {approval_id, other}
    assert answer == {
        "erased": True,
        "values": 4,
        "records": 2,
        "messages": 1,
        "inbox_items": 2,
        "delegations": 0,
        "refused": [],
    }
    assert not {"ann", "ann's words"} & texts(store)
    assert SUBJECT not in everything(store)
    events = store.history(approval_id)
    assert [event["hash"] for event in events] == hashes
    assert [event["actor"] for event in events] == ["rita", "[erased]", "bob"]
    assert [event["details"].get("comments") for event in events] == [
        None,
        "[erased]",
        "bob's words",
    ]
    assert [event.get("erased_at") for event in events] == [None, isoformat(LATER), None]
    assert [one.recipient for one in messages.about(approval_id)] == ["bob"]
    assert list(inbox.awaiting("bob", limit=9, cursor=None).items) == []


def test_should_verify_what_is_left_and_say_how_much_is_gone(
    hitl: Hitl, store: DynamoDbStore
) -> None:
    approval_id = decided(store)
    assert hitl("audit", "erase", "ann", "--yes").status == 0

    for words in (["--all"], [approval_id]):
        result = hitl("audit", "verify", *words)
        assert (result.status, result.err) == (0, "")
        assert result.out == "ok 1 approval, 3 events: trails and rows verified; 2 values erased\n"
    assert hitl("audit", "verify", "--all", "--json").json["erased"] == 2
    shown = hitl("history", approval_id)
    assert shown.status == 0
    assert "[erased]" in shown.out
    assert shown.out.splitlines()[-1] == "ok 3 events, chain verified; 2 values erased"
    exported = hitl("audit", "export").out
    assert "ann" not in exported
    assert exported.count('"actor": "[erased]"') == 1
    assert "[erased]" in hitl("audit", "export", "--format", "csv").out


def test_should_erase_a_requester_and_find_nobody_twice(hitl: Hitl, store: DynamoDbStore) -> None:
    decided(store)
    for person in ("rita", "bob", "ann"):
        assert hitl("audit", "erase", person, "--yes").status == 0
        assert hitl("audit", "erase", person, "--json").json["approvals"] == []
    assert hitl("audit", "verify", "--all").status == 0
    assert not {"rita", "ann", "bob"} & texts(store)


def test_should_never_pass_an_alteration_off_as_an_erasure(
    hitl: Hitl, store: DynamoDbStore
) -> None:
    approval_id = decided(store)
    assert hitl("audit", "erase", "ann", "--yes").status == 0
    change(store, approval_id, 2, actor="mallory")
    result = hitl("audit", "verify", "--all")
    assert result.status == 1
    assert f"tampered {approval_id} event 2: has been changed since" in result.out


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (asked, "is open: it is decided, withdrawn or expired first"),
        (lambda s: decided(s, resumed=False), "has ended, and its workflow has not read how"),
        (
            lambda s: decided(s, now=LATER - timedelta(hours=23)),
            "has ended less than a day ago: erase tomorrow",
        ),
    ],
    ids=["open", "unread", "just ended"],
)
def test_should_refuse_what_somebody_may_still_act_on(
    hitl: Hitl, store: DynamoDbStore, make: Any, problem: str
) -> None:
    approval_id = make(store)
    before = everything(store)

    result = hitl("audit", "erase", "ann", "--yes")

    assert result.status == 1
    assert f"refused {approval_id} {problem}" in result.out
    assert everything(store) == before
    done = decided(store)
    assert hitl("audit", "erase", "ann", "--yes", "--json").json["approvals"] == [done]


def test_should_not_take_away_what_shows_tampering(hitl: Hitl, store: DynamoDbStore) -> None:
    for removed in (False, True):
        approval_id = decided(store)
        if removed:
            remove(store, approval_id, 2)
        else:
            change(store, approval_id, 3, actor="ann")
        result = hitl("audit", "erase", "ann", "--yes")
        assert result.status == 1
        assert f"refused {approval_id} does not verify: hitl audit verify" in result.out
        assert store.get(approval_id) is not None


def test_should_go_on_where_it_was_interrupted(
    hitl: Hitl, store: DynamoDbStore, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each write that it makes the process may die: the rest is found the next time."""
    client = store.client
    left = 0

    class Dies:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def _write(self, name: str, wanted: Any) -> Any:
            nonlocal left
            if not left:
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)
            left -= 1
            return getattr(client, name)(**wanted)

        def delete_item(self, **wanted: Any) -> Any:
            return self._write("delete_item", wanted)

        def update_item(self, **wanted: Any) -> Any:
            return self._write("update_item", wanted)

    monkeypatch.setattr(clock, "pause", lambda _: None)
    approval_id = decided(store)
    approval = store.get(approval_id)
    assert approval is not None
    messages = DynamoDbMessages(client=client, table="messages")
    messages.insert(any_message(approval, "bob"), approval)
    for allowed in (0, 1, 1):
        left = allowed
        cloud.clients["dynamodb"] = Dies()
        assert hitl("audit", "erase", "bob", "--yes").status != 0
        cloud.clients["dynamodb"] = client
        assert hitl("audit", "verify", "--all").status == 0
    assert hitl("audit", "erase", "bob", "--yes").status == 0
    assert "bob" not in texts(store)


def test_should_leave_what_has_changed_since_it_was_read(store: DynamoDbStore) -> None:
    """Somebody else erases another person, or the record is opened again by hand."""
    approval_id = decided(store)

    def erasing(person: str) -> Erasing:
        return Erasing(
            client=store.client,
            approvals_table="approvals",
            audit_table="audit",
            inbox_table=None,
            messages_table=None,
            signer=None,
            person=person,
            now=LATER,
        )

    ann, bob = erasing("ann"), erasing("bob")
    (of_ann,), (of_bob,) = ann.find().approvals, bob.find().approvals
    store.client.update_item(
        TableName="approvals",
        Key={"approval_id": {"S": approval_id}},
        UpdateExpression="SET #status = :pending",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":pending": {"S": "pending"}},
    )
    refused = ann.erase(of_ann)
    assert refused is not None
    assert refused.problem == "has changed meanwhile: erase again"
    assert "ann's words" in everything_of(store)
    assert bob.erase(replace(of_bob, row=False)) is None
    again = bob.erase(replace(of_bob, row=False))
    assert again is not None


def everything_of(store: DynamoDbStore) -> str:
    return json.dumps(store.client.scan(TableName="audit")["Items"])


def given(giver: str, to: str, days: int) -> Delegation:
    return Delegation(
        giver=giver,
        to=to,
        starts_at=NOW - timedelta(days=9),
        until=NOW + timedelta(days=days),
        given_by=giver,
        identity="jwt",
        at=NOW,
    )


def test_should_remove_delegations_that_are_over(hitl: Hitl, store: DynamoDbStore) -> None:
    delegations = DynamoDbDelegations(client=store.client, approvals_table="approvals")
    for giver, to in (("ann", "bob"), ("carol", "ann"), ("dave", "bob")):
        delegations.put(given(giver, to, 1))

    assert hitl("audit", "erase", "ann", "--yes", "--json").json["delegations"] == 4

    rows = store.client.scan(TableName="approvals")["Items"]
    assert "ann" not in json.dumps(rows)
    kept = delegations.of("dave")
    assert kept is not None
    assert list(delegations.to("bob", after=NOW)) == [kept]


def test_should_refuse_a_delegation_that_stands(hitl: Hitl, store: DynamoDbStore) -> None:
    delegations = DynamoDbDelegations(client=store.client, approvals_table="approvals")
    delegations.put(given("ann", "bob", 9))
    delegations.put(given("carol", "ann", 9))

    result = hitl("audit", "erase", "ann", "--yes")

    assert result.status == 1
    assert "refused delegation#ann stands until" in result.out
    assert delegations.of("ann") is not None
    assert len(delegations.to("ann", after=NOW)) == 1


def test_should_take_no_status_for_a_person(hitl: Hitl, store: DynamoDbStore) -> None:
    decided(store)
    for word in ("approved", "declared", "at_least", "[erased]", "doc-123"):
        assert hitl("audit", "erase", word, "--json").json["approvals"] == []


def test_should_erase_messages_that_have_outlived_their_approval(
    hitl: Hitl, store: DynamoDbStore
) -> None:
    approval = any_opening().after
    messages = DynamoDbMessages(client=store.client, table="messages")
    messages.insert(any_message(approval, "ann"), approval)
    assert hitl("audit", "erase", "ann", "--yes", "--json").json["messages"] == 1
    assert messages.about(approval.approval_id) == []


def test_should_do_without_a_page_and_a_publisher(hitl: Hitl, tables: DynamoDbStore) -> None:
    approval_id = decided(tables)
    assert hitl("audit", "erase", "bob", "--yes", "--json").json["approvals"] == [approval_id]


def test_should_refuse_nobody(hitl: Hitl) -> None:
    result = hitl("audit", "erase", " ")
    assert result.status == 2
    assert "PERSON: must not be empty" in result.err
