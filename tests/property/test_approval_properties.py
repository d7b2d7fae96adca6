"""Properties that hold for every sequence of answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain.approval import Approval, derive_approval_id
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.text import canonical_json, line, person_key, sns_subject
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_opening, any_request, declared

WORDS = st.text(alphabet=st.characters(codec="ascii", exclude_characters="#"), min_size=1)


@given(st.lists(st.tuples(WORDS, WORDS), unique=True, max_size=20))
def test_unique_approval_identifiers(pairs: list[tuple[str, str]]) -> None:
    ids = [derive_approval_id(arn, key) for arn, key in pairs]
    assert len(set(ids)) == len(pairs)
    assert ids == [derive_approval_id(arn, key) for arn, key in pairs]  # a replay derives the same


PEOPLE = st.sampled_from(["alice", "Alice", "bob", "carol", "rita", "mallory"])
VOTES = st.tuples(st.just("vote"), PEOPLE, st.sampled_from(["approved", "approved", "rejected"]))
ACTIONS = st.one_of(  # mostly votes: all else soon ends it
    *[VOTES] * 6,
    st.tuples(st.just("cancel"), PEOPLE, st.just("")),
    st.tuples(st.just("expire"), st.just(""), st.just("")),
    st.tuples(st.just("wait"), st.just(""), st.just("")),
)
QUORUMS = st.sampled_from([Quorum.any_one(), Quorum.at_least(2), Quorum.everyone()])


@settings(max_examples=500, deadline=None)  # no time is asserted
@given(st.lists(ACTIONS, max_size=12), QUORUMS)
def test_should_follow_one_state_machine_whatever_comes(
    actions: list[tuple[str, str, str]], quorum: Quorum
) -> None:
    approvers = ["alice", "bob", "carol"]
    approval = any_approval(
        request=any_request(approvers=approvers), policy=Policy(quorum=quorum), now=NOW
    )
    now, events = NOW, ["requested"]
    for kind, who, decision in actions:
        now += timedelta(minutes=25 if kind == "wait" else 1)
        before = approval
        transition = _act(approval, kind, who, decision, now)
        if transition is None:
            continue
        assert before.pending, "nothing leaves a terminal status"
        assert transition.event.previous_hash == before.audit_hash
        assert transition.event.sequence == before.audit_sequence + 1
        assert transition.after.version == before.version + 1
        approval = transition.after
        events.append(transition.event.event)

    people = {person_key(v.approver) for v in approval.votes}
    assert people <= set(approvers)
    if approval.status == "approved":
        assert all(v.decision == "approved" for v in approval.votes)
        assert len(people) >= quorum.needed(approvers)
    if not approval.pending:
        assert events[-1] == approval.status
        assert approval.decided_by
        assert approval.decided_at
    assert sum(e in {"approved", "rejected", "timeout", "cancelled"} for e in events) <= 1


def _act(approval: Approval, kind: str, who: str, decision: Any, now: Any) -> Any:
    try:
        if kind == "vote":
            return cast_vote(approval, declared(who), decision, "", now=now)
        if kind == "cancel":
            return cancel(approval, declared(who), "", now=now)
        return expire(approval, now=now) if kind == "expire" else None
    except ApprovalError:
        return None


@given(st.text())
def test_should_make_every_text_a_subject_that_sns_takes(text: str) -> None:
    subject = sns_subject(text)
    assert 0 < len(subject) < 100
    assert all(" " <= character <= "~" for character in subject)
    assert subject == subject.strip()


@given(st.text(st.characters(codec="utf-8", categories=None), max_size=50) | st.text(max_size=1200))
def test_should_accept_only_lines_that_can_be_stored_and_shown(text: str) -> None:
    try:
        accepted = line(text, "field")
    except InvalidRequest:
        return
    assert accepted.encode()
    assert len(accepted.splitlines()) == 1
    assert 0 < len(accepted) <= 1_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_should_spell_equal_values_equally(value: dict[str, Any]) -> None:
    shuffled = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(shuffled)


@given(st.sampled_from(["event", "at", "actor", "details", "content_digest", "previous_hash"]))
def test_should_change_the_hash_when_any_part_of_an_event_changes(field: str) -> None:
    event = any_opening().event
    changed: Any = {
        "event": "approved",
        "at": event.at + timedelta(milliseconds=1),
        "actor": declared("mallory"),
        "details": {"expires_at": "never"},
        "content_digest": "0" * 64,
        "previous_hash": "f" * 64,
    }[field]
    assert replace(event, **{field: changed}).hash != event.hash
