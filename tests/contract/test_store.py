"""One suite for both stores: what a `ports.Store` promises, in memory and on DynamoDB (moto)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.adapters.rows import new_row, read_approval
from hitl_approval.contract import Table
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.ending import expire, follow_rule
from hitl_approval.domain.errors import InvalidRequest, UnreadableRecord, VersionConflict
from hitl_approval.domain.escalation import escalate
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.superseding import supersede
from hitl_approval.domain.thread import comment, thread_of
from hitl_approval.domain.values import Values
from hitl_approval.domain.view import view
from hitl_approval.domain.voting import cast_vote
from hitl_approval.ports.records import Postponed, Store
from hitl_approval.testing import InMemoryStore
from tests.anything import NOW, any_opening, any_request, declared


def create_tables(client: Any) -> None:
    client.create_table(
        TableName="approvals",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "approval_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("approval_id", "status", "created_at", "attention", "attention_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "StatusIndex",
                "KeySchema": [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["subject", "requester", "approvers", "expires_at"],
                },
            },
            {
                "IndexName": "AttentionIndex",
                "KeySchema": [
                    {"AttributeName": "attention", "KeyType": "HASH"},
                    {"AttributeName": "attention_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(Table.ATTENTION_ATTRIBUTES),
                },
            },
        ],
    )
    client.create_table(
        TableName="audit",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "approval_id", "KeyType": "HASH"},
            {"AttributeName": "sequence", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "approval_id", "AttributeType": "S"},
            {"AttributeName": "sequence", "AttributeType": "N"},
        ],
    )


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield InMemoryStore()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")


def vote(approval: Approval, who: str = "bob", decision: Any = "approved") -> Transition:
    transition = cast_vote(approval, declared(who), decision, "why", now=NOW + timedelta(minutes=1))
    assert transition is not None
    return transition


def overdue(store: Store, attention: Any, *, before: Any, limit: int) -> list[str]:
    """All of them, page by page."""
    return [i for page in store.overdue(attention, before=before, limit=limit) for i in page]


def remove_row(store: Store, approval_id: str) -> None:
    """As its time to live does."""
    if isinstance(store, DynamoDbStore):
        store.client.delete_item(TableName="approvals", Key={"approval_id": {"S": approval_id}})
    elif isinstance(store, InMemoryStore):
        del store.approvals[approval_id]


def remove_trail(store: Store, approval_id: str) -> None:
    """As nobody may."""
    if isinstance(store, DynamoDbStore):
        key = {"approval_id": {"S": approval_id}, "sequence": {"N": "1"}}
        store.client.delete_item(TableName="audit", Key=key)
    elif isinstance(store, InMemoryStore):
        del store.audit[approval_id]


def test_should_give_back_what_was_created(store: Store) -> None:
    opening = any_opening(
        request=any_request(
            approvers=["alice", "bob"],
            document_id="doc-1",
            context={"amount": 12.5, "": [None, True, "🚀"]},
        ),
        policy=Policy(quorum=Quorum.everyone(), require_comment_on_rejection=True),
    )

    assert store.create(opening) == opening.after
    assert store.get(opening.after.approval_id) == opening.after
    assert list(store.history(opening.after.approval_id)) == [opening.event.to_dict()]


@pytest.mark.parametrize(
    "rule", [AppliedRule("d"), AppliedRule("d", "big"), AppliedRule("d", "small", "approved")]
)
def test_should_give_back_the_rule_that_a_record_was_asked_under(
    store: Store, rule: AppliedRule
) -> None:
    opening = any_opening(rule=rule)
    store.create(opening)
    assert store.get(opening.after.approval_id) == opening.after
    ended = follow_rule(opening.after, now=NOW)
    if ended is not None:
        store.commit(ended)
        assert store.get(opening.after.approval_id) == ended.after


def test_should_read_no_record_whose_rule_is_none_of_ours(store: Store) -> None:
    if isinstance(store, DynamoDbStore):
        opening = any_opening(rule=AppliedRule("d", "small", "approved"))
        store.create(opening)
        store.client.update_item(
            TableName="approvals",
            Key=marshal({"approval_id": opening.after.approval_id}),
            UpdateExpression="SET #rule = :rule",
            ExpressionAttributeNames={"#rule": "rule"},
            ExpressionAttributeValues=marshal({":rule": {"end": "approved"}}),
        )
        with pytest.raises(UnreadableRecord, match="rule is none that this version writes"):
            store.get(opening.after.approval_id)


def test_should_give_back_the_files_and_what_is_replaced(store: Store) -> None:
    file: FileDigest = {"name": "plan.tfplan", "sha256": "a" * 64, "size": 2**53 - 1}
    opening = any_opening(request=any_request(files=[file], supersedes="approval-0"))
    assert store.create(opening) == store.get(opening.after.approval_id) == opening.after
    assert opening.after.files == (file,)


def replacing(replaced: Approval) -> tuple[Transition, Transition]:
    opening = any_opening(request=any_request(supersedes=replaced.approval_id))
    return opening, supersede(replaced, opening.after, now=NOW)


def test_should_create_a_record_and_end_the_one_that_it_replaces(store: Store) -> None:
    replaced = store.create(any_opening())
    opening, ended = replacing(replaced)

    assert store.create_instead(opening, ended) == opening.after
    assert store.get(replaced.approval_id) == ended.after
    assert ended.after.superseded_by == opening.after.approval_id
    assert [e["event"] for e in store.history(replaced.approval_id)] == ["requested", "cancelled"]
    assert len(store.history(opening.after.approval_id)) == 1

    assert store.create_instead(opening, ended) == opening.after
    assert len(store.history(replaced.approval_id)) == 2


def test_should_write_neither_where_the_replaced_has_changed(store: Store) -> None:
    replaced = store.create(any_opening())
    opening, ended = replacing(replaced)
    store.commit(vote(replaced))

    with pytest.raises(VersionConflict):
        store.create_instead(opening, ended)
    assert store.get(opening.after.approval_id) is None
    assert list(store.history(opening.after.approval_id)) == []
    assert store.get(replaced.approval_id) == vote(replaced).after


def test_should_replace_nothing_under_an_id_that_is_taken(store: Store) -> None:
    replaced, taken = store.create(any_opening()), store.create(any_opening())
    opening = any_opening(
        request=any_request(supersedes=replaced.approval_id), approval_id=taken.approval_id
    )
    assert store.create_instead(opening, supersede(replaced, opening.after, now=NOW)) == taken
    assert store.get(replaced.approval_id) == replaced


def test_should_keep_milliseconds_and_no_part_of_one(store: Store) -> None:
    """Both stores: a test in memory sees the times that are on record in AWS."""
    asked = NOW + timedelta(milliseconds=123, microseconds=456)
    opening = any_opening(now=asked, timeout=timedelta(hours=1, microseconds=700))
    approval = store.create(opening)
    assert approval.created_at == NOW + timedelta(milliseconds=123)
    assert approval.expires_at == NOW + timedelta(hours=1, milliseconds=123)
    assert approval == store.get(approval.approval_id)

    later = timedelta(microseconds=999)
    page = store.list_by_status("pending", limit=9, cursor=None, since=approval.created_at + later)
    assert [row["approval_id"] for row in page.items] == [approval.approval_id]
    assert overdue(store, "pending", before=approval.expires_at + later, limit=9) == []

    decided = cast_vote(approval, declared("bob"), "approved", "", now=asked + later)
    assert decided is not None
    store.commit(decided)
    kept = store.get(approval.approval_id)
    assert kept == decided.after
    assert kept.decided_at == kept.votes[0].at == NOW + timedelta(milliseconds=124)
    assert decided.event.at == kept.decided_at
    assert overdue(store, "decided", before=kept.decided_at + later, limit=9) == []


def test_should_keep_the_first_record_when_two_are_created_under_one_id(store: Store) -> None:
    first = any_opening()
    second = any_opening(approval_id=first.after.approval_id, creation_token="another")

    store.create(first)

    assert store.create(second) == first.after
    assert len(store.history(first.after.approval_id)) == 1


def test_should_commit_the_row_and_its_event_together(store: Store) -> None:
    approval = store.create(any_opening())
    transition = vote(approval)

    store.commit(transition)

    assert store.get(approval.approval_id) == transition.after
    assert store.history(approval.approval_id)[-1] == transition.event.to_dict()


def test_should_keep_the_first_decision_when_two_arrive_together(store: Store) -> None:
    approval = store.create(any_opening())
    approve, reject = vote(approval), vote(approval, "carol", "rejected")

    store.commit(approve)
    with pytest.raises(VersionConflict):
        store.commit(reject)

    assert store.get(approval.approval_id) == approve.after
    assert len(store.history(approval.approval_id)) == 2


def test_should_refuse_a_decision_on_a_version_that_was_registered_since(store: Store) -> None:
    approval = store.create(any_opening())
    store.register_callback(approval.approval_id, "callback-2")

    with pytest.raises(VersionConflict):
        store.commit(vote(approval))

    assert len(store.history(approval.approval_id)) == 1


def test_should_give_a_place_back(store: Store) -> None:
    given = any_opening(request=any_request(approvers=["ann"]))
    store.create(given)
    for giver, to in (("ann", "zoe"), ("zoe", "ann")):
        given = reassign(given.after, declared(giver), giver=giver, to=to, now=NOW)
        store.commit(given)

        assert store.get(given.after.approval_id) == given.after


def test_should_give_back_whose_turn_it_is_and_need_no_attribute_for_the_first(
    store: Store,
) -> None:
    hour = timedelta(hours=1)
    policy = Policy(
        stages=(Stage(["bob"], timeout=hour), Stage(["cid"], timeout=hour)),
        escalation=(Escalate(hour / 4, ["leo"]),),
    )
    opening = any_opening(request=any_request(approvers=["ann"]), policy=policy)
    approval = store.create(opening)
    assert "turn" not in new_row(approval, retention=hour)
    for name in ("ann", "bob"):
        voted = cast_vote(approval, declared(name), "approved", "", now=NOW)
        assert voted is not None
        store.commit(voted)
        approval = voted.after
    step = escalate(approval, now=NOW + hour / 3)
    assert step is not None
    store.commit(step)
    given = reassign(step.after, declared("leo"), giver="leo", to="mia", now=NOW + hour / 2)
    store.commit(given)
    found = store.get(approval.approval_id)
    assert found == given.after
    assert (found.turn.stage, found.turn.passed, found.asked) == (2, (1, 2), ("cid", "mia"))
    assert examine(store.history(approval.approval_id), found) == []


def test_should_write_no_more_to_a_record_that_has_ended(store: Store) -> None:
    approval = store.create(any_opening())
    decided = vote(approval)
    store.commit(decided)

    with pytest.raises(VersionConflict):
        store.commit(with_event(decided.after, "reminded", SYSTEM, NOW, {}))

    assert store.get(approval.approval_id) == decided.after
    assert len(store.history(approval.approval_id)) == 2


def test_should_not_begin_a_second_trail_when_the_row_is_gone(store: Store) -> None:
    first = any_opening()
    store.create(first)
    remove_row(store, first.after.approval_id)

    with pytest.raises(VersionConflict):
        store.create(any_opening(approval_id=first.after.approval_id, creation_token="another"))

    assert list(store.history(first.after.approval_id)) == [first.event.to_dict()]


def test_should_keep_a_record_whose_trail_is_gone(store: Store) -> None:
    first = any_opening()
    store.create(first)
    remove_trail(store, first.after.approval_id)

    second = any_opening(approval_id=first.after.approval_id, creation_token="another")

    assert store.create(second) == first.after
    assert store.get(first.after.approval_id) == first.after
    assert list(store.history(first.after.approval_id)) == []


def test_should_never_create_a_row_by_deciding(store: Store) -> None:
    with pytest.raises(VersionConflict):
        store.commit(vote(any_opening().after))


def test_should_register_on_a_pending_record(store: Store) -> None:
    approval = store.create(any_opening())

    registered = store.register_callback(approval.approval_id, "callback-2")

    assert registered is not None
    assert registered.callback_id == "callback-2"
    assert registered.version == approval.version + 1
    assert store.get(approval.approval_id) == registered


def test_should_leave_a_decided_record_alone_when_registered(store: Store) -> None:
    approval = store.create(any_opening())
    decided = vote(approval)
    store.commit(decided)

    assert store.register_callback(approval.approval_id, "callback-2") == decided.after
    assert store.get(approval.approval_id) == decided.after


def test_should_not_create_a_row_by_registering(store: Store) -> None:
    assert store.register_callback("nobody", "callback-1") is None
    assert store.get("nobody") is None
    assert list(store.history("nobody")) == []


def test_should_give_back_votes_and_the_timeout(store: Store) -> None:
    approval = store.create(any_opening(policy=Policy(quorum=Quorum.at_least(2))))
    store.commit(vote(approval))
    voted = store.get(approval.approval_id)
    assert voted is not None
    ended = expire(voted, now=voted.expires_at)
    assert ended is not None
    store.commit(ended)

    stored = store.get(approval.approval_id)
    assert stored is not None
    assert view(stored) == view(ended.after)
    assert stored == ended.after
    assert [e["event"] for e in store.history(approval.approval_id)] == [
        "requested",
        "voted",
        "timeout",
    ]


def test_should_list_a_status_newest_first_in_pages(store: Store) -> None:
    ids = [store.create(any_opening(now=NOW + timedelta(seconds=n))).approval_id for n in range(5)]
    decided = store.get(ids[2])
    assert decided is not None
    store.commit(vote(decided))

    first = store.list_by_status("pending", limit=3, cursor=None)
    second = store.list_by_status("pending", limit=3, cursor=first.cursor)

    assert [item["approval_id"] for item in first.items] == [ids[4], ids[3], ids[1]]
    assert [item["approval_id"] for item in second.items] == [ids[0]]
    assert second.cursor is None
    assert store.list_by_status("approved", limit=3, cursor=None).items[0]["approval_id"] == ids[2]
    assert "callback_id" not in first.items[0]
    assert "context" not in first.items[0]


def test_should_list_what_was_asked_since(store: Store) -> None:
    ids = [store.create(any_opening(now=NOW + timedelta(seconds=n))).approval_id for n in range(4)]
    since = NOW + timedelta(seconds=2)

    page = store.list_by_status("pending", limit=1, cursor=None, since=since)
    rest = store.list_by_status("pending", limit=9, cursor=page.cursor, since=since)

    assert [item["approval_id"] for item in (*page.items, *rest.items)] == [ids[3], ids[2]]
    everything = store.list_by_status("pending", limit=3, cursor=None)
    later = store.list_by_status(
        "pending", limit=9, cursor=everything.cursor, since=NOW + timedelta(seconds=3)
    )
    assert (list(later.items), later.cursor) == ([], None)


def test_should_refuse_a_cursor_that_no_list_gave(store: Store) -> None:
    with pytest.raises(InvalidRequest, match=r"^cursor: "):
        store.list_by_status("pending", limit=3, cursor="x")


def test_should_find_what_needs_attention_longest_first(store: Store) -> None:
    ids = [store.create(any_opening(now=NOW + timedelta(minutes=n))).approval_id for n in (2, 0, 1)]
    late = NOW + timedelta(days=1)

    assert overdue(store, "pending", before=late, limit=9) == [ids[1], ids[2], ids[0]]
    assert store.count_pending(most=9) == 3
    assert store.count_pending(most=2) == 2
    assert next(store.overdue("pending", before=late, limit=1)) == [ids[1]]
    assert overdue(store, "pending", before=late, limit=1) == [ids[1], ids[2], ids[0]]
    assert overdue(store, "pending", before=NOW + timedelta(hours=1), limit=9) == []
    assert overdue(store, "decided", before=late, limit=9) == []


def test_should_need_attention_until_the_workflow_has_resumed(store: Store) -> None:
    approval = store.create(any_opening())
    decided = vote(approval)
    store.commit(decided)
    late = NOW + timedelta(days=1)

    assert overdue(store, "pending", before=late, limit=9) == []
    assert overdue(store, "decided", before=late, limit=9) == [approval.approval_id]
    assert store.count_pending(most=9) == 0

    for _ in range(2):
        store.mark_resumed(approval.approval_id)
        assert overdue(store, "decided", before=late, limit=9) == []
    assert store.get(approval.approval_id) == replace(decided.after, resumed=True)


def test_should_postpone_what_needs_attention_and_take_it_up_again(store: Store) -> None:
    asked = store.create(any_opening())
    decided = store.create(any_opening())
    store.commit(vote(decided))
    parked = store.create(any_opening())
    late, soon = NOW + timedelta(days=2), NOW + timedelta(days=1)

    store.postpone(
        parked.approval_id, found_on="pending", tries=3, until=None, reason="it cannot be read"
    )
    store.postpone(decided.approval_id, found_on="decided", tries=1, until=late, reason="throttled")
    store.postpone(asked.approval_id, found_on="pending", tries=2, until=soon, reason=None)

    postponed = [
        Postponed(asked.approval_id, True, 2, soon, None),
        Postponed(decided.approval_id, False, 1, late, "throttled"),
        Postponed(parked.approval_id, True, 3, None, "it cannot be read"),
    ]
    assert list(store.postponed()) == postponed
    for attention in ("pending", "decided"):
        assert overdue(store, attention, before=late + timedelta(days=9), limit=9) == []
    assert store.count_pending(most=9) == 0

    assert store.take_up(parked.approval_id, at=NOW)
    taken = replace(postponed[-1], tries=0, until=NOW)
    assert list(store.postponed()) == [taken, *postponed[:-1]]
    store.postpone(decided.approval_id, found_on="postponed", tries=2, until=late, reason=None)
    assert list(store.postponed())[-1].reason is None


def test_should_postpone_only_what_stands_on_the_list_where_it_was_found(store: Store) -> None:
    read = store.create(any_opening())
    store.commit(vote(read))
    store.mark_resumed(read.approval_id)
    for approval_id in (read.approval_id, "nobody"):
        store.postpone(approval_id, found_on="decided", tries=1, until=NOW, reason="late")
        assert not store.take_up(approval_id, at=NOW)
    fresh = store.create(any_opening())
    for elsewhere in ("decided", "postponed"):
        store.postpone(fresh.approval_id, found_on=elsewhere, tries=1, until=NOW, reason="late")
    assert not store.take_up(fresh.approval_id, at=NOW)

    assert list(store.postponed()) == []
    assert store.get("nobody") is None


def test_should_need_no_more_repair_once_it_is_decided_or_read(store: Store) -> None:
    approval = store.create(any_opening())
    store.postpone(approval.approval_id, found_on="pending", tries=4, until=NOW, reason="throttled")
    decided = vote(approval)
    store.commit(decided)
    assert list(store.postponed()) == []
    late = NOW + timedelta(days=1)
    assert overdue(store, "decided", before=late, limit=9) == [approval.approval_id]

    store.postpone(approval.approval_id, found_on="decided", tries=1, until=NOW, reason="throttled")
    store.mark_resumed(approval.approval_id)
    assert list(store.postponed()) == []
    assert store.get(approval.approval_id) == replace(decided.after, resumed=True)


def test_should_not_create_a_row_by_acknowledging(store: Store) -> None:
    store.mark_resumed("nobody")
    assert store.get("nobody") is None


def test_should_keep_the_code_and_the_reminders_over_every_write(store: Store) -> None:
    delays = (timedelta(minutes=5), timedelta(minutes=50))
    request = any_request(approvers=("ann", "bob"))
    opening = any_opening(request=request, challenge="AAAA-AAAA", reminders=delays)
    approval = store.create(opening)
    store.register_callback(approval.approval_id, "callback-2")
    stored = store.get(approval.approval_id)
    assert stored is not None
    store.commit(vote(stored))
    decided = store.get(approval.approval_id)
    assert decided is not None
    assert (decided.challenge, decided.reminders) == ("AAAA-AAAA", delays)


def test_should_count_what_was_said_and_keep_its_texts_in_the_trail_alone(store: Store) -> None:
    approval = store.create(any_opening(request=any_request(approvers=("ann", "bob"))))
    for number, said in enumerate(("Which month?", "Mind the month's end"), start=1):
        stored = store.get(approval.approval_id)
        assert stored is not None
        thread = thread_of(store.history(approval.approval_id))
        transition = comment(stored, declared("bob"), said, thread=thread, now=NOW)
        assert transition is not None
        store.commit(transition)
        stored = store.get(approval.approval_id)
        assert stored is not None
        assert stored.thread_length == number
        approval = stored
    store.commit(vote(approval))
    decided = store.get(approval.approval_id)
    assert decided is not None
    assert (decided.status, decided.thread_length) == ("approved", 2)
    assert [c.text for c in thread_of(store.history(approval.approval_id))] == [
        "Which month?", "Mind the month's end",
    ]  # fmt: skip


def test_should_write_no_more_to_a_row_about_which_nothing_was_said() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        tables = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
        approval = tables.create(any_opening(request=any_request(approvers=("ann", "bob"))))
        tables.commit(vote(approval))
        key = {"approval_id": {"S": approval.approval_id}}
        assert "thread_length" not in client.get_item(TableName="approvals", Key=key)["Item"]


def test_should_give_no_events_of_what_never_was(store: Store) -> None:
    assert store.history("nobody") == []


DAMAGES: dict[str, Any] = {
    "policy": {"quorum": "weighted"},
    "status": "escalated",
    "subject": 5,
    "context": b"\x00",
    "approvers": None,
    "votes": [{"approver": "bob"}],
    "expires_at": "soon",
    "requester": {"name": "rita"},
}


@pytest.fixture
def damaged() -> Iterator[DynamoDbStore]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")


def damage(store: DynamoDbStore, approval_id: str, field: str, value: Any) -> None:
    store.client.update_item(
        TableName="approvals",
        Key={"approval_id": {"S": approval_id}},
        UpdateExpression="SET #field = :value",
        ExpressionAttributeNames={"#field": field},
        ExpressionAttributeValues=marshal({":value": value}),
    )


@pytest.mark.parametrize("field", DAMAGES)
def test_should_say_of_a_row_that_it_cannot_be_read(damaged: DynamoDbStore, field: str) -> None:
    approval = damaged.create(any_opening())
    damage(damaged, approval.approval_id, field, DAMAGES[field])
    with pytest.raises(UnreadableRecord) as raised:
        damaged.get(approval.approval_id)
    assert raised.value.code == "RECORD_UNREADABLE"
    with pytest.raises(UnreadableRecord):
        damaged.register_callback(approval.approval_id, "callback-2")


@pytest.mark.parametrize(
    ("field", "value"),
    [("attention_at", "soon"), ("attention_tries", "x"), ("attention_reason", 5), ("status", "x")],
)
def test_should_list_what_is_postponed_whoever_wrote_it(
    damaged: DynamoDbStore, field: str, value: Any
) -> None:
    approval_id = damaged.create(any_opening()).approval_id
    damaged.postpone(approval_id, found_on="pending", tries=1, until=NOW, reason="late")
    damage(damaged, approval_id, field, value)
    assert [one.approval_id for one in damaged.postponed()] == [approval_id]


def test_should_list_a_row_that_cannot_be_read_by_its_id(damaged: DynamoDbStore) -> None:
    good, bad = (damaged.create(any_opening()).approval_id for _ in range(2))
    for field in ("subject", "requester", "expires_at"):
        damage(damaged, bad, field, DAMAGES[field])
        page = damaged.list_by_status("pending", limit=9, cursor=None)
        shown = {item["approval_id"]: item for item in page.items}
        assert shown[bad]["subject"].startswith("(this record cannot be read")
        assert shown[good]["requester"] == "rita"
        json.dumps(list(page.items))


def test_should_read_whatever_somebody_has_put_into_the_audit_table(damaged: DynamoDbStore) -> None:
    foreign = {"blob": b"\x00", "half": Decimal("1.5"), "tags": {"b", "a"}, "none": None}
    key = {"approval_id": "a", "sequence": 1}
    damaged.client.put_item(TableName="audit", Item=marshal(key | foreign))
    read = {"blob": {"B": "AA=="}, "half": 1.5, "tags": ["a", "b"], "none": None}
    assert damaged.history("a") == [key | read]


def test_should_keep_what_was_filled_in_and_changed(store: Store) -> None:
    form = {"type": "object", "properties": {"cost": {"type": "number"}, "why": {"type": "string"}}}
    context = {"rate": 1.0, "to": {"name": "Ann"}, "amount": 100}
    request = any_request(
        approvers=("ann", "bob"), form=form, editable=["rate", "to.name"], context=context
    )
    opening = any_opening(request=request, policy=Policy(quorum=Quorum.everyone()))
    approval = store.create(opening)
    for name, values in (
        ("bob", Values({"cost": 2})),
        ("ann", Values({"cost": 0.1, "why": "é"}, {"rate": 2.5, "to.name": "Cid"})),
        ("bob", Values({"cost": 12.0})),
    ):
        transition = cast_vote(
            approval,
            declared(name),
            "approved",
            "",
            now=NOW + timedelta(minutes=1),
            content_digest=approval.content_digest,
            values=values,
        )
        assert transition is not None
        store.commit(transition)
        approval = transition.after
        assert store.get(approval.approval_id) == approval
    events = store.history(approval.approval_id)
    assert json.loads(approval.context) == {"rate": 2.5, "to": {"name": "Cid"}, "amount": 100}
    assert [vote.input for vote in approval.votes] == [{"cost": 0.1, "why": "é"}, {"cost": 12}]
    assert examine(events, store.get(approval.approval_id)) == []


@pytest.mark.parametrize("form", ["{", "[]", '{"type": "object"}', 7])
def test_should_name_a_form_that_cannot_be_read(form: Any) -> None:
    row = new_row(any_opening().after, retention=timedelta(days=1)) | {"form": form}
    with pytest.raises(UnreadableRecord):
        read_approval(row)
