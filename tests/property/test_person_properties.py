"""Who is let in is spelled the same; who looks the same never counts as two."""

from __future__ import annotations

import unicodedata
from typing import Any, cast

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.text import name as accept_name
from hitl_approval.domain.text import person_key, spelling
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request

UNSEEN = (
    "\u00ad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b\u200d\u2060\u3164"
    "\ufe00\ufe0f\uffa0\ufeff\U000e0100"
)
"""Of each kind of character that leaves no mark on a screen."""
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    | st.sampled_from(
        "aeßKÅé\u1e9e\u017f\u0130\u0131\u03c3\u03c2\u0301\u0307\u0345\ufb01\uff21" + UNSEEN
    ),
    min_size=1,
    max_size=12,
)
ALIKE = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD", "upper", "lower", "fold", "unseen", "space"])


def redraw(name: str, how: list[str]) -> str:
    """Another spelling that looks the same, or is the same but for case."""
    for each in how:
        if each.startswith("NF"):
            name = unicodedata.normalize(cast(Any, each), name)
        elif each == "unseen":
            name = name[:1] + UNSEEN[len(name) % len(UNSEEN)] + name[1:]
        elif each == "space":
            name = f" {name}\u00a0\u2800"
        else:
            name = {"upper": name.upper, "lower": name.lower, "fold": name.casefold}[each]()
    return name


@settings(max_examples=1_000, deadline=None)
@given(NAMES, st.lists(ALIKE, max_size=4))
def test_should_take_whatever_resembles_it_for_one_person(name: str, how: list[str]) -> None:
    assert person_key(redraw(name, how)) == person_key(name)
    assert person_key(person_key(name)) == person_key(name)


@settings(max_examples=1_000, deadline=None)
@given(NAMES, NAMES | st.none(), st.lists(ALIKE, max_size=4))
def test_should_let_in_only_who_is_spelled_the_same_but_for_case(
    named: str, other: str | None, how: list[str]
) -> None:
    comes = redraw(named, how) if other is None else other
    try:
        approval = _asked_of([accept_name(named, "approvers")])
        actor = Actor(accept_name(comes, "approver"), "jwt")
        cast_vote(approval, actor, "approved", "", now=NOW)
    except ApprovalError:
        assume(spelling(comes) == spelling(named))  # it is refused: only then must it not be
        _refused(named, comes)
        return
    plain = [
        unicodedata.normalize("NFC", " ".join(filter(None, text.split(" "))))
        for text in (named, comes)
    ]
    plain = [text.lower() for text in plain]
    assert unicodedata.normalize("NFC", plain[0]) == unicodedata.normalize("NFC", plain[1])


def _refused(named: str, comes: str) -> None:
    """One that is spelled the same is refused only if it is no name, or the requester's."""
    for text in (named, comes):
        try:
            accept_name(text, "name")
        except InvalidRequest:
            return
    assert person_key(named) == person_key("rita")


@settings(max_examples=500, deadline=None)
@given(NAMES, st.lists(ALIKE, max_size=4))
def test_should_never_count_who_resembles_another_as_two(name: str, how: list[str]) -> None:
    """Where nobody is named, anyone may answer, but not twice."""
    people = [name, redraw(name, how)]
    try:
        people = [accept_name(text, "approver") for text in people]
    except InvalidRequest:
        assume(False)
    approval = _asked_of([])
    for person in people:
        try:
            transition = cast_vote(approval, Actor(person, "jwt"), "approved", "", now=NOW)
        except ApprovalError:
            continue
        approval = transition.after if transition else approval
    assert approval.pending
    assert len(approval.votes) <= 1


@settings(max_examples=500, deadline=None)
@given(NAMES, st.lists(ALIKE, max_size=4))
def test_should_never_let_a_requester_in_by_another_spelling(name: str, how: list[str]) -> None:
    try:
        requester = accept_name(name, "requester")
        actor = Actor(accept_name(redraw(name, how), "approver"), "jwt")
    except InvalidRequest:
        assume(False)
    for approvers in ([], [actor.name, "bob"]):
        approval = any_approval(request=any_request(requester=requester, approvers=approvers))
        try:
            transition = cast_vote(approval, actor, "approved", "", now=NOW)
        except ApprovalError:
            continue
        assert transition is None


def _asked_of(approvers: list[str]) -> Approval:
    quorum = Quorum.any_one() if approvers else Quorum.at_least(2)
    return any_approval(
        request=any_request(requester="rita", approvers=approvers),
        policy=Policy(quorum=quorum),
        now=NOW,
    )
