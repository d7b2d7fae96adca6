"""Standing in: both names on record, one person for the quorum, never the requester's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delegation import LONGEST, Delegation, delegate, stand_in
from hitl_approval.domain.errors import AlreadyDecided, ApprovalError, Forbidden, InvalidRequest
from hitl_approval.domain.escalation import escalate
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.reminder import remind
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.standing import end_in_words, how_it_ended, standing
from hitl_approval.domain.view import vote_view
from hitl_approval.domain.voting import cast_vote, may_still_answer, retract, tally
from tests.anything import NOW, any_approval, any_opening, any_request, declared

SOON = NOW + timedelta(minutes=1)
UNTIL = NOW + timedelta(days=14)


def given(giver: str = "ann", to: str = "bob", **fields: Any) -> Delegation:
    values: dict[str, Any] = {
        "giver": giver,
        "to": to,
        "starts_at": NOW,
        "until": UNTIL,
        "given_by": giver,
        "identity": "jwt",
        "at": NOW,
    }
    return Delegation(**values | fields)


def asked(*names: str, policy: Policy | None = None, **fields: Any) -> Approval:
    return any_approval(request=any_request(approvers=list(names), **fields), policy=policy)


def vote(
    approval: Approval,
    who: str | Actor,
    *delegations: Delegation,
    decision: Any = "approved",
    now: datetime = SOON,
) -> Approval:
    actor = declared(who) if isinstance(who, str) else who
    cast = cast_vote(approval, actor, decision, "", now=now, delegations=delegations)
    assert cast is not None
    return cast.after


TWO = Policy(quorum=Quorum.at_least(2))


class TestGiving:
    def give(self, by: str = "ann", **fields: Any) -> Delegation:
        values = {"giver": "ann", "to": "bob", "starts_at": None, "until": UNTIL, "now": NOW}
        return delegate(Actor(by, "iam"), **values | fields)

    def test_should_note_who_said_so_and_how_we_know(self) -> None:
        one = self.give()
        assert (one.given_by, one.identity, one.at, one.starts_at) == ("ann", "iam", NOW, NOW)

    def test_should_let_an_operator_say_it_for_others(self) -> None:
        assert self.give("ops", operators=("ops",)).given_by == "ops"

    @pytest.mark.parametrize(
        ("by", "fields", "error"),
        [
            ("bob", {}, Forbidden),
            ("Ann\u200b", {}, Forbidden),
            ("ops", {"operators": ("ops",), "to": "ops"}, Forbidden),
            ("ann", {"to": "Ann\u200b"}, InvalidRequest),
            ("ann", {"until": NOW}, InvalidRequest),
            ("ann", {"starts_at": UNTIL}, InvalidRequest),
            ("ann", {"until": NOW + LONGEST + timedelta(minutes=1)}, InvalidRequest),
        ],
    )
    def test_should_refuse(
        self, by: str, fields: dict[str, Any], error: type[ApprovalError]
    ) -> None:
        with pytest.raises(error):
            self.give(by, **fields)

    def test_should_count_from_its_first_moment_until_before_its_last(self) -> None:
        one = given()
        moments = (NOW - timedelta(milliseconds=1), NOW, UNTIL - timedelta(milliseconds=1), UNTIL)
        assert [one.is_active(moment) for moment in moments] == [False, True, True, False]

    def test_should_be_read_back_as_it_was_written_and_as_nothing_else(self) -> None:
        one = given()
        assert Delegation.from_dict("ann", one.to_dict()) == one
        for name in one.to_dict():
            without = {key: value for key, value in one.to_dict().items() if key != name}
            for wrong in (without, without | {name: 7}, without | {name: None}):
                assert Delegation.from_dict("ann", wrong) is None
        assert Delegation.from_dict("ann", one.to_dict() | {"until": "2026-01-02T03:04:05"}) is None
        assert Delegation.from_dict("ann", one.to_dict() | {"identity": "hearsay"}) is None
        assert Delegation.from_dict("ann", None) is None


STAGES = Policy(stages=(Stage(["bob"]),))
SELF = Policy(allow_self_approval=True)
VERIFIED = Policy(require_verified_identity=True)
ANN = any_request(approvers=["ann"])
ENDS = AppliedRule("any", "small", "approved")


@pytest.mark.parametrize(
    ("who", "approval", "delegations", "now", "place"),
    [
        ("bob", asked("ann"), [given()], SOON, "ann"),
        ("BOB", asked("Ann"), [given()], SOON, "Ann"),
        ("bob", asked("ann"), [], SOON, None),
        ("bob", asked("ann"), [given()], UNTIL, None),
        ("bob", asked("ann"), [given(starts_at=UNTIL)], SOON, None),
        ("cid", asked("ann"), [given()], SOON, None),
        ("bob\u200b", asked("ann"), [given()], SOON, None),
        ("bob", asked("ann\u200b"), [given()], SOON, None),
        ("bob", asked("dan"), [given()], SOON, None),
        # Whoever is asked answers for themselves.
        ("bob", asked("ann", "bob"), [given()], SOON, None),
        ("bob\u200b", asked("ann", "bob"), [given(to="bob\u200b")], SOON, None),
        ("bob", asked("ann", policy=STAGES), [given()], SOON, None),
        # No cascade: bob's own delegate is not ann's.
        ("cid", asked("ann"), [given(), given("bob", "cid")], SOON, None),
        # Never the requester's, nor by the requester.
        ("bob", asked("ann", policy=SELF, requester="ann"), [given()], SOON, None),
        ("bob", asked("ann", policy=SELF, requester="bob"), [given()], SOON, None),
        ("bob", asked("ann", "cid", requester="Ann\u200b", policy=SELF), [given()], SOON, None),
        # Nobody answers what a rule decides.
        ("bob", replace(asked("ann"), rule=ENDS), [given()], SOON, None),
        ("bob", replace(asked("ann"), rule=replace(ENDS, end=None)), [given()], SOON, "ann"),
        # Several: who was asked first.
        ("bob", asked("cid", "ann"), [given(), given("cid")], SOON, "cid"),
        # Only by a verified word, where the request takes no other.
        ("bob", asked("ann", policy=VERIFIED), [given(identity="declared")], SOON, None),
        ("bob", asked("ann", policy=VERIFIED), [given()], SOON, "ann"),
        # Where anyone may answer nobody needs to stand in.
        ("bob", asked(), [given()], SOON, None),
    ],
)
def test_should_stand_in(
    who: str, approval: Approval, delegations: list[Delegation], now: datetime, place: str | None
) -> None:
    found = stand_in(approval, declared(who), delegations, now=now)
    assert (found and found.giver) == place


class TestAnswering:
    def test_should_put_both_names_on_record_and_the_delegation_in_the_trail(self) -> None:
        opening = any_opening(request=ANN)
        cast = cast_vote(
            opening.after, declared("bob"), "approved", "", now=SOON, delegations=[given()]
        )
        assert cast is not None
        after = cast.after
        assert (after.status, after.decided_by) == ("approved", "bob")
        assert vote_view(after.votes[0])["on_behalf_of"] == "ann"
        assert cast.event.details["on_behalf_of"] == "ann"
        assert cast.event.details["delegation"] == given().to_dict()
        assert cast.delegation == given()
        assert how_it_ended(after) == "Approved by bob for ann"
        assert end_in_words(after) == "was approved by bob for ann."
        assert examine([opening.entry, cast.entry], after) == []
        forged = replace(after, votes=(replace(after.votes[0], on_behalf_of="cid"),))
        assert examine([opening.entry, cast.entry], forged) != []

    def test_should_leave_nothing_of_it_on_a_vote_of_ones_own(self) -> None:
        cast = cast_vote(
            asked("ann"), declared("ann"), "approved", "", now=SOON, delegations=[given()]
        )
        assert cast is not None
        assert cast.delegation is None
        assert set(cast.event.details) == {"decision", "comments"}
        assert "on_behalf_of" not in vote_view(cast.after.votes[0])

    def test_should_count_one_person_for_the_quorum(self) -> None:
        once = vote(asked("ann", "cid", policy=TWO), "bob", given())
        assert once.pending
        assert may_still_answer(once) == ("cid",)
        with pytest.raises(AlreadyDecided, match="bob has already approved for ann"):
            vote(once, "ann")
        with pytest.raises(AlreadyDecided, match="bob has already approved for ann"):
            vote(once, "dan", given(to="dan"))
        assert vote(once, "cid").status == "approved"

    def test_should_answer_once_whoever_else_it_could_be_for(self) -> None:
        once = vote(asked("ann", "cid", policy=TWO), "bob", given())
        again = cast_vote(
            once, declared("bob"), "approved", "", now=SOON, delegations=[given("cid")]
        )
        assert again is None
        with pytest.raises(AlreadyDecided):
            vote(once, "bob", given("cid"), decision="rejected")
        with pytest.raises(AlreadyDecided):
            vote(once, "Bob\u200b", given("cid", "Bob\u200b"))

    def test_should_find_the_place_answered_where_its_owner_was_quicker(self) -> None:
        once = vote(asked("ann", "cid", policy=TWO), "ann")
        with pytest.raises(AlreadyDecided, match="ann has already approved this request"):
            vote(once, "bob", given())
        assert vote(once, "bob", given(), given("cid")).status == "approved"

    def test_should_count_in_the_place_of_a_group(self) -> None:
        quorum = Quorum.of({"finance": 1, "security": 1})
        groups = {"finance": ("ann",), "security": ("cid",)}
        named = tuple(replace(group, people=groups[group.name]) for group in quorum.groups)
        policy = Policy(quorum=replace(quorum, groups=named))
        once = vote(asked("ann", "cid", policy=policy), "bob", given())
        assert [(group.name, votes) for group, votes in tally(once)] == [
            ("finance", 1),
            ("security", 0),
        ]

    def test_should_stand_in_for_who_has_taken_a_place(self) -> None:
        handed = reassign(asked("ann"), declared("ann"), giver="ann", to="eve", now=SOON).after
        assert vote(handed, "bob", given("eve")).status == "approved"
        with pytest.raises(Forbidden):
            vote(handed, "bob", given("ann"))

    def test_should_refuse_who_has_no_verified_identity_where_one_is_needed(self) -> None:
        approval = asked("ann", policy=VERIFIED)
        with pytest.raises(Forbidden):
            vote(approval, "bob", given())
        assert vote(approval, Actor("bob", "jwt"), given()).status == "approved"

    def test_should_ask_nothing_more_of_whom_it_was_answered_for(self) -> None:
        policy = replace(TWO, escalation=(Escalate(timedelta(minutes=5), ["bob", "dan"]),))
        once = vote(asked("ann", "cid", policy=policy), "bob", given())
        with pytest.raises(InvalidRequest, match="answered already"):
            remind(once, declared("rita"), ["ann"], now=SOON)
        with pytest.raises(InvalidRequest, match="answered already"):
            reassign(once, declared("ann"), giver="ann", to="dan", now=SOON)
        with pytest.raises(InvalidRequest, match="answered already"):
            reassign(once, declared("cid"), giver="cid", to="bob", now=SOON)
        step = escalate(once, now=NOW + timedelta(minutes=6))
        assert step is not None
        assert step.event.details["to"] == ["dan"]
        assert may_still_answer(step.after) == ("cid", "dan")

    def test_should_be_taken_back_by_who_has_answered_only(self) -> None:
        once = vote(asked("ann", "cid", policy=TWO), "bob", given())
        assert retract(once, declared("ann"), now=SOON) is None
        back = retract(once, declared("bob"), now=SOON)
        assert back is not None
        assert may_still_answer(back.after) == ("ann", "cid")
        assert vote(back.after, "ann").votes[0].on_behalf_of is None

    def test_should_say_how_it_stands(self) -> None:
        once = vote(asked("ann", "cid", policy=TWO), "bob", given())
        assert standing(once) == "1 of 2 approvals; cid must still answer"
