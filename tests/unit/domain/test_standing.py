"""Who can still answer, and how it ended: the same sentence wherever it is said."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import SYSTEM, Actor
from hitl_approval.domain.ending import cancel, expire, follow_rule
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.slack import asking
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.standing import (
    by_rule,
    end_in_words,
    how_it_ended,
    standing,
    why_asked,
)
from hitl_approval.domain.voting import cast_vote, may_still_answer
from tests.anything import NOW, any_approval, any_request, declared
from tests.unit.domain.test_delegation import given as delegation
from tests.unit.domain.test_slack import check_limits


def asked(*names: str, **rules: Any) -> Approval:
    return any_approval(request=any_request(approvers=names), policy=Policy(**rules))


def voted(approval: Approval, **votes: Any) -> Approval:
    for name, decision in votes.items():
        made = cast_vote(approval, declared(name), decision, "", now=NOW)
        assert made is not None
        approval = made.after
    return approval


TWO = {"quorum": Quorum.at_least(2)}


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        (asked("ann"), "0 of 1 approvals; ann must still answer"),
        (asked("ann", "bob"), "0 of 1 approvals; ann or bob can still answer"),
        (asked("ann", "bob", "cid"), "0 of 1 approvals; ann, bob or cid can still answer"),
        (
            asked("ann", "bob", "cid", **TWO),
            "0 of 2 approvals; 2 of ann, bob and cid must still answer",
        ),
        (
            voted(asked("ann", "bob", "cid", **TWO), ann="approved"),
            "1 of 2 approvals; bob or cid can still answer",
        ),
        (
            voted(asked("ann", "bob", quorum=Quorum.everyone()), ann="approved"),
            "1 of 2 approvals; bob must still answer",
        ),
        (
            voted(asked("ann", "bob", "cid", rejections_needed=2), cid="rejected"),
            "0 of 1 approvals, 1 of 2 rejections; ann or bob can still answer",
        ),
        (asked("rita", "ann"), "0 of 1 approvals; ann must still answer"),
        (asked(), "0 of 1 approvals; anyone with access can still answer"),
        (asked("ann, or bob", "cid"), '0 of 1 approvals; "ann, or bob" or cid can still answer'),
    ],
)  # fmt: skip
def test_should_say_who_can_still_answer(approval: Approval, said: str) -> None:
    assert standing(approval) == said


def test_should_say_that_nobody_can_answer_after_the_expiry() -> None:
    approval = asked("ann")
    said = standing(approval, now=approval.expires_at)
    assert said == "0 of 1 approvals; nobody can answer any more"


def test_should_name_exactly_those_whose_answer_is_taken() -> None:
    """Whoever is named may answer, and nobody else who was asked may."""
    names = ("ann", "bob", "Ann B", "rita", "cid")
    for quorum, first in product((1, 2, 3), ("approved", "rejected")):
        begun = asked(*names, quorum=Quorum.at_least(quorum), rejections_needed=2)
        for approval in (begun, voted(begun, bob=first)):
            if not approval.pending:
                continue
            taken = []
            for name in names:
                try:
                    made = cast_vote(approval, declared(name), "approved", "", now=NOW)
                except ApprovalError:
                    continue
                taken += [name] if made is not None else []
            answered = [vote.approver for vote in approval.votes]
            assert [*may_still_answer(approval)] == [n for n in taken if n not in answered]


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        (
            voted(asked("ann", "bob", **TWO), ann="approved", bob="approved"),
            "Approved by ann and bob",
        ),
        (voted(asked("ann", "bob"), bob="rejected"), "Rejected by bob"),
        (
            voted(
                asked("ann", "bob", "cid", **TWO, rejections_needed=2),
                ann="approved",
                bob="rejected",
                cid="rejected",
            ),
            "Rejected by bob and cid",
        ),
    ],
)  # fmt: skip
def test_should_say_how_it_ended_and_by_whom(approval: Approval, said: str) -> None:
    assert how_it_ended(approval) == standing(approval) == said
    assert may_still_answer(approval) == ()


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(), "Timed out: nobody decided in time"),
        (Policy(on_timeout=OnTimeout.reject()), "Rejected: nobody decided in time"),
    ],
)
def test_should_say_that_nobody_decided(policy: Policy, said: str) -> None:
    approval = any_approval(policy=policy)
    ended = expire(approval, now=approval.expires_at)
    assert ended is not None
    assert how_it_ended(ended.after) == said


@pytest.mark.parametrize(
    ("actor", "said"),
    [(declared("rita"), "Withdrawn by rita"), (SYSTEM, "Withdrawn by the workflow that asked")],
)
def test_should_say_who_withdrew_it(actor: Actor, said: str) -> None:
    ended = cancel(any_approval(), actor, "", now=NOW)
    assert ended is not None
    assert how_it_ended(ended.after) == said


def test_should_say_which_rule_decided() -> None:
    asked_by = any_approval(rule=AppliedRule("d", "small", "approved"))
    ended = follow_rule(asked_by, now=NOW)
    assert ended is not None
    assert how_it_ended(ended.after) == "Approved by rule small"
    assert end_in_words(ended.after) == "was approved by rule small: nobody was asked."
    assert by_rule(ended.after) == ""


def test_should_say_which_rule_asks() -> None:
    assert by_rule(any_approval(rule=AppliedRule("d", "big"))) == "by rule big"
    assert by_rule(any_approval(rule=AppliedRule("d"))) == by_rule(any_approval()) == ""


def test_should_say_to_who_is_asked_what_went_before() -> None:
    stages = (Stage(["cid", "dan"], timeout=timedelta(hours=1)),)
    approval = asked("ann", "bob", stages=stages)
    assert why_asked(approval) == why_asked(approval, "ann") == []
    first = cast_vote(
        approval, declared("eve"), "approved", "", now=NOW, delegations=[delegation("ann", "eve")]
    )
    assert first is not None
    assert why_asked(first.after, "cid") == [("So far", "approved by eve for ann")]
    taken = reassign(first.after, declared("cid"), giver="cid", to="fay", now=NOW).after
    assert why_asked(taken, "fay") == [
        ("Instead of", "cid"),
        ("So far", "approved by eve for ann"),
    ]
    assert why_asked(taken, "dan") == why_asked(taken)
    for said in (
        approval_needed(taken, recipient="fay").body,
        json.dumps(asking(taken, page=None, recipient="fay").blocks).replace(": ", " "),
    ):
        assert " ".join(said.split()).count("Instead of cid") == 1
        assert " ".join(said.split()).count("So far approved by eve for ann") == 1


def test_should_fit_what_went_before_into_a_message() -> None:
    """Of as many people, with names as long, as a request may have."""
    crowd = [f"{number:03}{'x' * 130}" for number in range(100)]
    stages = (Stage(["zoe"], timeout=timedelta(hours=1)),)
    approval = asked(*crowd, stages=stages, quorum=Quorum.everyone())
    for name in crowd:
        vote = cast_vote(approval, declared(name), "approved", "", now=NOW)
        assert vote is not None
        approval = vote.after
    [(_, said)] = why_asked(approval, "zoe")
    assert said.endswith("and 80 more")
    check_limits({"blocks": asking(approval, page=None, recipient="zoe").blocks})
